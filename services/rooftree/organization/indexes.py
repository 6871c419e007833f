"""
Ids by key, copied as far as they are changed.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from collections.abc import Set as AbstractSet
from typing import Final, Generic, TypeVar

from rooftree.organization.branches import branch

__all__ = ["Index"]

_Key = TypeVar("_Key")

_NONE: Final[frozenset[str]] = frozenset()


class Index(Generic[_Key]):
    """
    Sets of ids by key. A copy shares every set until one of the two changes it.
    """

    def __init__(self) -> None:
        self._sets: MutableMapping[_Key, set[str]] = {}
        # The keys of the sets that no other index holds; None for all of them.
        self._own: set[_Key] | None = None

    def copy(self) -> Index[_Key]:
        """
        Return an index of its own with the same ids.
        """
        twin = Index[_Key]()
        self._sets, twin._sets = branch(self._sets)
        self._own, twin._own = set(), set()
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
        self._owned(key).add(member)

    def discard(self, key: _Key, member: str) -> None:
        """
        Take an id away from under a key.
        """
        self._owned(key).discard(member)

    def _owned(self, key: _Key) -> set[str]:
        found = self._sets.get(key)
        is_shared = self._own is not None and key not in self._own
        if found is None or is_shared:
            found = self._sets[key] = set(found or ())
            if self._own is not None:
                self._own.add(key)
        return found
