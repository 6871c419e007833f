"""
How messages show what was given: short, printable and on one line.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["in_place", "item_place", "quote"]

SHOWN: Final = 64
"""Characters of a value that a message shows; enough to find it, too few to flood a log."""

_PLAIN_KEY: Final = re.compile(r"[\w:/*${}@+=,-]{1,128}\Z")


def quote(value: object) -> str:
    """
    Return *value* in backticks, cut where it is long, with characters that do not print escaped.
    """
    text = value if isinstance(value, str) else repr(value)
    shown = text[:SHOWN].encode("utf-8", "backslashreplace").decode()
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown)
    return f"`{shown}{'…' if len(text) > SHOWN else ''}`"


def in_place(key: object) -> str:
    """
    Return a key as a part of a place: as it is if it is plain, else in backticks.
    """
    text = str(key)
    return text if _PLAIN_KEY.match(text) else quote(text)


def item_place(place: str, index: int, value: object) -> str:
    """
    Return the place of one value: with its position if *value*, what stands at *place*, is a list.
    """
    return f"{place}[{index}]" if isinstance(value, list) else place
