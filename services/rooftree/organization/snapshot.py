"""
The whole of an organization at one moment, as one JSON document.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

__all__ = [
    "FEATURE_SETS",
    "Snapshot",
    "SnapshotAccount",
    "SnapshotAttachment",
    "SnapshotPolicy",
    "SnapshotUnit",
]

# https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html
FEATURE_SETS = ("ALL", "CONSOLIDATED_BILLING")


@dataclass(frozen=True, slots=True)
class SnapshotUnit:
    """
    An organizational unit.
    """

    id: str
    name: str
    parent_id: str


@dataclass(frozen=True, slots=True)
class SnapshotAccount:
    """
    An account; what the document leaves out is None.
    """

    id: str
    name: str | None
    email: str | None
    parent_id: str
    status: str | None


@dataclass(frozen=True, slots=True)
class SnapshotPolicy:
    """
    A policy.

    Attributes:
        content: The canonical text of the document; None for a type that does not authorize.
    """

    id: str
    name: str
    type: str
    content: str | None


@dataclass(frozen=True, slots=True)
class SnapshotAttachment:
    """
    A policy on a node.
    """

    policy_id: str
    target_id: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    An organization, free of contradictions.

    Attributes:
        policy_types: The types that are enabled on the root.
        accounts: The accounts, of which the management account need not be one.
        partition: The AWS partition; None where the document does not tell it.
    """

    organization_id: str
    management_account_id: str
    feature_set: str
    root_id: str
    policy_types: tuple[str, ...]
    organizational_units: tuple[SnapshotUnit, ...]
    accounts: tuple[SnapshotAccount, ...]
    policies: tuple[SnapshotPolicy, ...]
    attachments: tuple[SnapshotAttachment, ...]
    partition: str | None = None

    @property
    def organization(self) -> dict[str, object]:
        """
        The organization itself as it stands in the document.
        """
        told: dict[str, object] = {
            "id": self.organization_id,
            "management_account_id": self.management_account_id,
            "feature_set": self.feature_set,
        }
        return told if self.partition is None else {**told, "partition": self.partition}

    def to_json(self) -> dict[str, object]:
        """
        Return the document that reads as this snapshot.
        """
        return {
            "organization": self.organization,
            "root": {"id": self.root_id, "policy_types": list(self.policy_types)},
            "organizational_units": [
                {"id": unit.id, "name": unit.name, "parent_id": unit.parent_id} for unit in self.organizational_units
            ],
            "accounts": [_account_json(account) for account in self.accounts],
            "policies": [_policy_json(policy) for policy in self.policies],
            "attachments": [
                {"policy_id": attachment.policy_id, "target_id": attachment.target_id}
                for attachment in self.attachments
            ],
        }


def _account_json(account: SnapshotAccount) -> dict[str, object]:
    fields = {
        "id": account.id,
        "name": account.name,
        "email": account.email,
        "parent_id": account.parent_id,
        "status": account.status,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _policy_json(policy: SnapshotPolicy) -> dict[str, object]:
    fields: dict[str, object] = {"id": policy.id, "name": policy.name, "type": policy.type}
    if policy.content is not None:
        fields["content"] = json.loads(policy.content)
    return fields
