"""
SQL as source: statements by name out of the ``.sql`` files beside this module.

A statement starts at a line ``-- name --``, is followed by comment lines that say what it is for, and ends where the
next one starts. Nothing puts SQL together at run time.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

__all__ = ["query", "statements"]

_HEADING = re.compile(r"^-- (?P<name>[a-z_]+) --$\n(?P<about>(?:^-- .*$\n)+)", re.MULTILINE)


def query(name: str) -> str:
    """
    Return the statement called *name*.

    Raises:
        KeyError: There is none.
    """
    return statements()[name]


@lru_cache(maxsize=1)
def statements() -> MappingProxyType[str, str]:
    """
    Return every statement by its name.

    Raises:
        ValueError: Two statements have one name.
    """
    found: dict[str, str] = {}
    for file in sorted(files("rooftree.store").joinpath("sql").iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".sql"):
            continue
        text = file.read_text(encoding="utf-8")
        headings = list(_HEADING.finditer(text))
        for heading, following in zip(headings, [*headings[1:], None], strict=True):
            name = heading["name"]
            if name in found:
                msg = f"two statements are called `{name}`"
                raise ValueError(msg)
            found[name] = text[heading.end() : following.start() if following else None].strip()
    return MappingProxyType(found)
