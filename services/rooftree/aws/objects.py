"""
Single objects of an organization, read by API.

Each function tells what there is now; None for what there is not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Final, TypeVar

from rooftree.aws.calls import Calls
from rooftree.errors import RefusedCallError
from rooftree.organization.documents import AUTHORIZING_TYPES

__all__ = [
    "AUTHORIZING",
    "account_fields",
    "read_account",
    "read_attached",
    "read_parent",
    "read_policy",
    "read_targets",
    "read_unit",
    "told_status",
    "unless_missing",
]

AUTHORIZING: Final = tuple(AUTHORIZING_TYPES)
"""The types of policies that decide something: all others are left alone."""

MISSING: Final = frozenset(
    {
        "AccountNotFoundException",
        "ChildNotFoundException",
        "OrganizationalUnitNotFoundException",
        "ParentNotFoundException",
        "PolicyNotFoundException",
        "TargetNotFoundException",
    }
)

_Fields = dict[str, object]
_T = TypeVar("_T")


def told_status(account: Mapping[str, Any]) -> str:
    """
    Return the state of an account; the older field counts where AWS does not tell the newer one.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html
    """
    return str(account.get("State") or account.get("Status") or "ACTIVE")


async def read_account(calls: Calls, account_id: str) -> _Fields | None:
    """
    Return an account as it stands in a snapshot.
    """
    told = await unless_missing(calls.ask("DescribeAccount", AccountId=account_id))
    parent_id = None if told is None else await read_parent(calls, account_id)
    return None if told is None or parent_id is None else account_fields(told["Account"], parent_id)


async def read_unit(calls: Calls, unit_id: str) -> _Fields | None:
    """
    Return an organizational unit as it stands in a snapshot.
    """
    told = await unless_missing(calls.ask("DescribeOrganizationalUnit", OrganizationalUnitId=unit_id))
    parent_id = None if told is None else await read_parent(calls, unit_id)
    if told is None or parent_id is None:
        return None
    return {"id": unit_id, "name": told["OrganizationalUnit"]["Name"], "parent_id": parent_id}


async def read_parent(calls: Calls, child_id: str) -> str | None:
    """
    Return the parent of an account or an organizational unit.
    """
    parents = await unless_missing(calls.entries("ListParents", "Parents", ChildId=child_id))
    return str(parents[0]["Id"]) if parents else None


async def read_policy(calls: Calls, policy_id: str) -> _Fields | None:
    """
    Return a policy as it stands in a snapshot, content included.
    """
    told = await unless_missing(calls.ask("DescribePolicy", PolicyId=policy_id))
    if told is None:
        return None
    summary = told["Policy"]["PolicySummary"]
    fields = {"id": policy_id, "name": summary["Name"], "type": summary["Type"]}
    return {**fields, "content": told["Policy"]["Content"]}


async def read_attached(calls: Calls, node_id: str) -> frozenset[str] | None:
    """
    Return the ids of the policies that hang on a node itself, of the types that decide something.
    """
    found: set[str] = set()
    for policy_type in AUTHORIZING:
        asked = calls.entries("ListPoliciesForTarget", "Policies", TargetId=node_id, Filter=policy_type)
        policies = await unless_missing(asked)
        if policies is None:
            return None
        found |= {str(policy["Id"]) for policy in policies}
    return frozenset(found)


async def read_targets(calls: Calls, policy_id: str) -> frozenset[str] | None:
    """
    Return the ids of the nodes that a policy hangs on.
    """
    targets = await unless_missing(calls.entries("ListTargetsForPolicy", "Targets", PolicyId=policy_id))
    return None if targets is None else frozenset(str(target["TargetId"]) for target in targets)


def account_fields(told: Mapping[str, Any], parent_id: str) -> _Fields:
    """
    Return an account as it stands in a snapshot.
    """
    fields = {"id": told["Id"], "name": told.get("Name"), "email": told.get("Email"), "parent_id": parent_id}
    return {**{name: value for name, value in fields.items() if value}, "status": told_status(told)}


async def unless_missing(asked: Awaitable[_T]) -> _T | None:
    """
    Return an answer, or None where AWS says that the object does not exist.
    """
    try:
        return await asked
    except RefusedCallError as error:
        if error.code in MISSING:
            return None
        raise
