"""
Accounts of which one thing can be said for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from rooftree.inquiry.grouping import AccountName
from rooftree.inquiry.outcome import stand_beside
from rooftree.inquiry.standing import Standing
from rooftree.permissions import AccountBinding, Comparison
from rooftree.view.ceilings import Ceilings

__all__ = ["Alike"]


@dataclass(frozen=True)
class Alike:
    """
    Accounts whose decisions differ in the same way, and which stand side by side in the end.

    Attributes:
        accounts: They, as they stood before, by id.
        beside: Where one account stands in the end, and all of these beside it.
        ceilings: What binds accounts before and in the end.
        comparison: How decisions differ.
    """

    accounts: Sequence[Standing]
    beside: Standing
    ceilings: tuple[Ceilings, Ceilings]
    comparison: Comparison

    @cached_property
    def names(self) -> list[AccountName]:
        """
        What they are called in the end; of several, none is called otherwise than before.
        """
        known = self.accounts if len(self.accounts) > 1 else map(self.after, self.accounts)
        return [AccountName(account.account_id, account.name) for account in known]

    def after(self, account: Standing) -> Standing:
        """
        Return where one of them stands in the end.
        """
        return self.beside if self.beside.account_id == account.account_id else stand_beside(self.beside, account)

    def bound(self, account: Standing) -> AccountBinding:
        """
        Return what one of them fixes in the end for the requests of its principals.
        """
        return self.after(account).bound(self.ceilings[1])
