"""
The data of each change event.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from types import MappingProxyType

from pydantic import JsonValue

from rooftree.contracts.change_data import ChangeDataModel, OrganizationChange
from rooftree.contracts.fields import (
    AccountId,
    NodeId,
    OuId,
    ParentId,
    PolicyId,
    PolicyType,
    Text,
)
from rooftree.contracts.principals import PrincipalDeletedData, PrincipalSnapshotData, PrincipalUpdatedData
from rooftree.contracts.probes import ProbeRemovedData, ProbeSetData
from rooftree.contracts.rereads import RereadAnsweredData, RereadAskedData
from rooftree.contracts.snapshot import SnapshotDocument
from rooftree.errors import PolicyError
from rooftree.organization import changes
from rooftree.organization.changes import ChangeData, ChangeType
from rooftree.organization.documents import AUTHORIZING_TYPES, accept_content
from rooftree.organization.snapshot_reader import parse_snapshot
from rooftree.policy.document import PolicyKind, read_content

__all__ = [
    "DATA_MODELS",
    "AccountClosedData",
    "AccountCreatedData",
    "AccountMovedData",
    "AccountRemovedData",
    "AccountUpdatedData",
    "ChangeDataModel",
    "OuCreatedData",
    "OuDeletedData",
    "OuRenamedData",
    "PolicyAttachedData",
    "PolicyCreatedData",
    "PolicyDeletedData",
    "PolicyDetachedData",
    "PolicyTypeDisabledData",
    "PolicyTypeEnabledData",
    "PolicyUpdatedData",
    "SnapshotData",
]


class _AccountChange(OrganizationChange, ABC):
    account_id: AccountId
    name: Text | None = None
    email: Text | None = None
    parent_id: ParentId | None = None
    status: Text | None = None

    def _fields(self) -> tuple[str, str | None, str | None, str | None, str | None]:
        return (self.account_id, self.name, self.email, self.parent_id, self.status)


class AccountCreatedData(_AccountChange):
    """
    An account was created or has joined; without a parent it starts at the root.
    """

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.AccountCreated(*self._fields())


class AccountUpdatedData(_AccountChange):
    """
    What is given about an account has changed.
    """

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.AccountUpdated(*self._fields())


class AccountMovedData(_AccountChange):
    """
    An account has got the given parent.
    """

    parent_id: ParentId

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.AccountMoved(*self._fields())


class AccountClosedData(_AccountChange):
    """
    An account was closed; it stays in the tree until it is removed.
    """

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.AccountClosed(*self._fields())


class AccountRemovedData(OrganizationChange):
    """
    An account has left the organization or was removed from it.
    """

    account_id: AccountId

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.AccountRemoved(self.account_id)


class OuCreatedData(OrganizationChange):
    """
    An organizational unit was created.
    """

    ou_id: OuId
    parent_id: ParentId
    name: Text | None = None

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.OuCreated(self.ou_id, self.parent_id, self.name)


class OuRenamedData(OrganizationChange):
    """
    An organizational unit has got another name.
    """

    ou_id: OuId
    name: Text
    parent_id: ParentId | None = None

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.OuRenamed(self.ou_id, self.name, self.parent_id)


class OuDeletedData(OrganizationChange):
    """
    An organizational unit was deleted.
    """

    ou_id: OuId

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.OuDeleted(self.ou_id)


class PolicyCreatedData(OrganizationChange):
    """
    A policy was created. Of a type that authorizes, the content is the policy as an object or as its JSON text.
    """

    policy_id: PolicyId
    policy_type: PolicyType
    name: Text | None = None
    content: JsonValue = None

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        kind = AUTHORIZING_TYPES.get(self.policy_type)
        content = None if kind is None else _accept(self.content, kind)
        return changes.PolicyCreated(self.policy_id, self.policy_type, self.name, content)


class PolicyUpdatedData(OrganizationChange):
    """
    What is given about a policy has changed.
    """

    policy_id: PolicyId
    policy_type: PolicyType | None = None
    name: Text | None = None
    content: JsonValue = None

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.PolicyUpdated(self.policy_id, self.policy_type, self.name, self._content())

    def _content(self) -> str | None:
        if self.content is None:
            return None
        if self.policy_type is None:
            return _accept_untyped(self.content)
        kind = AUTHORIZING_TYPES.get(self.policy_type)
        return None if kind is None else _accept(self.content, kind)


class PolicyDeletedData(OrganizationChange):
    """
    A policy was deleted.
    """

    policy_id: PolicyId

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.PolicyDeleted(self.policy_id)


class PolicyAttachedData(OrganizationChange):
    """
    A policy was attached to a root, an organizational unit or an account.
    """

    policy_id: PolicyId
    target_id: NodeId

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.PolicyAttached(self.policy_id, self.target_id)


class PolicyDetachedData(OrganizationChange):
    """
    A policy was detached from a root, an organizational unit or an account.
    """

    policy_id: PolicyId
    target_id: NodeId

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.PolicyDetached(self.policy_id, self.target_id)


class PolicyTypeEnabledData(OrganizationChange):
    """
    A policy type was enabled: every node has its full-access policy and nothing else of the type.
    """

    policy_type: PolicyType

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.PolicyTypeEnabled(self.policy_type)


class PolicyTypeDisabledData(OrganizationChange):
    """
    A policy type was disabled: all attachments of its policies are gone.
    """

    policy_type: PolicyType

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.PolicyTypeDisabled(self.policy_type)


class SnapshotData(ChangeDataModel, SnapshotDocument):
    """
    The whole truth about an organization at the time of the event.
    """

    @property
    def subject_organization(self) -> str:
        """
        The organization that has changed.
        """
        return self.organization.id

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        return changes.SnapshotTaken(parse_snapshot(self.model_dump()))


DATA_MODELS: Mapping[str, type[ChangeDataModel]] = MappingProxyType(
    {
        ChangeType.SNAPSHOT: SnapshotData,
        ChangeType.ACCOUNT_CREATED: AccountCreatedData,
        ChangeType.ACCOUNT_UPDATED: AccountUpdatedData,
        ChangeType.ACCOUNT_MOVED: AccountMovedData,
        ChangeType.ACCOUNT_CLOSED: AccountClosedData,
        ChangeType.ACCOUNT_REMOVED: AccountRemovedData,
        ChangeType.OU_CREATED: OuCreatedData,
        ChangeType.OU_RENAMED: OuRenamedData,
        ChangeType.OU_DELETED: OuDeletedData,
        ChangeType.POLICY_CREATED: PolicyCreatedData,
        ChangeType.POLICY_UPDATED: PolicyUpdatedData,
        ChangeType.POLICY_DELETED: PolicyDeletedData,
        ChangeType.POLICY_ATTACHED: PolicyAttachedData,
        ChangeType.POLICY_DETACHED: PolicyDetachedData,
        ChangeType.POLICY_TYPE_ENABLED: PolicyTypeEnabledData,
        ChangeType.POLICY_TYPE_DISABLED: PolicyTypeDisabledData,
        ChangeType.PRINCIPALS: PrincipalSnapshotData,
        ChangeType.PRINCIPAL_UPDATED: PrincipalUpdatedData,
        ChangeType.PRINCIPAL_DELETED: PrincipalDeletedData,
        ChangeType.PROBE_SET: ProbeSetData,
        ChangeType.PROBE_REMOVED: ProbeRemovedData,
        ChangeType.REREAD_ASKED: RereadAskedData,
        ChangeType.REREAD_ANSWERED: RereadAnsweredData,
    }
)


def _accept(content: JsonValue | dict[str, object], kind: PolicyKind) -> str:
    top = _top(content)
    try:
        return accept_content(top, kind)
    except PolicyError as error:
        raise error.within("content") from error


def _top(content: JsonValue | dict[str, object]) -> dict[str, object]:
    if not isinstance(content, str | dict):
        raise PolicyError("expected a policy, as an object or as JSON text", place="content")
    try:
        return read_content(content)
    except PolicyError as error:
        raise error.within("content") from error


def _accept_untyped(content: JsonValue) -> str | None:
    """
    Accept a policy whose type the event does not tell: AWS names only what has changed.

    Policies of types that configure services are let through without being kept, as where their type is told.
    """
    top = _top(content)
    if "Statement" not in top:
        return None
    try:
        return accept_content(top, PolicyKind.RESOURCE_CONTROL)
    except PolicyError:
        return _accept(top, PolicyKind.SERVICE_CONTROL)
