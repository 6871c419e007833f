"""
An account and where it stands.
"""

from __future__ import annotations

from typing import NamedTuple

from rooftree.errors import InputError
from rooftree.organization.chains import ChainRecord
from rooftree.permissions import AccountBinding
from rooftree.reading.reader import AccountRecord
from rooftree.view.ceilings import Ceilings

__all__ = ["Standing"]


class Standing(NamedTuple):
    """
    An account and where it stands; a tuple, since all of an organization may be asked about at once.

    Attributes:
        path: The nodes from the root to the account.
        complete: Whether nothing is known to be missing.
        chain_id: The chain; None for an account that is not placed.
        record: The row of the stored view; None out of a snapshot.
        chain: What the chain is made of, where that was asked for along with the account.
    """

    organization_id: str
    account_id: str
    name: str
    email: str | None
    status: str
    path: tuple[str, ...]
    complete: bool
    chain_id: str | None
    record: AccountRecord | None = None
    chain: ChainRecord | None = None

    def bound(self, ceilings: Ceilings) -> AccountBinding:
        """
        Return what an account that is placed fixes for the requests of its principals.

        Raises:
            InputError: It is not.
        """
        return ceilings.binding(self.placed_chain_id, self.account_id, self.path[:-1])

    @property
    def placed_chain_id(self) -> str:
        """
        The chain of an account that is placed.

        Raises:
            InputError: It is not.
        """
        if self.chain_id is None:
            raise InputError("the place of this account in the organization is not known", place=self.account_id)
        return self.chain_id
