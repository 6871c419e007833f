"""
An algebra that knows texts alone: quick, and right about when something has changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from rooftree.permissions import AccountBinding
from rooftree.policy.chain import Chain

__all__ = ["TextAlgebra"]


OWN_LEVELS = ("principal", "identity", "boundary")


@dataclass(frozen=True)
class TextPermissions:
    """
    The digests of the policies on each level.
    """

    permissions_id: str

    def summary(self, account: AccountBinding) -> dict[str, object]:
        """
        Return the identity alone.
        """
        return {"id": self.permissions_id, "account": account.account_id}

    def verdicts(self) -> dict[tuple[str, str], str]:
        """
        Return one action.
        """
        return {("s3", "GetObject"): self.permissions_id}


@dataclass(frozen=True)
class TextComparison:
    """
    Two identities.
    """

    before: str
    after: str

    @property
    def verdict(self) -> str:
        """
        ``equivalent`` or ``mixed``.
        """
        return "equivalent" if self.is_equivalent else "mixed"

    @property
    def is_equivalent(self) -> bool:
        """
        Whether the texts are the same.
        """
        return self.before == self.after

    @property
    def all_changes(self) -> tuple[()]:
        """
        Return none: texts do not tell which requests they decide.
        """
        return ()

    def changes(self, account: AccountBinding) -> list[dict[str, object]]:
        """
        Return the two identities.
        """
        return [{"before": self.before, "after": self.after, "account": account.account_id}]


class TextAlgebra:
    """
    Permissions that differ if and only if the texts on some level do.
    """

    def maximum_permissions(self, chain: Chain, account: AccountBinding) -> TextPermissions:
        """
        Return the identity of the texts along *chain*.
        """
        if chain.levels is None:
            return TextPermissions("unlimited")
        above = [level for level in chain.levels if level.target_id not in OWN_LEVELS]
        if above:
            assert account.account_id == above[-1].target_id
            path = "/".join((account.organization_id, *(level.target_id for level in above[:-1]), ""))
            assert path == account.organization_path
        texts = [sorted(policy.document.digest for policy in level.policies) for level in chain.levels]
        return TextPermissions(hashlib.sha256(repr(texts).encode()).hexdigest())

    def telling_apart(self, chain: Chain, partition: str) -> tuple[Callable[[AccountBinding], AccountBinding], ...]:
        """
        Take no two accounts for alike.
        """
        return (_itself,)

    def compare(self, before: TextPermissions, after: TextPermissions) -> TextComparison:
        """
        Return whether the identities differ.
        """
        return TextComparison(before.permissions_id, after.permissions_id)


def _itself(account: AccountBinding) -> AccountBinding:
    return account
