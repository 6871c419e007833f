"""
The whole of an organization at one moment, as one JSON document.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Snapshot",
    "SnapshotAccount",
    "SnapshotAttachment",
    "SnapshotPolicy",
    "SnapshotUnit",
]


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
