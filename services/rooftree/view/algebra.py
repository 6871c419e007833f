"""
What the view needs of the permission algebra.
"""

from __future__ import annotations

from typing import Protocol

from rooftree.permissions import AccountBinding, Comparison, Permissions, Question
from rooftree.policy.chain import Chain

__all__ = ["Algebra"]


class Algebra(Protocol):
    """
    All requests at once: what a chain lets through, and how two chains differ.

    ``rooftree.permissions`` is one. All functions are pure, and cheap when asked again.
    """

    def maximum_permissions(self, chain: Chain, account: AccountBinding) -> Permissions:
        """
        Return every request of the account's principals that the chain lets through.
        """
        ...

    def compare(self, before: Permissions, after: Permissions) -> Comparison:
        """
        Return which decisions differ.
        """
        ...

    def telling_apart(self, chain: Chain, partition: str) -> tuple[Question, ...]:
        """
        Return what must be asked of accounts to know whether a chain means the same for them.
        """
        ...
