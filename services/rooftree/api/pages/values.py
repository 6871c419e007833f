"""
Stored JSON as pages read it: of whatever kind a member may be, none of them fails.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["mapping_of", "mappings_of", "text_of"]


def mapping_of(value: object) -> Mapping[str, object]:
    """
    Return an object; an empty one for anything else.
    """
    return value if isinstance(value, Mapping) else {}


def mappings_of(value: object) -> list[Mapping[str, object]]:
    """
    Return the objects in a list; none for anything else.
    """
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []


def text_of(value: object) -> str:
    """
    Return the value of a condition key as a form takes it: several with commas between them.
    """
    return ", ".join(str(one) for one in value) if isinstance(value, list | tuple) else str(value)
