"""
A snapshot taken of an organization in memory.
"""

from __future__ import annotations

from rooftree.errors import SnapshotError
from rooftree.organization.documents import AUTHORIZING_TYPES, BUILTIN_POLICIES
from rooftree.organization.facts import Attribute, FactKind
from rooftree.organization.snapshot import (
    FEATURE_SETS,
    Snapshot,
    SnapshotAccount,
    SnapshotAttachment,
    SnapshotPolicy,
    SnapshotUnit,
)
from rooftree.organization.survey import Survey
from rooftree.organization.tree import Organization
from rooftree.policy.partitions import DEFAULT_PARTITION

__all__ = ["take_snapshot", "told_partition"]


def take_snapshot(organization: Organization) -> Snapshot:
    """
    Return all of the organization that is in effect; what waits for something unknown is left out.

    Raises:
        SnapshotError: Its root or its management account has not been told yet.
    """
    registers = organization.registers
    root_id = registers.root()
    if root_id is None:
        raise SnapshotError("the root is not known yet", place="root.id")
    management_account_id = organization.management_account_id
    if management_account_id is None:
        raise SnapshotError("the management account is not known yet", place="organization.management_account_id")
    survey = Survey(organization)
    units = _units(organization, survey)
    accounts = _accounts(organization, survey)
    policies = _policies(organization)
    nodes = [root_id, *(unit.id for unit in units), *(account.id for account in accounts)]
    return Snapshot(
        organization_id=organization.organization_id,
        management_account_id=management_account_id,
        feature_set=registers.text(FactKind.ORGANIZATION, organization.organization_id, Attribute.FEATURE_SET)
        or FEATURE_SETS[0],
        root_id=root_id,
        policy_types=tuple(organization.policy_types()),
        organizational_units=units,
        accounts=accounts,
        policies=policies,
        attachments=_attachments(organization, nodes, {policy.id for policy in policies} | BUILTIN_POLICIES.keys()),
        partition=told_partition(organization.partition),
    )


def told_partition(partition: str) -> str | None:
    """
    Return what a snapshot tells of its partition: nothing of the one that is taken for granted.
    """
    return None if partition == DEFAULT_PARTITION else partition


def _units(organization: Organization, survey: Survey) -> tuple[SnapshotUnit, ...]:
    return tuple(
        SnapshotUnit(unit_id, organization.name_of(unit_id), path[-2])
        for unit_id in sorted(organization.units())
        if (path := survey.path(unit_id)) is not None
    )


def _accounts(organization: Organization, survey: Survey) -> tuple[SnapshotAccount, ...]:
    registers = organization.registers
    return tuple(
        SnapshotAccount(
            id=account_id,
            name=registers.text(FactKind.ACCOUNT, account_id, Attribute.NAME),
            email=registers.text(FactKind.ACCOUNT, account_id, Attribute.EMAIL),
            parent_id=path[-2],
            status=registers.status(account_id),
        )
        for account_id in sorted(organization.accounts())
        if (path := survey.path(account_id)) is not None
    )


def _policies(organization: Organization) -> tuple[SnapshotPolicy, ...]:
    found = []
    for policy_id in sorted(organization.policies()):
        policy = organization.policy(policy_id)
        if policy is None or not policy.type or policy_id in BUILTIN_POLICIES:
            continue
        if policy.document is not None or policy.type not in AUTHORIZING_TYPES:
            content = policy.document.text if policy.document is not None else None
            found.append(SnapshotPolicy(policy_id, policy.name, policy.type, content))
    return tuple(found)


def _attachments(organization: Organization, nodes: list[str], policies: set[str]) -> tuple[SnapshotAttachment, ...]:
    return tuple(
        SnapshotAttachment(policy_id, node)
        for node in nodes
        for policy_id in organization.attached_ids(node)
        if policy_id in policies
    )
