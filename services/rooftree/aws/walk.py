"""
A whole organization, read by API.

AWS has no call that tells all of it as of one moment, so a walk reads part after part while others go on changing it.
What it promises: each part is at least as new as the moment at which the walk began. An object that moves away from
where the walk has yet to look, to where it has looked already, is looked for by itself; what vanishes on the way is
left out.

Policies are asked for their targets, not nodes for their policies: there are far fewer of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rooftree.aws.calls import Calls, together
from rooftree.aws.objects import (
    AUTHORIZING,
    account_fields,
    read_parent,
    read_policy,
    read_targets,
    read_unit,
    unless_missing,
)
from rooftree.errors import RefusedCallError, RooftreeError, UnavailableError
from rooftree.organization.documents import BUILTIN_POLICIES
from rooftree.policy.builtin import FULL_AWS_ACCESS_ID
from rooftree.policy.partitions import partition_in

__all__ = ["Walk", "walk_organization"]

ALL_FEATURES: Final = "ALL"
# The newer types are not offered everywhere; where nobody can have enabled one, nothing of it is missed.
NOT_OFFERED: Final = frozenset({"InvalidInputException", "UnsupportedAPIEndpointException"})

_Fields = dict[str, object]


@dataclass(frozen=True, slots=True)
class Walk:
    """
    What was read.

    Attributes:
        document: The organization as a snapshot.
        began: The moment, by the clock of AWS, that every part of it is at least as new as.
    """

    document: Mapping[str, object]
    began: datetime


async def walk_organization(calls: Calls) -> Walk:
    """
    Read an organization.

    Raises:
        RefusedCallError: A permission is missing, or the account is in no organization.
        UnavailableError: AWS does not answer.
    """
    calls.expect(2)
    organization = (await calls.ask("DescribeOrganization"))["Organization"]
    roots = await calls.entries("ListRoots", "Roots")
    if not roots or calls.began is None:
        raise UnavailableError("AWS: ListRoots: tells no root")
    [root, *_] = roots
    enabled = frozenset(kind["Type"] for kind in root.get("PolicyTypes", ()) if kind["Status"] == "ENABLED")
    if organization["FeatureSet"] != ALL_FEATURES:
        enabled = frozenset()
    nodes = _Nodes(calls, str(root["Id"]))
    await nodes.read()
    policies, attachments = await _read_policies(calls, enabled)
    known = {root["Id"], *nodes.units, *nodes.accounts}
    document = {
        "organization": {
            "id": organization["Id"],
            "management_account_id": organization["MasterAccountId"],
            "feature_set": organization["FeatureSet"],
            "partition": partition_in(organization["Arn"]),
        },
        "root": {"id": root["Id"], "policy_types": sorted(enabled)},
        "organizational_units": [nodes.units[unit_id] for unit_id in sorted(nodes.units)],
        "accounts": [nodes.accounts[account_id] for account_id in sorted(nodes.accounts)],
        "policies": policies,
        # A target that is not known was made after the walk had passed, and gets its own events.
        "attachments": [each for each in attachments if each["target_id"] in known],
    }
    return Walk(document, calls.began)


class _Nodes:
    """
    The tree, as far as it was read.
    """

    def __init__(self, calls: Calls, root_id: str) -> None:
        self._calls = calls
        self._root_id = root_id
        self.units: dict[str, _Fields] = {}
        self.accounts: dict[str, _Fields] = {}

    async def read(self) -> None:
        self._calls.expect(1)
        told = {str(account["Id"]): account for account in await self._calls.entries("ListAccounts", "Accounts")}
        await self._read_units(self._root_id)
        parents = {account_id: _parent_of_path(account) for account_id, account in told.items()}
        if None in parents.values():
            # An older AWS does not tell where an account stands: each node is asked for those below it.
            found = await self._read_accounts([self._root_id, *self.units])
            told = {**found, **told}
            parents = {account_id: found.get(account_id, {}).get("parent_id") for account_id in told}
        for account_id, account in told.items():
            parent_id = parents[account_id] or await read_parent(self._calls, account_id)
            if parent_id is not None and await self._is_placed(parent_id):
                self.accounts[account_id] = account_fields(account, parent_id)

    async def _read_units(self, root_id: str) -> None:
        level = [root_id]
        while level:
            self._calls.expect(len(level))
            found = await together(self._units_below(parent_id) for parent_id in level)
            level = []
            for unit in (unit for units in found for unit in units):
                self.units[str(unit["id"])] = unit
                level.append(str(unit["id"]))

    async def _units_below(self, parent_id: str) -> list[_Fields]:
        units = await unless_missing(
            self._calls.entries("ListOrganizationalUnitsForParent", "OrganizationalUnits", ParentId=parent_id)
        )
        return [{"id": unit["Id"], "name": unit["Name"], "parent_id": parent_id} for unit in units or ()]

    async def _read_accounts(self, parents: Sequence[str]) -> dict[str, dict[str, Any]]:
        self._calls.expect(len(parents))
        found = await together(self._accounts_below(parent_id) for parent_id in parents)
        return {str(account["Id"]): account for accounts in found for account in accounts}

    async def _accounts_below(self, parent_id: str) -> list[dict[str, Any]]:
        accounts = await unless_missing(self._calls.entries("ListAccountsForParent", "Accounts", ParentId=parent_id))
        return [{**account, "parent_id": parent_id} for account in accounts or ()]

    async def _is_placed(self, node_id: str) -> bool:
        """
        Tell whether a node is known, and read it with all above it if it was made while the walk went on.
        """
        while node_id != self._root_id and node_id not in self.units:
            unit = await read_unit(self._calls, node_id)
            if unit is None:
                return False
            self.units[node_id] = unit
            node_id = str(unit["parent_id"])
        return True


def _parent_of_path(account: Mapping[str, Any]) -> str | None:
    # o-…/r-…/ou-…/123456789012/
    paths = account.get("Paths") or ()
    return str(paths[0]).rstrip("/").split("/")[-2] if paths else None


async def _read_policies(calls: Calls, enabled: frozenset[str]) -> tuple[list[_Fields], list[_Fields]]:
    """
    Return the policies of the organization's own making, and where all of them hang.
    """
    listed: dict[str, str] = {}
    for policy_type in AUTHORIZING:
        calls.expect(1)
        listed |= dict.fromkeys(await _policy_ids(calls, policy_type, enabled), policy_type)
    own = [policy_id for policy_id in sorted(listed) if policy_id not in BUILTIN_POLICIES]
    hanging = [
        policy_id
        for policy_id in sorted(listed)
        # RCPFullAWSAccess hangs everywhere as long as the type is enabled, and nobody can take it away.
        if listed[policy_id] in enabled and (policy_id in own or policy_id == FULL_AWS_ACCESS_ID)
    ]
    calls.expect(len(own) + len(hanging))
    contents = asyncio.ensure_future(together(read_policy(calls, policy_id) for policy_id in own))
    try:
        targets = await together(read_targets(calls, policy_id) for policy_id in hanging)
        policies = [policy for policy in await contents if policy is not None]
    finally:
        contents.cancel()
        with suppress(asyncio.CancelledError, RooftreeError):
            await contents
    there = {str(policy["id"]) for policy in policies} | BUILTIN_POLICIES.keys()
    attachments: list[_Fields] = [
        {"policy_id": policy_id, "target_id": target_id}
        for policy_id, found in zip(hanging, targets, strict=True)
        for target_id in sorted(found or ())
        if policy_id in there
    ]
    return policies, attachments


async def _policy_ids(calls: Calls, policy_type: str, enabled: frozenset[str]) -> list[str]:
    try:
        policies = await calls.entries("ListPolicies", "Policies", Filter=policy_type)
    except RefusedCallError as error:
        if policy_type not in enabled and error.code in NOT_OFFERED:
            return []
        raise
    return [str(policy["Id"]) for policy in policies]
