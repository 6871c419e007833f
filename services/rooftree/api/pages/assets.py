"""
The files beside the pages: styles and a few scripts, served from here and from nowhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

__all__ = ["asset", "asset_version"]

TYPES: Final = MappingProxyType({".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"})
KEPT: Final = "public, max-age=31536000, immutable"
"""Pages name the version of the files in their addresses, so no copy is ever stale."""

SHEET: Final = "style.css"
SHEETS: Final = (
    "base",
    "shell",
    "panels",
    "tables",
    "marks",
    "charts",
    "tree",
    "decisions",
    "feed",
    "forms",
    "source",
    "print",
)
"""The styles by their subjects, in the order in which they are sent as one sheet: of two equal rules the later holds."""


async def asset(request: Request) -> Response:
    """
    Return one of the files.
    """
    name = str(request.path_params["name"])
    kind = TYPES.get(f".{name.rpartition('.')[2]}")
    if name not in _assets() or kind is None:
        raise HTTPException(404, f"no file `{name}`")
    return Response(_assets()[name], media_type=kind, headers={"cache-control": KEPT})


@lru_cache(maxsize=1)
def asset_version() -> str:
    """
    Return what changes whenever an asset does, so that browsers may keep them for good.
    """
    digest = hashlib.sha256()
    for name, content in sorted(_assets().items()):
        digest.update(name.encode() + content)
    return digest.hexdigest()[:12]


@lru_cache(maxsize=1)
def _assets() -> Mapping[str, bytes]:
    folder = files("rooftree.api").joinpath("assets")
    single = {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()}
    return {**single, SHEET: b"\n".join(folder.joinpath("style", f"{name}.css").read_bytes() for name in SHEETS)}
