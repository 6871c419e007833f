"""
Which files are generated, and what is in them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rooftree import __version__
from rooftree.api.openapi import describe
from rooftree.api.resources import ENDPOINTS
from rooftree.reference.asyncapi import describe_topics
from rooftree.reference.compatibility import bundle_of
from rooftree.reference.pages import pages
from rooftree.reference.schemas import published_schemas

__all__ = ["RELEASED", "RELEASED_API", "generated_files", "release_files", "stale_files"]

RELEASED: Final = "schemas/released"
RELEASED_API: Final = f"{RELEASED}/http"
FOLDERS: Final = ("schemas/events", "schemas/documents", "docs/reference")


def generated_files(root: Path) -> dict[str, str]:
    """
    Return the text of every generated file by its path below the checkout.

    Args:
        root: The checkout; the pages show the examples that are kept in it.
    """
    schemas = published_schemas()
    return {
        **{f"schemas/{schema.path}": _json(schema.schema) for schema in schemas},
        "schemas/asyncapi.json": _json(describe_topics(schemas)),
        "schemas/openapi.json": _json(describe(ENDPOINTS)),
        **{f"docs/reference/{name}": text for name, text in pages(root, schemas).items()},
    }


def release_files() -> dict[str, str]:
    """
    Return the text of the files that keep what this version publishes, by their paths.
    """
    return {
        f"{RELEASED}/{__version__}.json": _json(bundle_of(published_schemas())),
        f"{RELEASED_API}/{__version__}.json": _json(describe(ENDPOINTS)),
    }


def stale_files(root: Path) -> list[str]:
    """
    Return the generated files that differ from what they should be, are missing, or should not be there.
    """
    expected = generated_files(root)
    differing = [name for name, text in expected.items() if _text(root / name) != text]
    found = {
        path.relative_to(root).as_posix() for folder in FOLDERS for path in (root / folder).rglob("*") if path.is_file()
    }
    return sorted([*differing, *(found - expected.keys())])


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _json(document: Mapping[str, object]) -> str:
    return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n"
