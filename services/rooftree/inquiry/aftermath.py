"""
Where accounts stand after a change, from where they stood before it.
"""

from __future__ import annotations

from collections.abc import Collection

from rooftree.inquiry.sources import MemorySource
from rooftree.inquiry.standing import Standing
from rooftree.organization.tree import Organization

__all__ = ["Aftermath", "stand_beside"]

_Kinship = tuple[str, tuple[str, ...]]
"""The node above an account, and the policies that hang on the account itself."""


class Aftermath:
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
        self._known: dict[_Kinship, Standing] = {}

    @property
    def source(self) -> MemorySource:
        """
        The organization after the change.
        """
        return self._after

    def beside(self, account: Standing) -> Standing:
        """
        Return where an account stands of which it is known where it stood, or another one beside which it does.
        """
        if account.chain_id is None or account.account_id in self._alone:
            return self._after.standing(account.account_id)
        kinship = account.path[-2], self._before.hanging(account.account_id)
        first = self._known.get(kinship)
        if first is None:
            first = self._known[kinship] = self._after.standing(account.account_id)
        return first


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
