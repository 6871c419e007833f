"""
The audit events of one organization, one after another, each sealed to the one before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from json.encoder import encode_basestring as quoted
from typing import Protocol

from rooftree.organization.timestamps import format_time
from rooftree.view.events import AuditEvent, AuditLog, SealedData, canonical_json
from rooftree.view.impact import PrincipalImpact
from rooftree.view.patch import AccountState
from rooftree.view.shared_changes import SharedChanges

__all__ = [
    "AuditType",
    "Cause",
    "Flips",
    "Journal",
    "Notice",
    "PrincipalVerdict",
    "Verdict",
    "audit_event_id",
    "seal",
]


class AuditType(StrEnum):
    """
    The types of the events on the audit topic.
    """

    DECISION_CHANGED = "rooftree.decision.changed.v1"
    PRINCIPAL_CHANGED = "rooftree.principal.decision.changed.v1"
    PROBE_FLIPPED = "rooftree.probe.flipped.v1"
    INCOMPLETE = "rooftree.organization.incomplete.v1"
    COMPLETE = "rooftree.organization.complete.v1"


@dataclass(frozen=True, slots=True)
class Cause:
    """
    What made an audit event.

    Attributes:
        source: Where *event_id* is unique.
        event_type: The type of the change; None for a record that could not be read.
        actor: By whose hand, if that was told.
        summary: The same in words.
        origin: ``reconciliation`` where nobody told of it and AWS was asked; None for what was told as it happened.
        names: What the units and policies that it is about were called then, by their ids.
    """

    source: str
    event_id: str
    event_type: str | None
    time: datetime
    actor: str | None
    summary: str
    origin: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """
        Return the cause as it stands in an event.
        """
        told: dict[str, object] = {
            "event_id": self.event_id,
            "event_type": self.event_type,
            "time": format_time(self.time),
            "actor": self.actor,
            "summary": self.summary,
        }
        if self.names:
            told["names"] = dict(self.names)
        return told if self.origin is None else {**told, "origin": self.origin}


class Notice(Protocol):
    """
    What one audit event tells beside its cause.
    """

    @property
    def type(self) -> AuditType:
        """
        The type of the event.
        """
        ...

    @property
    def account(self) -> AccountState | None:
        """
        The account; None for an event about the organization.
        """
        ...

    @property
    def verdict(self) -> str | None:
        """
        The verdict of the event.
        """
        ...

    def told(self) -> dict[str, str]:
        """
        Return what the event says beside its account and its cause, each field as canonical JSON.
        """
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    An account whose decisions have changed.

    Attributes:
        changes: What has changed, shared by all accounts for which that is the same.
        probes: The probes of this account that are decided otherwise, good as JSON.
        principals: What becomes of its principals, as canonical JSON; None if none is known.
    """

    account: AccountState
    changes: SharedChanges
    probes: Sequence[Mapping[str, object]] = ()
    principals: str | None = None

    @property
    def type(self) -> AuditType:
        """
        The type of the event.
        """
        return AuditType.DECISION_CHANGED

    @property
    def verdict(self) -> str:
        """
        The verdict of the event.
        """
        return self.changes.verdict

    def told(self) -> dict[str, str]:
        """
        Return what the event says beside its account and its cause, each field as canonical JSON.
        """
        told = {
            "verdict": quoted(self.verdict),
            "changes": self.changes.of(self.account.account_id),
            "probes": canonical_json(list(self.probes)) if self.probes else "[]",
        }
        return told if self.principals is None else {**told, "principals": self.principals}


@dataclass(frozen=True, slots=True)
class PrincipalVerdict:
    """
    A principal whose decisions have changed with its own policies.
    """

    account: AccountState
    impact: PrincipalImpact

    @property
    def type(self) -> AuditType:
        """
        The type of the event.
        """
        return AuditType.PRINCIPAL_CHANGED

    @property
    def verdict(self) -> str:
        """
        The verdict of the event.
        """
        return self.impact.verdict

    def told(self) -> dict[str, str]:
        """
        Return what the event says beside its account and its cause, each field as canonical JSON.
        """
        principal = self.impact.grants.principal
        named = {"kind": str(principal.kind), "name": principal.name, "arn": principal.arn}
        return {
            "principal": canonical_json(named),
            "verdict": quoted(self.verdict),
            "changes": canonical_json(self.impact.changes),
        }


@dataclass(frozen=True, slots=True)
class Flips:
    """
    Probes of an account, or of none, that are decided otherwise while nothing else of it has changed.
    """

    account: AccountState | None
    probes: Sequence[Mapping[str, object]]

    @property
    def type(self) -> AuditType:
        """
        The type of the event.
        """
        return AuditType.PROBE_FLIPPED

    @property
    def verdict(self) -> None:
        """
        There is none.
        """
        return

    def told(self) -> dict[str, str]:
        """
        Return what the event says beside its account and its cause, each field as canonical JSON.
        """
        return {"probes": canonical_json(list(self.probes))}


@dataclass(frozen=True, slots=True)
class _Standing:
    """
    The organization is complete no more, or again.
    """

    type: AuditType
    reason: str | None
    incomplete_since: datetime

    @property
    def account(self) -> None:
        return

    @property
    def verdict(self) -> None:
        return

    def told(self) -> dict[str, str]:
        told = {"reason": self.reason, "incomplete_since": format_time(self.incomplete_since)}
        return {name: canonical_json(value) for name, value in told.items()}


