"""
An account, as far as it settles what its principals send.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rooftree.permissions.keys import PRINCIPAL_SIDE, Side

__all__ = ["ACCOUNT_PLACEHOLDER", "AccountBinding"]

ACCOUNT_PLACEHOLDER: Final = "{account}"
"""Stands for the account in what several accounts share."""


@dataclass(frozen=True, slots=True)
class AccountBinding:
    """
    What an account fixes for the requests of its principals, or for those made of its resources.

    Attributes:
        organization_path: ``o-…/r-…/ou-…/`` down to the parent of the account, with the slash at the end.
        partition: The AWS partition that the ARNs of its principals name.
        side: Which of the two.
    """

    account_id: str
    organization_id: str
    organization_path: str
    partition: str = "aws"
    side: Side = PRINCIPAL_SIDE

    def value_of(self, key: str) -> tuple[str, ...]:
        """
        Return the values of a key, in lower case, that the account determines.
        """
        return {
            "aws:principalaccount": (self.account_id,),
            "aws:principalorgid": (self.organization_id,),
            "aws:principalorgpaths": (self.organization_path,),
            "aws:principalisawsservice": ("false",),
            "aws:resourceaccount": (self.account_id,),
            "aws:resourceorgid": (self.organization_id,),
            "aws:resourceorgpaths": (self.organization_path,),
        }[key]
