"""
What a principal asks of a resource, with what is known of the accounts on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from rooftree.authorization.patterns import Entries
from rooftree.authorization.principal import Principal
from rooftree.policy.context import Context

__all__ = [
    "AccessRequest",
    "Membership",
    "account_of_resource",
    "determined_keys",
    "is_within_account",
    "partition_of_resource",
]

ARN_FIELDS: Final = 6
_ACCOUNT_FIELD: Final = 4
_PARTITION_FIELD: Final = 1

_AWS_OWNED: Final = "aws"
"""Stands in an ARN in place of the account where AWS itself owns the resource, as it does its managed policies."""


@dataclass(frozen=True, slots=True)
class Membership:
    """
    An account's place in an organization.

    Attributes:
        path: ``o-…/r-…/ou-…/`` down to the parent of the account, with the slash at the end; None if not known.
        is_management: Whether it is the management account, which neither kind of control policies limits.
    """

    organization_id: str
    path: str | None = None
    is_management: bool = False


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """
    One request.

    Attributes:
        principal: Who asks.
        action: ``service:Name``; case does not matter.
        resource: An ARN, or ``*`` for an action that knows no resources.
        resource_account: The account that owns the resource; where it is not given, the one that the ARN names, or
            else that of the principal.
        context: The condition keys that are known. What the request itself determines is added where it is absent.
        caller: Where the principal's account stands; None for one that is in no organization.
        owner: Where the resource's account stands.
        canonical_user_id: What Amazon S3 calls the principal's account, for policies and ACLs that use it.
        aws_managed_key: Whether the resource is a KMS key that AWS manages, which no ARN tells.
    """

    principal: Principal
    action: str
    resource: str = "*"
    resource_account: str | None = None
    context: Context = field(default_factory=Context)
    caller: Membership | None = None
    owner: Membership | None = None
    canonical_user_id: str | None = None
    aws_managed_key: bool = False


def account_of_resource(request: AccessRequest) -> str | None:
    """
    Return the account that owns the resource of a request, as far as it can be told; ``aws`` for what AWS owns.
    """
    return request.resource_account or _field(request.resource, _ACCOUNT_FIELD) or request.principal.account


def is_within_account(principal: Principal, owner: str | None) -> bool:
    """
    Tell whether the principal's account alone decides on what *owner* owns: its own, and what AWS owns.

    AWS lets every account use what it owns: there is no policy on it that would have to allow.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
    """
    return owner in (principal.account, _AWS_OWNED)


def partition_of_resource(resource: str) -> str | None:
    """
    Return the AWS partition that an ARN is of.
    """
    return _field(resource, _PARTITION_FIELD) or None


def determined_keys(request: AccessRequest, account: str | None) -> Entries:
    """
    Return the condition keys of a request in lower case: those given, and those that the request determines.

    Keys about organizations are absent for accounts that are in none.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    principal, caller, owner = request.principal, request.caller, request.owner
    keys = dict(principal.keys)
    if caller is not None and principal.is_of_account:
        keys["aws:principalorgid"] = (caller.organization_id,)
        if caller.path is not None:
            keys["aws:principalorgpaths"] = (caller.path,)
    if account is not None:
        keys["aws:resourceaccount"] = (account,)
    if owner is not None:
        keys["aws:resourceorgid"] = (owner.organization_id,)
        if owner.path is not None:
            keys["aws:resourceorgpaths"] = (owner.path,)
    keys.update(request.context.lowered)
    return keys


def _field(arn: str, number: int) -> str | None:
    fields = arn.split(":", ARN_FIELDS - 1)
    return fields[number] if len(fields) == ARN_FIELDS else None
