"""
The document that holds a whole organization.

The models say what it looks like. What its parts must agree on is checked by `rooftree.organization.snapshot_reader`.
"""

from __future__ import annotations

from pydantic import Field, JsonValue

from rooftree.contracts.fields import (
    AccountId,
    Inbound,
    NodeId,
    OrganizationId,
    OuId,
    ParentId,
    PartitionName,
    PolicyId,
    PolicyType,
    RootId,
    Text,
)

__all__ = [
    "SnapshotAccountModel",
    "SnapshotAttachmentModel",
    "SnapshotDocument",
    "SnapshotOrganizationModel",
    "SnapshotPolicyModel",
    "SnapshotRootModel",
    "SnapshotUnitModel",
]


class SnapshotOrganizationModel(Inbound):
    """
    The organization itself.
    """

    id: OrganizationId
    management_account_id: AccountId
    feature_set: Text = "ALL"
    partition: PartitionName | None = Field(
        default=None,
        description="The AWS partition; if it is not told, what is known of it already, or else `aws`.",
    )


class SnapshotRootModel(Inbound):
    """
    The root, with the policy types that are enabled on it.
    """

    id: RootId
    policy_types: list[PolicyType] = Field(default_factory=list)


class SnapshotUnitModel(Inbound):
    """
    An organizational unit.
    """

    id: OuId
    name: Text
    parent_id: ParentId


class SnapshotAccountModel(Inbound):
    """
    An account.
    """

    id: AccountId
    name: Text | None = None
    email: Text | None = None
    parent_id: ParentId
    status: Text | None = None


class SnapshotPolicyModel(Inbound):
    """
    A policy. Of a type that authorizes, the content is the policy as an object or as its JSON text.
    """

    id: PolicyId
    name: Text | None = None
    type: PolicyType
    content: JsonValue = None


class SnapshotAttachmentModel(Inbound):
    """
    A policy on a node.
    """

    policy_id: PolicyId
    target_id: NodeId


class SnapshotDocument(Inbound):
    """
    A whole organization at one moment.
    """

    organization: SnapshotOrganizationModel
    root: SnapshotRootModel
    organizational_units: list[SnapshotUnitModel] = Field(default_factory=list)
    accounts: list[SnapshotAccountModel]
    policies: list[SnapshotPolicyModel] = Field(default_factory=list)
    attachments: list[SnapshotAttachmentModel] = Field(default_factory=list)
