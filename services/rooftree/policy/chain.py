"""
The policies between the root of an organization and one account.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
"""

from __future__ import annotations

from dataclasses import dataclass

from rooftree.policy.model import PolicyDocument

__all__ = ["UNLIMITED", "AttachedPolicy", "Chain", "Level"]


@dataclass(frozen=True, slots=True)
class AttachedPolicy:
    """
    A policy as it hangs on a node.
    """

    policy_id: str
    name: str
    document: PolicyDocument


@dataclass(frozen=True, slots=True)
class Level:
    """
    One node of a chain: a root, an organizational unit or the account itself.

    Attributes:
        target_id: The node.
        policies: What is attached there, ordered by policy id; a level without any lets nothing through.
    """

    target_id: str
    policies: tuple[AttachedPolicy, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """
    The levels that a request must pass, from the root to the account.

    Attributes:
        levels: The levels in order, with their service control policies, which limit what the principals of the
            account ask for; ``None`` where nothing limits them: the management account, an organization without SCPs,
            an account outside of any.
        resource_levels: The same with resource control policies, which limit what anybody asks of its resources.
    """

    levels: tuple[Level, ...] | None
    resource_levels: tuple[Level, ...] | None = None

    @property
    def of_resources(self) -> Chain:
        """
        The chain that requests of the account's resources must pass.
        """
        return Chain(self.resource_levels)


UNLIMITED = Chain(levels=None)