def seal(previous: str, data: Mapping[str, object]) -> str:
    """
    Return ``chain_hash.this`` of an event: SHA-256 over the hash before it and its data without ``chain_hash``.

    The data is hashed as canonical JSON (https://datatracker.ietf.org/doc/html/rfc8785), so that any copy of the
    events can be verified, whatever has stored it.
    """
    bare = {name: value for name, value in data.items() if name != "chain_hash"}
    return _sealed(previous, canonical_json(bare))


def _sealed(previous: str, text: str) -> str:
    return hashlib.sha256((previous + text).encode()).hexdigest()


def audit_event_id(
    organization_id: str,
    event_type: str,
    cause_id: str,
    account_id: str | None,
    *,
    source: str,
    principal: object = None,
) -> str:
    """
    Return the id of an audit event, which a repetition of its cause has again.

    Args:
        organization_id: The organization.
        event_type: The type of the audit event.
        cause_id: The id of the change behind it.
        account_id: The account; None for an event about the organization.
        source: Where *cause_id* is unique.
        principal: What the event says of the principal that it is about; None for any other event.
    """
    # INVARIANT: nothing enters that a repetition could change, such as a revision or a clock.
    named = [account_id, principal.get("arn")] if isinstance(principal, dict) else [account_id]
    text = f"{_beginning(organization_id, event_type, source, cause_id)}, {', '.join(map(json.dumps, named))}]"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@lru_cache(maxsize=16)
def _beginning(*parts: str) -> str:
    """
    Return the JSON text of a list that goes on.
    """
    return json.dumps(parts)[:-1]


@dataclass(frozen=True)
class _Heading:
    """
    What the parts of one revision have in common.
    """

    organization_id: str
    cause: Cause
    revision: int
    parts: int
    complete: bool

    @cached_property
    def told(self) -> dict[str, str]:
        """
        The same as canonical JSON, by field.
        """
        told = {
            "organization_id": self.organization_id,
            "cause": self.cause.as_json(),
            "organization_revision": self.revision,
            "complete": self.complete,
        }
        return {name: canonical_json(value) for name, value in told.items()}


@dataclass(frozen=True, slots=True)
class _Entry:
    """
    A part of a revision, with the hash before it and its own.
    """

    heading: _Heading
    notice: Notice
    part: int
    previous: str
    this: str

    @property
    def verdict(self) -> str | None:
        return self.notice.verdict

    def event(self) -> AuditEvent:
        heading, notice, cause = self.heading, self.notice, self.heading.cause
        account_id = None if notice.account is None else notice.account.account_id
        told = _told(heading, notice)
        told["chain_hash"] = f'{{"previous":"{self.previous}","this":"{self.this}"}}'
        return AuditEvent(
            event_id=audit_event_id(
                heading.organization_id,
                notice.type.value,
                cause.event_id,
                account_id,
                source=cause.source,
                principal=json.loads(told["principal"]) if "principal" in told else None,
            ),
            type=notice.type.value,
            organization_id=heading.organization_id,
            account_id=account_id,
            time=cause.time,
            revision=heading.revision,
            part=self.part,
            parts=heading.parts,
            verdict=notice.verdict,
            cause_event_id=cause.event_id,
            data=SealedData(_joined(told)),
        )


def _told(heading: _Heading, notice: Notice) -> dict[str, str]:
    account = notice.account
    if account is None:
        return {**heading.told, **notice.told()}
    return {
        **heading.told,
        "account_id": quoted(account.account_id),
        "account_name": quoted(account.name),
        "path": f"[{','.join(map(quoted, account.path))}]",
        **notice.told(),
    }


def _joined(told: Mapping[str, str]) -> str:
    """
    Return the object whose fields are canonical JSON already, as canonical JSON.
    """
    return f"{{{','.join([label + told[name] for name, label in _labels(tuple(told))])}}}"


@lru_cache(maxsize=64)
def _labels(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """
    Return the names of fields in their canonical order, each with what stands before its value.
    """
    return [(name, f"{quoted(name)}:") for name in sorted(names)]


class Journal:
    """
    Writes audit events at the end of an organization's sequence.

    Attributes:
        revision: The revision of the last event.
        chain_hash: The hash of the last event.
    """

    def __init__(self, organization_id: str, revision: int, chain_hash: str) -> None:
        self._organization_id = organization_id
        self._entries: list[_Entry] = []
        self.revision = revision
        self.chain_hash = chain_hash

    @property
    def events(self) -> AuditLog:
        """
        What was written.
        """
        return AuditLog(self._entries)

    def changed(self, cause: Cause, notices: Sequence[Notice], *, complete: bool) -> None:
        """
        Write what a change has altered, as the parts of one revision.
        """
        self.revision += 1
        heading = _Heading(self._organization_id, cause, self.revision, len(notices), complete)
        for part, notice in enumerate(notices, start=1):
            this = _sealed(self.chain_hash, _joined(_told(heading, notice)))
            self._entries.append(_Entry(heading, notice, part, self.chain_hash, this))
            self.chain_hash = this

    def became_incomplete(self, cause: Cause, *, reason: str) -> None:
        """
        Write that the view misses something from now on.
        """
        self.changed(cause, [_Standing(AuditType.INCOMPLETE, reason, cause.time)], complete=False)

    def became_complete(self, cause: Cause, *, reason: str | None, incomplete_since: datetime) -> None:
        """
        Write that the view misses nothing any more that is known of.
        """
        self.changed(cause, [_Standing(AuditType.COMPLETE, reason, incomplete_since)], complete=True)
