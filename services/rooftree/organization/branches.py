"""
Mappings that go on from one and the same, each its own way.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import MutableMapping
from typing import Any, TypeVar

__all__ = ["Branch", "branch"]

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Branch(ChainMap[_Key, _Value]):
    """
    A mapping of two layers: entries of its own, and those below them, which nobody changes any more. None is no value.
    """

    def get(self, key: _Key, default: Any = None) -> Any:
        """
        Return the value under a key.
        """
        own, below = self.maps
        found = own.get(key)
        return below.get(key, default) if found is None else found


def branch(
    entries: MutableMapping[_Key, _Value],
) -> tuple[MutableMapping[_Key, _Value], MutableMapping[_Key, _Value]]:
    """
    Return two mappings that hold what one held, which is not to be changed any more itself: one goes on for it, the
    other is the copy. It takes no time, unless what is copied is a branch that has changed.
    """
    below = entries
    if isinstance(entries, Branch):
        below = dict(entries) if entries.maps[0] else entries.maps[1]
    return Branch({}, below), Branch({}, below)
