"""
The changes of accounts that have one comparison, worded once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from rooftree.inquiry.alike import Alike
from rooftree.inquiry.grouping import STATEMENTS, AccountName, ToldChange, identify
from rooftree.permissions import AccountBinding, Comparison
from rooftree.permissions.account import ACCOUNT_PLACEHOLDER

__all__ = ["common_changes"]

Told: TypeAlias = tuple[Sequence[AccountName], Sequence[ToldChange]]
"""Accounts, and the changes of each."""

_MAY_NAME_AN_ACCOUNT: Final = re.compile(rf"\d{{12}}|\d{ACCOUNT_PLACEHOLDER}|{ACCOUNT_PLACEHOLDER}\d")


@dataclass(frozen=True, slots=True)
class _Common:
    """
    What accounts with one comparison have in common.

    Attributes:
        identities: What names each change, whoever the account is.
        on_accounts: Whether a policy to blame hangs on the accounts themselves, on each in a statement of its own.
    """

    identities: Sequence[str]
    on_accounts: bool

    @property
    def fits_all(self) -> bool:
        """
        Whether no account can have anything of its own in the changes.
        """
        return not self.on_accounts and not any(map(_MAY_NAME_AN_ACCOUNT.search, self.identities))

    def fits(self, account_id: str) -> bool:
        """
        Tell whether an account has nothing of its own in the changes but its id where that of any account would stand.
        """
        # a policy may name the account itself
        return not self.on_accounts and all(
            each == each.replace(ACCOUNT_PLACEHOLDER, account_id).replace(account_id, ACCOUNT_PLACEHOLDER)
            for each in self.identities
        )


def common_changes(groups: Iterable[Alike]) -> list[Told]:
    """
    Return accounts with their changes, in the order of the first account of each entry; changes that differ in nothing
    but the account are as the first of all has them.
    """
    compared: dict[Comparison, list[Alike]] = {}
    for alike in groups:
        compared.setdefault(alike.comparison, []).append(alike)
    told = [entry for comparison, alike in compared.items() for entry in _entries(comparison, alike)]
    return sorted(told, key=lambda entry: entry[0][0].account_id)


def _entries(comparison: Comparison, groups: Sequence[Alike]) -> Iterator[Told]:
    first = min((alike.bound(alike.accounts[0]) for alike in groups), key=lambda account: account.account_id)
    common, shared = _common(comparison, first), None
    if common.fits_all:
        shared = _told(comparison, first)
        yield from ((alike.names, shared) for alike in groups)
        return
    each = [pair for alike in groups for pair in zip(alike.names, map(alike.bound, alike.accounts), strict=True)]
    for name, account in sorted(each, key=lambda pair: pair[0].account_id):
        if common.fits(account.account_id):
            shared = shared or _told(comparison, account)
            yield [name], shared
        else:
            yield [name], _told(comparison, account)


def _told(comparison: Comparison, account: AccountBinding) -> Sequence[ToldChange]:
    return [(identify(change, account.account_id), change) for change in comparison.changes(account)]


def _common(comparison: Comparison, account: AccountBinding) -> _Common:
    changes: list[dict[str, Any]] = comparison.changes(replace(account, account_id=ACCOUNT_PLACEHOLDER))
    statements = (statement for change in changes for name in STATEMENTS for statement in change.get(name, []))
    return _Common(
        identities=[identify(change, ACCOUNT_PLACEHOLDER) for change in changes],
        on_accounts=any(statement["target_id"] == ACCOUNT_PLACEHOLDER for statement in statements),
    )
