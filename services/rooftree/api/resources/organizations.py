"""
Organizations: their nodes below each other, and the policies on them.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from rooftree.api.endpoint import JSON, Asked, Endpoint, NoParameters, OrganizationQuery, PageQuery
from rooftree.api.query import decode_cursor, encode_cursor
from rooftree.contracts.fields import ParentId
from rooftree.contracts.resources.envelopes import Page
from rooftree.contracts.resources.organizations import (
    InheritedPolicy,
    Node,
    Organization,
    OrganizationTree,
    Policy,
    PolicyDetail,
    PolicyName,
    PolicyVersion,
    TreeNode,
)
from rooftree.contracts.snapshot import SnapshotDocument
from rooftree.errors import InputError
from rooftree.inquiry.documents import organization_answer
from rooftree.inquiry.jobs import Export
from rooftree.inquiry.nodes import OrganizationTree as Nodes
from rooftree.organization.documents import BUILTIN_POLICIES
from rooftree.organization.identifiers import is_root
from rooftree.organization.timestamps import format_time
from rooftree.organization.tree import Organization as Facts
from rooftree.policy.strict_json import load_json
from rooftree.reading.reader import Reader

__all__ = ["ENDPOINTS"]

_PolicyId = Annotated[str, Field(pattern="^p-[0-9a-zA-Z_]{8,128}$")]


class NodeQuery(OrganizationQuery):
    """
    Which root or organizational unit is meant.
    """

    node_id: ParentId


class PolicyQuery(OrganizationQuery):
    """
    Which policy is meant.
    """

    policy_id: _PolicyId


async def list_organizations(asked: Asked[NoParameters, None]) -> Page[Organization]:
    """
    List the organizations that the caller may see.
    """
    found = [organization_answer(record) for record in await asked.reader.organizations()]
    return Page[Organization](items=found, next=None)


async def show_tree(asked: Asked[OrganizationQuery, None]) -> OrganizationTree:
    """
    Return the nodes of an organization below each other.
    """
    facts, counts = await _frame(asked.reader, asked.organization_id)
    nodes = Nodes(facts)
    root_id = _root(nodes)
    return OrganizationTree(
        organization_id=asked.organization_id,
        management_account_id=facts.management_account_id,
        partition=facts.partition,
        root=_tree_node(nodes, root_id, counts),
    )


async def export_snapshot(asked: Asked[OrganizationQuery, None]) -> Response:
    """
    Return the whole organization as a snapshot.
    """
    content = await asked.backing.jobs.run(Export(asked.organization_id), asked.caller.organizations)
    return Response(content, media_type=JSON)


async def show_node(asked: Asked[NodeQuery, None]) -> Node:
    """
    Return one root or organizational unit.
    """
    facts, counts = await _frame(asked.reader, asked.organization_id)
    nodes, node_id = Nodes(facts), asked.parameters.node_id
    if not facts.registers.is_present(node_id):
        raise HTTPException(404, f"no node `{node_id}` in `{asked.organization_id}`")
    path = [node_id]
    while (parent := facts.registers.parent(path[0])) is not None and parent not in path:
        path.insert(0, parent)
    return Node(
        organization_id=asked.organization_id,
        id=node_id,
        kind="root" if is_root(node_id) else "organizational_unit",
        name=facts.name_of(node_id),
        parent_id=path[-2] if len(path) > 1 else None,
        path=path,
        policies=_policy_names(nodes, node_id),
        inherited=[
            InheritedPolicy(id=policy_id, name=name, attached_to=above)
            for above in path[:-1]
            for policy_id, name in nodes.policies(above)
        ],
        organizational_units=[PolicyName(id=unit, name=facts.name_of(unit)) for unit in nodes.units(node_id)],
        account_count=counts.get(node_id, 0),
    )


async def list_policies(asked: Asked[PageQuery, None]) -> Page[Policy]:
    """
    List the policies of an organization by id.
    """
    facts, _ = await _frame(asked.reader, asked.organization_id)
    [after] = decode_cursor(asked.parameters.cursor, 1) if asked.parameters.cursor else [""]
    limit = asked.parameters.limit
    later = [policy_id for policy_id in sorted({*facts.policies(), *BUILTIN_POLICIES}) if policy_id > after]
    targets = _targets(facts)
    found = [_policy(facts, policy_id, targets) for policy_id in later[:limit]]
    more = encode_cursor([later[limit - 1]]) if len(later) > limit else None
    return Page[Policy](items=found, next=more)


async def show_policy(asked: Asked[PolicyQuery, None]) -> PolicyDetail:
    """
    Return one policy with its content.
    """
    facts, _ = await _frame(asked.reader, asked.organization_id)
    policy_id = asked.parameters.policy_id
    policy = facts.policy(policy_id)
    if policy is None:
        raise _no_policy(asked.organization_id, policy_id)
    content = load_json(policy.document.text) if policy.document is not None else None
    described = _policy(facts, policy_id, _targets(facts)).model_dump()
    return PolicyDetail.model_validate({**described, "content": content})


async def list_policy_versions(asked: Asked[PolicyQuery, None]) -> Page[PolicyVersion]:
    """
    List the contents that a policy had where it hung, the latest first.
    """
    policy_id = asked.parameters.policy_id
    found = await asked.reader.policy_versions(asked.organization_id, policy_id)
    if not found:
        # one that is gone still has what it was; one that never hung has nothing, and is there all the same
        facts, _ = await _frame(asked.reader, asked.organization_id)
        if facts.policy(policy_id) is None:
            raise _no_policy(asked.organization_id, policy_id)
    items = [
        PolicyVersion.model_validate(
            {
                "digest": version.digest,
                "since": format_time(version.since) if version.since else None,
                "content": load_json(version.content),
            }
        )
        for version in found
    ]
    return Page[PolicyVersion](items=items, next=None)


def _no_policy(organization_id: str, policy_id: str) -> HTTPException:
    return HTTPException(404, f"no policy `{policy_id}` in `{organization_id}`")


async def _frame(reader: Reader, organization_id: str) -> tuple[Facts, dict[str, int]]:
    """
    Return all of an organization but its accounts, and how many of these stand directly under which node.
    """
    facts = Facts(organization_id, await reader.frame(organization_id))
    gatherings = await reader.gatherings(organization_id)
    return facts, {gathering.node_id: gathering.count for gathering in gatherings}


def _root(nodes: Nodes) -> str:
    try:
        return nodes.root_id
    except InputError as error:
        raise HTTPException(404, str(error)) from error


def _tree_node(nodes: Nodes, node_id: str, counts: dict[str, int]) -> TreeNode:
    return TreeNode(
        id=node_id,
        name=nodes.organization.name_of(node_id),
        policies=_policy_names(nodes, node_id),
        organizational_units=[_tree_node(nodes, unit_id, counts) for unit_id in nodes.units(node_id)],
        account_count=counts.get(node_id, 0),
    )


def _policy_names(nodes: Nodes, node_id: str) -> list[PolicyName]:
    return [PolicyName(id=policy_id, name=name) for policy_id, name in nodes.policies(node_id)]


def _targets(facts: Facts) -> dict[str, list[str]]:
    """
    Return where each policy hangs, FullAWSAccess and its like apart: they hang nearly everywhere.
    """
    found: dict[str, list[str]] = {}
    told = {fact.subject for fact in facts.registers if fact.kind == "attachment"}
    for target in sorted(told):
        for policy_id in facts.attached_ids(target):
            if policy_id not in BUILTIN_POLICIES:
                found.setdefault(policy_id, []).append(target)
    return found


def _policy(facts: Facts, policy_id: str, targets: dict[str, list[str]]) -> Policy:
    policy = facts.policy(policy_id)
    assert policy is not None, "it was listed"
    return Policy(
        organization_id=facts.organization_id,
        id=policy_id,
        name=policy.name,
        type=policy.type,
        aws_managed=policy_id in BUILTIN_POLICIES,
        targets=targets.get(policy_id, []),
    )


ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/organizations",
        "listOrganizations",
        "List the organizations",
        list_organizations,
        answer=Page[Organization],
    ),
    Endpoint(
        "GET",
        "/tree",
        "showTree",
        "Return the nodes of an organization below each other, with the policies on them",
        show_tree,
        answer=OrganizationTree,
        parameters=OrganizationQuery,
        revalidates=True,
    ),
    Endpoint(
        "GET",
        "/snapshot",
        "exportSnapshot",
        "Return the whole organization as a snapshot, good for the commands that work offline",
        export_snapshot,
        answer=SnapshotDocument,
        parameters=OrganizationQuery,
        revalidates=True,
    ),
    Endpoint(
        "GET",
        "/nodes/{node_id}",
        "showNode",
        "Return a root or an organizational unit, with the policies on it and those that reach it from above",
        show_node,
        answer=Node,
        parameters=NodeQuery,
        revalidates=True,
    ),
    Endpoint(
        "GET",
        "/policies",
        "listPolicies",
        "List the policies by id, with the nodes on which they hang",
        list_policies,
        answer=Page[Policy],
        parameters=PageQuery,
        revalidates=True,
    ),
    Endpoint(
        "GET",
        "/policies/{policy_id}",
        "showPolicy",
        "Return a policy with its content",
        show_policy,
        answer=PolicyDetail,
        parameters=PolicyQuery,
        revalidates=True,
    ),
    Endpoint(
        "GET",
        "/policies/{policy_id}/versions",
        "listPolicyVersions",
        "List the contents that a policy has or had where it hung, the latest first",
        list_policy_versions,
        answer=Page[PolicyVersion],
        parameters=PolicyQuery,
        revalidates=True,
    ),
)
