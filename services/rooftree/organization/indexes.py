"""
Ids by key, copied as far as they are changed.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final, Generic, TypeVar

__all__ = ["Index"]

_Key = TypeVar("_Key")

_NONE: Final[frozenset[str]] = frozenset()


class Index(Generic[_Key]):
    """
    Sets of ids by key. A copy shares every set until one of the two changes it.
    """

    def __init__(self) -> None:
        self._sets: dict[_Key, set[str]] = {}
        # INVARIANT: no other index holds a set whose key is not here.
        self._shared: set[_Key] = set()

    def copy(self) -> Index[_Key]:
        """
        Return an index of its own with the same ids.
        """
        twin = Index[_Key]()
        twin._sets = dict(self._sets)
        self._shared, twin._shared = set(self._sets), set(self._sets)
        return twin

    def of(self, key: _Key) -> AbstractSet[str]:
        """
        Return the ids under a key.
        """
        return self._sets.get(key, _NONE)

    def add(self, key: _Key, member: str) -> None:
        """
        Put an id under a key.
        """
        self._own(key).add(member)

    def discard(self, key: _Key, member: str) -> None:
        """
        Take an id away from under a key.
        """
        self._own(key).discard(member)

    def _own(self, key: _Key) -> set[str]:
        found = self._sets.get(key)
        if found is None or key in self._shared:
            found = self._sets[key] = set(found or ())
            self._shared.discard(key)
        return found
