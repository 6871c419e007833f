"""
Which kinds of policies bind which principal and which resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from rooftree.authorization.principal import PrincipalKind
from rooftree.authorization.request import AccessRequest
from rooftree.authorization.services import (
    is_free_of_service_control,
    needs_no_permission,
    unlocks_resource_policy,
)
from rooftree.policy.resource_control import is_covered

__all__ = ["PolicyType", "idle_types"]


class PolicyType(StrEnum):
    """
    The kinds of policies that take part, in the order in which they are told.
    """

    RESOURCE_CONTROL = "resource_control"
    SERVICE_CONTROL = "service_control"
    VPC_ENDPOINT = "vpc_endpoint"
    RESOURCE = "resource"
    ACL = "acl"
    IDENTITY = "identity"
    PERMISSIONS_BOUNDARIES = "permissions_boundaries"
    SESSION = "session"


Reasons = Mapping[PolicyType, str]

_ROOT_USER: Final = {
    PolicyType.IDENTITY: "a root user may do everything by itself",
    PolicyType.PERMISSIONS_BOUNDARIES: "a root user has none",
}
_NO_SESSION: Final = {PolicyType.SESSION: "this is no session"}
_NO_ACCOUNT: Final = {
    PolicyType.IDENTITY: "no account stands behind the principal",
    PolicyType.PERMISSIONS_BOUNDARIES: "no account stands behind the principal",
    PolicyType.SESSION: "this is no session",
    PolicyType.SERVICE_CONTROL: "no account stands behind the principal",
}

_BY_KIND: Final[Mapping[PrincipalKind, Reasons]] = MappingProxyType(
    {
        PrincipalKind.ROOT_USER: _ROOT_USER | _NO_SESSION,
        PrincipalKind.ASSUMED_ROOT: _ROOT_USER,
        PrincipalKind.FEDERATED_ROOT: _ROOT_USER,
        PrincipalKind.USER: _NO_SESSION,
        PrincipalKind.ROLE_SESSION: {},
        PrincipalKind.FEDERATED_USER: {},
        PrincipalKind.SERVICE_LINKED_ROLE: {
            PolicyType.PERMISSIONS_BOUNDARIES: "a service-linked role has none",
            PolicyType.SERVICE_CONTROL: "a service-linked role is not bound",
            PolicyType.RESOURCE_CONTROL: "a service-linked role is not bound",
        },
        PrincipalKind.SERVICE: _NO_ACCOUNT,
        PrincipalKind.IDENTITY_PROVIDER: _NO_ACCOUNT,
        PrincipalKind.ANONYMOUS: _NO_ACCOUNT,
    }
)
"""
What never binds a kind of principal, with the reason.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html#not-restricted-by-scp
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html#actions-not-restricted-by-rcps
"""

_NO_PERMISSION: Final[Reasons] = MappingProxyType(
    {
        # what travels through an endpoint is still held to its policy: nothing says otherwise
        policy_type: "no permission is needed"
        for policy_type in PolicyType
        if policy_type is not PolicyType.VPC_ENDPOINT
    }
)

_LINKED_ROLE: Final = ":role/aws-service-role/"
_MANAGED_ALIAS: Final = ":alias/aws/"


def idle_types(request: AccessRequest, action: str, account: str | None) -> Reasons:
    """
    Return the kinds of policies that have no say in a request, with the reason.

    Args:
        request: The request.
        action: Its action in lower case.
        account: The account that owns its resource, as far as that is known.
    """
    principal = request.principal
    if principal.is_of_account and needs_no_permission(action):
        return _NO_PERMISSION
    idle = _BY_KIND[principal.kind]
    further: dict[PolicyType, str] = {}
    if request.caller is not None and request.caller.is_management:
        further[PolicyType.SERVICE_CONTROL] = "the principal is of the management account"
    elif is_free_of_service_control(action):
        further[PolicyType.SERVICE_CONTROL] = "the service is not bound"
    reason = _out_of_resource_control(request, action)
    if reason is not None:
        further[PolicyType.RESOURCE_CONTROL] = reason
    if principal.is_root and account == principal.account and unlocks_resource_policy(action):
        further[PolicyType.RESOURCE] = "the root user of the owner mends it in any case"
    return {**idle, **further} if further else idle


def _out_of_resource_control(request: AccessRequest, action: str) -> str | None:
    if request.owner is not None and request.owner.is_management:
        return "the resource is of the management account"
    if not is_covered(action):
        return "the action is not covered"
    if request.aws_managed_key or (_MANAGED_ALIAS in request.resource and action.startswith("kms:")):
        return "the key is managed by AWS"
    if _LINKED_ROLE in request.resource and action.startswith("sts:"):
        return "a service-linked role is assumed in any case"
    return None
