"""
Where accounts stand after a change, from where they stood before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from rooftree.inquiry.sources import MemorySource
from rooftree.inquiry.standing import Standing
from rooftree.organization.tree import Organization

__all__ = ["Outcome", "Siblings", "stand_beside"]

_SiblingKey = tuple[str, tuple[str, ...]]
"""The node above an account, and the policies that hang on the account itself."""


@dataclass(frozen=True, slots=True)
class Siblings:
    """
    Accounts that stood side by side under one chain, and do so in the end.

    Attributes:
        accounts: They, as they stood before, by id.
        beside: Where the first of them stands in the end, and the others beside it.
    """

    accounts: list[Standing]
    beside: Standing


class Outcome:
    """
    An organization after a change that is told of some of its nodes and policies, and of nothing that holds everywhere.

    INVARIANT: accounts of which nothing is told, which were under one node with the same policies on themselves, are
    under one chain after the change too: the only account that no policy limits is looked at by itself.

    Args:
        before: The organization before it.
        after: The organization after it.
        told: What the change is told of.
    """

    def __init__(self, before: MemorySource, after: Organization, told: Collection[str]) -> None:
        self._before = before
        self._after = MemorySource(after)
        self._alone = {*told, after.management_account_id}

    @property
    def source(self) -> MemorySource:
        """
        The organization after the change.
        """
        return self._after

    def siblings(self, accounts: Iterable[Standing]) -> list[Siblings]:
        """
        Return where accounts stand, by id, of which it is known where they stood.
        """
        found: dict[_SiblingKey | str, list[Standing]] = {}
        for account in accounts:
            found.setdefault(self._key_of(account), []).append(account)
        return [Siblings(members, self._after.standing(members[0].account_id)) for members in found.values()]

    def _key_of(self, account: Standing) -> _SiblingKey | str:
        if account.chain_id is None or account.account_id in self._alone:
            return account.account_id
        return account.path[-2], self._before.hanging(account.account_id)


def stand_beside(first: Standing, account: Standing) -> Standing:
    """
    Return where an account stands that is in all but itself like another one.
    """
    return Standing(
        account.organization_id,
        account.account_id,
        account.name,
        account.email,
        account.status,
        (*first.path[:-1], account.account_id),
        first.complete,
        first.chain_id,
    )
