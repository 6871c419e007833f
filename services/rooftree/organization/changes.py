"""
The changes of an organization, one type an event of the contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from rooftree.organization.facts import Version
from rooftree.organization.principals import Attributes
from rooftree.organization.probes import Probe
from rooftree.organization.rereads import RereadRequest
from rooftree.organization.snapshot import Snapshot

__all__ = [
    "CHANGE_TYPES",
    "AccountClosed",
    "AccountCreated",
    "AccountMoved",
    "AccountRemoved",
    "AccountUpdated",
    "Change",
    "ChangeData",
    "ChangeType",
    "OuCreated",
    "OuDeleted",
    "OuRenamed",
    "PolicyAttached",
    "PolicyCreated",
    "PolicyDeleted",
    "PolicyDetached",
    "PolicyTypeDisabled",
    "PolicyTypeEnabled",
    "PolicyUpdated",
    "PrincipalChange",
    "PrincipalDeleted",
    "PrincipalUpdated",
    "PrincipalsTaken",
    "ProbeRemoved",
    "ProbeSet",
    "RereadAnswered",
    "RereadAsked",
    "SnapshotTaken",
]


class ChangeType(StrEnum):
    """
    The event types that change an organization.
    """

    SNAPSHOT = "rooftree.organization.snapshot.v1"
    ACCOUNT_CREATED = "rooftree.account.created.v1"
    ACCOUNT_UPDATED = "rooftree.account.updated.v1"
    ACCOUNT_MOVED = "rooftree.account.moved.v1"
    ACCOUNT_CLOSED = "rooftree.account.closed.v1"
    ACCOUNT_REMOVED = "rooftree.account.removed.v1"
    OU_CREATED = "rooftree.ou.created.v1"
    OU_RENAMED = "rooftree.ou.renamed.v1"
    OU_DELETED = "rooftree.ou.deleted.v1"
    POLICY_CREATED = "rooftree.policy.created.v1"
    POLICY_UPDATED = "rooftree.policy.updated.v1"
    POLICY_DELETED = "rooftree.policy.deleted.v1"
    POLICY_ATTACHED = "rooftree.policy.attached.v1"
    POLICY_DETACHED = "rooftree.policy.detached.v1"
    POLICY_TYPE_ENABLED = "rooftree.policy_type.enabled.v1"
    POLICY_TYPE_DISABLED = "rooftree.policy_type.disabled.v1"
    PRINCIPALS = "rooftree.principal.snapshot.v1"
    PRINCIPAL_UPDATED = "rooftree.principal.updated.v1"
    PRINCIPAL_DELETED = "rooftree.principal.deleted.v1"
    PROBE_SET = "rooftree.probe.set.v1"
    PROBE_REMOVED = "rooftree.probe.removed.v1"
    REREAD_ASKED = "rooftree.reread.asked.v1"
    REREAD_ANSWERED = "rooftree.reread.answered.v1"


@dataclass(frozen=True, slots=True)
class _AccountData:
    account_id: str
    name: str | None = None
    email: str | None = None
    parent_id: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class AccountCreated(_AccountData):
    """
    An account was created or has joined; without a parent it starts at the root.
    """


@dataclass(frozen=True, slots=True)
class AccountUpdated(_AccountData):
    """
    What is given about an account has changed.
    """


@dataclass(frozen=True, slots=True)
class AccountMoved(_AccountData):
    """
    An account has got the given parent.
    """


@dataclass(frozen=True, slots=True)
class AccountClosed(_AccountData):
    """
    An account was closed; it stays in the tree until it is removed.
    """


@dataclass(frozen=True, slots=True)
class AccountRemoved:
    """
    An account has left the organization or was removed from it.
    """

    account_id: str


@dataclass(frozen=True, slots=True)
class OuCreated:
    """
    An organizational unit was created.
    """

    ou_id: str
    parent_id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class OuRenamed:
    """
    An organizational unit has got another name; AWS cannot move one, but a given parent is believed.
    """

    ou_id: str
    name: str
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class OuDeleted:
    """
    An organizational unit was deleted.
    """

    ou_id: str


@dataclass(frozen=True, slots=True)
class PolicyCreated:
    """
    A policy was created.

    Attributes:
        content: The canonical text of the document; None for a type that does not authorize.
    """

    policy_id: str
    policy_type: str
    name: str | None = None
    content: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyUpdated:
    """
    What is given about a policy has changed.

    Attributes:
        content: The canonical text of the document, if it was given and the type authorizes.
    """

    policy_id: str
    policy_type: str | None = None
    name: str | None = None
    content: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyDeleted:
    """
    A policy was deleted.
    """

    policy_id: str


@dataclass(frozen=True, slots=True)
class PolicyAttached:
    """
    A policy was attached to a node.
    """

    policy_id: str
    target_id: str


@dataclass(frozen=True, slots=True)
class PolicyDetached:
    """
    A policy was detached from a node.
    """

    policy_id: str
    target_id: str


@dataclass(frozen=True, slots=True)
class PolicyTypeEnabled:
    """
    A policy type was enabled: every node has its full-access policy and nothing else of the type.
    """

    policy_type: str


@dataclass(frozen=True, slots=True)
class PolicyTypeDisabled:
    """
    A policy type was disabled: all attachments of its policies are gone.
    """

    policy_type: str


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """
    The whole truth about an organization at one moment.
    """

    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class PrincipalsTaken:
    """
    The whole truth about the principals of one account at one moment, or a part of it.

    Attributes:
        subjects: The attributes of each principal and each managed policy.
        documents: The canonical texts of the documents that they name, by digest.
        snapshot_id: What the parts of one snapshot have in common; None for one that is whole.
        part: Which part this is, from 1.
        parts: How many the snapshot has.
    """

    account_id: str
    subjects: Mapping[str, Attributes]
    documents: Mapping[str, str] = field(default_factory=dict)
    snapshot_id: str | None = None
    part: int = 1
    parts: int = 1


@dataclass(frozen=True, slots=True)
class PrincipalUpdated:
    """
    A principal or a managed policy of an account was created, or some of its attributes have changed.

    Attributes:
        attributes: Those that have changed; null or false for what was taken away.
        documents: The canonical texts of the documents that they name, by digest.
        created: Whether it is new, so that it has nothing of what another one of its name had.
    """

    account_id: str
    subject: str
    attributes: Attributes
    documents: Mapping[str, str] = field(default_factory=dict)
    created: bool = False


@dataclass(frozen=True, slots=True)
class PrincipalDeleted:
    """
    A principal or a managed policy of an account was deleted.
    """

    account_id: str
    subject: str


@dataclass(frozen=True, slots=True)
class ProbeSet:
    """
    A decision is to be watched from now on, or another one under the same name.
    """

    probe: Probe


@dataclass(frozen=True, slots=True)
class ProbeRemoved:
    """
    A decision is not to be watched any more.
    """

    name: str


@dataclass(frozen=True, slots=True)
class RereadAsked:
    """
    Nothing is stated, but something is to be read anew by the API of AWS.
    """

    requests: tuple[RereadRequest, ...]


@dataclass(frozen=True, slots=True)
class RereadAnswered:
    """
    Something was read anew, from the time of the change on.
    """

    kind: str
    object_id: str


PrincipalChange: TypeAlias = PrincipalsTaken | PrincipalUpdated | PrincipalDeleted

ChangeData: TypeAlias = (
    AccountCreated
    | AccountUpdated
    | AccountMoved
    | AccountClosed
    | AccountRemoved
    | OuCreated
    | OuRenamed
    | OuDeleted
    | PolicyCreated
    | PolicyUpdated
    | PolicyDeleted
    | PolicyAttached
    | PolicyDetached
    | PolicyTypeEnabled
    | PolicyTypeDisabled
    | SnapshotTaken
    | PrincipalChange
    | ProbeSet
    | ProbeRemoved
    | RereadAsked
    | RereadAnswered
)

CHANGE_TYPES: Final[Mapping[type, ChangeType]] = MappingProxyType(
    {
        SnapshotTaken: ChangeType.SNAPSHOT,
        AccountCreated: ChangeType.ACCOUNT_CREATED,
        AccountUpdated: ChangeType.ACCOUNT_UPDATED,
        AccountMoved: ChangeType.ACCOUNT_MOVED,
        AccountClosed: ChangeType.ACCOUNT_CLOSED,
        AccountRemoved: ChangeType.ACCOUNT_REMOVED,
        OuCreated: ChangeType.OU_CREATED,
        OuRenamed: ChangeType.OU_RENAMED,
        OuDeleted: ChangeType.OU_DELETED,
        PolicyCreated: ChangeType.POLICY_CREATED,
        PolicyUpdated: ChangeType.POLICY_UPDATED,
        PolicyDeleted: ChangeType.POLICY_DELETED,
        PolicyAttached: ChangeType.POLICY_ATTACHED,
        PolicyDetached: ChangeType.POLICY_DETACHED,
        PolicyTypeEnabled: ChangeType.POLICY_TYPE_ENABLED,
        PolicyTypeDisabled: ChangeType.POLICY_TYPE_DISABLED,
        PrincipalsTaken: ChangeType.PRINCIPALS,
        PrincipalUpdated: ChangeType.PRINCIPAL_UPDATED,
        PrincipalDeleted: ChangeType.PRINCIPAL_DELETED,
        ProbeSet: ChangeType.PROBE_SET,
        ProbeRemoved: ChangeType.PROBE_REMOVED,
        RereadAsked: ChangeType.REREAD_ASKED,
        RereadAnswered: ChangeType.REREAD_ANSWERED,
    }
)
"""
What a change is told as, by what it tells.
"""


@dataclass(frozen=True, slots=True)
class Change:
    """
    One change as it was told.

    Attributes:
        event_id: Unique among the changes of *source*.
        source: Who told it.
        type: A `ChangeType`.
        time: When it took effect, in UTC.
        sequence: Orders changes of equal time as text; empty where the source gives none.
        actor: By whose hand, usually an ARN.
        data: What has changed.
        requests: What is to be read anew beside, since it was not told.
        by_the_second: Whether the time is told by the second, and no order within it.
        origin: ``reconciliation`` where nobody told of it and AWS was asked; None for what was told as it happened.
    """

    event_id: str
    source: str
    type: str
    time: datetime
    sequence: str
    organization_id: str
    actor: str | None
    data: ChangeData
    requests: tuple[RereadRequest, ...] = ()
    by_the_second: bool = False
    origin: str | None = None

    def version(self, rank: int) -> Version:
        """
        Return the version of what this change states with *rank*.
        """
        return Version(self.time, self.sequence, rank, self.event_id)
