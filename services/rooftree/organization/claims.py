"""
What a change says, as facts.

Beside what it says outright, a change implies things that AWS sends no event for: FullAWSAccess hangs on whatever is
created, and the attachments of whatever is removed are gone. See ``registers.py`` for what is made of it.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from rooftree.organization.changes import (
    AccountClosed,
    AccountCreated,
    AccountMoved,
    AccountRemoved,
    AccountUpdated,
    Change,
    ChangeData,
    OuCreated,
    OuDeleted,
    OuRenamed,
    PolicyAttached,
    PolicyCreated,
    PolicyDeleted,
    PolicyDetached,
    PolicyTypeDisabled,
    PolicyTypeEnabled,
    PolicyUpdated,
    ProbeRemoved,
    ProbeSet,
    SnapshotTaken,
)
from rooftree.organization.facts import Attribute, Fact, FactKind, FactValue, Rank, Version
from rooftree.organization.identifiers import is_root
from rooftree.organization.snapshot import Snapshot
from rooftree.policy.builtin import FULL_AWS_ACCESS_ID

__all__ = ["facts_of"]

CLOSED = "CLOSED"


def facts_of(change: Change) -> tuple[Fact, ...]:
    """
    Return the facts that *change* states, at most one a register; none for changes of another kind.
    """
    claimant = _Claimant(change.organization_id, change.version(Rank.EXPLICIT), change.version(Rank.IMPLIED))
    return tuple(claimant.claims(change.data))


@dataclass(frozen=True, slots=True)
class _Claimant:
    organization_id: str
    explicit: Version
    implied: Version

    def claims(self, data: ChangeData) -> Iterator[Fact]:
        match data:
            case AccountCreated() | AccountUpdated() | AccountMoved() | AccountClosed() | AccountRemoved():
                yield from self.account(data)
            case OuCreated() | OuRenamed() | OuDeleted():
                yield from self.unit(data)
            case PolicyCreated() | PolicyUpdated() | PolicyDeleted():
                yield from self.policy(data)
            case PolicyAttached(policy_id, target_id):
                yield from self.attachment(policy_id, target_id, attached=True)
            case PolicyDetached(policy_id, target_id):
                yield from self.attachment(policy_id, target_id, attached=False)
            case PolicyTypeEnabled(policy_type):
                yield from self.policy_type(policy_type, enabled=True)
            case PolicyTypeDisabled(policy_type):
                yield from self.policy_type(policy_type, enabled=False)
            case ProbeSet() | ProbeRemoved():
                yield self.probe(data)
            case SnapshotTaken(snapshot):
                yield from self.snapshot(snapshot)

    def account(
        self, data: AccountCreated | AccountUpdated | AccountMoved | AccountClosed | AccountRemoved
    ) -> Iterator[Fact]:
        if isinstance(data, AccountRemoved):
            yield from self._removed(FactKind.ACCOUNT, data.account_id)
            return
        subject = data.account_id
        if isinstance(data, AccountCreated):
            yield from self._created(FactKind.ACCOUNT, subject)
        else:
            yield self._say(FactKind.ACCOUNT, subject, Attribute.OBSERVED, value=True)
        status = data.status or (CLOSED if isinstance(data, AccountClosed) else None)
        yield from self._described(FactKind.ACCOUNT, subject, name=data.name, email=data.email, status=status)
        if data.parent_id is not None:
            yield from self._placed(FactKind.ACCOUNT, subject, data.parent_id)
        elif isinstance(data, AccountCreated):
            # AWS puts a new account under the root, whichever that is.
            yield self._imply(FactKind.ACCOUNT, subject, Attribute.PARENT, value=None)

    def unit(self, data: OuCreated | OuRenamed | OuDeleted) -> Iterator[Fact]:
        if isinstance(data, OuDeleted):
            yield from self._removed(FactKind.OU, data.ou_id)
            return
        if isinstance(data, OuCreated):
            yield from self._created(FactKind.OU, data.ou_id)
        else:
            yield self._say(FactKind.OU, data.ou_id, Attribute.OBSERVED, value=True)
        yield from self._described(FactKind.OU, data.ou_id, name=data.name)
        if data.parent_id is not None:
            yield from self._placed(FactKind.OU, data.ou_id, data.parent_id)

    def policy(self, data: PolicyCreated | PolicyUpdated | PolicyDeleted) -> Iterator[Fact]:
        subject = data.policy_id
        if isinstance(data, PolicyDeleted):
            yield self._say(FactKind.POLICY, subject, Attribute.PRESENT, value=False)
            return
        if isinstance(data, PolicyCreated):
            yield self._say(FactKind.POLICY, subject, Attribute.PRESENT, value=True)
        else:
            yield self._imply(FactKind.POLICY, subject, Attribute.PRESENT, value=True)
        yield from self._described(
            FactKind.POLICY, subject, name=data.name, type=data.policy_type, content=data.content
        )

    def attachment(self, policy_id: str, target_id: str, *, attached: bool) -> Iterator[Fact]:
        yield self._say(FactKind.ATTACHMENT, target_id, policy_id, value=attached)
        if is_root(target_id):
            yield self._root(target_id)

    def policy_type(self, policy_type: str, *, enabled: bool) -> Iterator[Fact]:
        yield self._say(FactKind.POLICY_TYPE, policy_type, Attribute.ENABLED, value=enabled)
        moment = Attribute.ENABLED_AT if enabled else Attribute.DISABLED_AT
        yield self._imply(FactKind.POLICY_TYPE, policy_type, moment, value=True)

    def probe(self, data: ProbeSet | ProbeRemoved) -> Fact:
        name, text = (data.probe.name, data.probe.to_text()) if isinstance(data, ProbeSet) else (data.name, None)
        return self._say(FactKind.PROBE, name, Attribute.REQUEST, value=text)

    def snapshot(self, snapshot: Snapshot) -> Iterator[Fact]:
        organization = FactKind.ORGANIZATION, self.organization_id
        yield self._imply(*organization, Attribute.FLOOR, value=True)
        yield self._imply(*organization, Attribute.MANAGEMENT_ACCOUNT, value=snapshot.management_account_id)
        yield self._imply(*organization, Attribute.FEATURE_SET, value=snapshot.feature_set)
        if snapshot.partition is not None:
            yield self._imply(*organization, Attribute.PARTITION, value=snapshot.partition)
        yield self._root(snapshot.root_id)
        for policy_type in snapshot.policy_types:
            yield self._imply(FactKind.POLICY_TYPE, policy_type, Attribute.ENABLED, value=True)
        yield from self._snapshot_nodes(snapshot)
        for policy in snapshot.policies:
            yield from self._found(
                FactKind.POLICY, policy.id, name=policy.name, type=policy.type, content=policy.content
            )
        for attachment in snapshot.attachments:
            yield self._imply(FactKind.ATTACHMENT, attachment.target_id, attachment.policy_id, value=True)

    def _snapshot_nodes(self, snapshot: Snapshot) -> Iterator[Fact]:
        for unit in snapshot.organizational_units:
            yield from self._found(FactKind.OU, unit.id, name=unit.name, parent_id=unit.parent_id)
        for account in snapshot.accounts:
            yield from self._found(
                FactKind.ACCOUNT,
                account.id,
                name=account.name,
                email=account.email,
                parent_id=account.parent_id,
                status=account.status,
            )

    def _say(self, kind: FactKind, subject: str, attribute: str, *, value: FactValue) -> Fact:
        return Fact(kind.value, subject, sys.intern(str(attribute)), value, self.explicit)

    def _imply(self, kind: FactKind, subject: str, attribute: str, *, value: FactValue) -> Fact:
        return Fact(kind.value, subject, sys.intern(str(attribute)), value, self.implied)

    def _created(self, kind: FactKind, subject: str) -> Iterator[Fact]:
        yield self._say(kind, subject, Attribute.PRESENT, value=True)
        yield self._imply(FactKind.ATTACHMENT, subject, FULL_AWS_ACCESS_ID, value=True)

    def _removed(self, kind: FactKind, subject: str) -> Iterator[Fact]:
        yield self._say(kind, subject, Attribute.PRESENT, value=False)
        # Of the same rank as the attachment that a creation implies: at the same moment both ties break the same way.
        yield self._imply(kind, subject, Attribute.REMOVED_AT, value=True)

    def _placed(self, kind: FactKind, subject: str, parent_id: str) -> Iterator[Fact]:
        yield self._say(kind, subject, Attribute.PARENT, value=parent_id)
        if is_root(parent_id):
            yield self._root(parent_id)

    def _root(self, root_id: str) -> Fact:
        return self._imply(FactKind.ORGANIZATION, self.organization_id, Attribute.ROOT, value=root_id)

    def _described(self, kind: FactKind, subject: str, **values: str | None) -> Iterator[Fact]:
        for attribute, value in values.items():
            if value is not None:
                yield self._say(kind, subject, attribute, value=value)

    def _found(self, kind: FactKind, subject: str, **values: str | None) -> Iterator[Fact]:
        yield self._imply(kind, subject, Attribute.PRESENT, value=True)
        for attribute, value in values.items():
            if value is not None:
                yield self._imply(kind, subject, attribute, value=value)
