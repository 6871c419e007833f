"""
The changes of accounts that have one comparison, worded once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rooftree.inquiry.grouping import STATEMENTS, ToldChange, identify
from rooftree.inquiry.standing import Standing
from rooftree.permissions import Comparison
from rooftree.permissions.account import ACCOUNT_PLACEHOLDER

__all__ = ["CommonChanges"]


@dataclass(slots=True)
class _Common:
    """
    What accounts with one comparison have in common.

    Attributes:
        identities: What names each change, whoever the account is.
        on_accounts: Whether a policy to blame hangs on the accounts themselves, on each in a statement of its own.
        told: The changes as the first of the accounts has them.
    """

    identities: Sequence[str]
    on_accounts: bool
    told: Sequence[ToldChange] | None = None

    def fits(self, account_id: str) -> bool:
        """
        Tell whether an account has nothing of its own in the changes but its id where that of any account would stand.
        """
        # a policy may name the account itself
        return not self.on_accounts and all(
            each == each.replace(ACCOUNT_PLACEHOLDER, account_id).replace(account_id, ACCOUNT_PLACEHOLDER)
            for each in self.identities
        )


class CommonChanges:
    """
    Words changes, and those that differ in nothing but the account as their first account has them.
    """

    def __init__(self) -> None:
        self._common: dict[Comparison, _Common] = {}

    def of(self, comparison: Comparison, account: Standing) -> Sequence[ToldChange]:
        """
        Return the changes of an account, each with what names it.
        """
        common = self._common.get(comparison)
        if common is None:
            common = self._common[comparison] = _common(comparison, account)
        if not common.fits(account.account_id):
            return _told(comparison, account)
        if common.told is None:
            common.told = _told(comparison, account)
        return common.told


def _told(comparison: Comparison, account: Standing) -> Sequence[ToldChange]:
    return [(identify(change, account.account_id), change) for change in comparison.changes(account.binding)]


def _common(comparison: Comparison, account: Standing) -> _Common:
    changes: list[dict[str, Any]] = comparison.changes(replace(account.binding, account_id=ACCOUNT_PLACEHOLDER))
    statements = (statement for change in changes for name in STATEMENTS for statement in change.get(name, []))
    return _Common(
        identities=[identify(change, ACCOUNT_PLACEHOLDER) for change in changes],
        on_accounts=any(statement["target_id"] == ACCOUNT_PLACEHOLDER for statement in statements),
    )
