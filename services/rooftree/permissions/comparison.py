"""
What differs between two sets of maximum permissions: known at once, told when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Final

from rooftree.permissions.account import AccountBinding
from rooftree.permissions.change import DecisionChange

__all__ = ["EQUIVALENT", "Comparison"]


class Comparison:
    """
    All decision changes between two states.
    """

    def __init__(self, directions: Iterable[str], tell: Callable[[], Sequence[DecisionChange]]) -> None:
        self._directions: Final = frozenset(directions)
        self._tell: Callable[[], Sequence[DecisionChange]] | None = tell

    @property
    def verdict(self) -> str:
        """
        ``equivalent``, ``tightened``, ``loosened`` or ``mixed``.
        """
        if self.is_equivalent:
            return "equivalent"
        if len(self._directions) > 1:
            return "mixed"
        return "tightened" if "denied" in self._directions else "loosened"

    @property
    def is_equivalent(self) -> bool:
        """
        Whether no decision differs.
        """
        return not self._directions

    @cached_property
    def all_changes(self) -> tuple[DecisionChange, ...]:
        """
        The changes, most severe first.
        """
        assert self._tell is not None
        changes = tuple(self._tell())
        # what they are told from is large, and is not needed again
        self._tell = None
        return changes

    def joined(self, other: Comparison) -> Comparison:
        """
        Return the changes of both.
        """
        return Comparison(self._directions | other._directions, lambda: (*self.all_changes, *other.all_changes))

    def changes(self, account: AccountBinding) -> list[dict[str, object]]:
        """
        Return the changes as they stand in an audit event about *account*.
        """
        return [change.as_json(account) for change in self.all_changes]


EQUIVALENT: Final = Comparison((), lambda: ())
