"""
An account, as far as it settles what its principals send.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from rooftree.permissions.keys import PRINCIPAL_SIDE, Side, resource_side

__all__ = ["ACCOUNT_PLACEHOLDER", "OWN_ARN", "AccountBinding"]

ACCOUNT_PLACEHOLDER: Final = "{account}"
"""Stands for the account in what several accounts share."""

OWN_ARN: Final = "arn:{partition}:"
"""How the ARNs of its principals begin in what they share, whichever partition it is in."""


@dataclass(frozen=True, slots=True)
class AccountBinding:
    """
    What an account fixes for the requests of its principals, or for those made of its resources.

    Attributes:
        organization_path: ``o-…/r-…/ou-…/`` down to the parent of the account, with the slash at the end.
        side: Which of the two, and in which partition.
    """

    account_id: str
    organization_id: str
    organization_path: str
    side: Side = PRINCIPAL_SIDE

    @property
    def partition(self) -> str:
        """
        The AWS partition that the ARNs of its principals name.
        """
        return self.side.partition

    @property
    def of_resources(self) -> AccountBinding:
        """
        The same account for requests made of its resources.
        """
        return replace(self, side=resource_side(self.partition))

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
