"""
All policies that may have a say in a request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rooftree.authorization.acl import AccessControlList
from rooftree.policy.builtin import RCP_FULL_AWS_ACCESS, RCP_FULL_AWS_ACCESS_ID
from rooftree.policy.chain import AttachedPolicy, Level

__all__ = ["Policies", "PolicySet", "with_full_access"]


Policies = tuple[AttachedPolicy, ...]


@dataclass(frozen=True, slots=True)
class PolicySet:
    """
    The policies around one request or many.

    Attributes:
        identity: Of a user with its groups, or of a role, inline and managed.
        permissions_boundaries: Empty where none is set.
        session: Empty where none was passed.
        resource: The policy of the resource, the trust policy of a role, the key policy of a KMS key.
        service_control: The levels above the principal's account and its own; empty where nothing limits it.
        resource_control: The levels above the resource's account and its own. Each holds RCPFullAWSAccess, listed or
            not; empty where nothing limits it.
        vpc_endpoint: The policy of the VPC endpoint that the request travels through, if it does.
        acl: The ACLs of an S3 bucket and object; None where there are none, as is the default of Amazon S3.
    """

    identity: Policies = ()
    permissions_boundaries: Policies = ()
    session: Policies = ()
    resource: Policies = ()
    service_control: tuple[Level, ...] = ()
    resource_control: tuple[Level, ...] = ()
    vpc_endpoint: Policies = ()
    acl: AccessControlList | None = None


_RCP_FULL_ACCESS: Final = AttachedPolicy(RCP_FULL_AWS_ACCESS_ID, "RCPFullAWSAccess", RCP_FULL_AWS_ACCESS)


def with_full_access(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    """
    Return levels of resource control policies, each with the policy that AWS attaches and lets nobody detach.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_evaluation.html
    """
    return tuple(
        level
        if any(policy.document.digest == RCP_FULL_AWS_ACCESS.digest for policy in level.policies)
        else Level(level.target_id, (_RCP_FULL_ACCESS, *level.policies))
        for level in levels
    )
