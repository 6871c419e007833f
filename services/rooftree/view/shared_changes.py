"""
What is the same for many accounts, worked out and worded once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rooftree.permissions import AccountBinding, Comparison
from rooftree.view.events import canonical_json

__all__ = ["SharedChanges"]

_ACCOUNT: Final = "\uffff"
"""Stands for the account in the wording: no character of Unicode text, and none that JSON escapes."""


class SharedChanges:
    """
    The decision changes of all accounts that have one comparison, as canonical JSON.

    Attributes:
        verdict: What becomes of them.
    """

    __slots__ = ("_binding", "_comparison", "_pieces", "verdict")

    def __init__(self, comparison: Comparison, binding: AccountBinding) -> None:
        self.verdict = str(comparison.verdict)
        self._comparison = comparison
        self._binding = binding
        # Where the policies themselves hold that character, each account is worded by itself.
        is_clear = _ACCOUNT not in self._worded("")
        self._pieces = self._worded(_ACCOUNT).split(_ACCOUNT) if is_clear else None

    def of(self, account_id: str) -> str:
        """
        Return the changes as they stand in an audit event about an account.
        """
        return self._worded(account_id) if self._pieces is None else account_id.join(self._pieces)

    def _worded(self, account_id: str) -> str:
        return canonical_json(self._comparison.changes(replace(self._binding, account_id=account_id)))
