"""
The audit events of one organization, one after another, each sealed to the one before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from rooftree.organization.timestamps import format_time
from rooftree.permissions import AccountBinding, Comparison
from rooftree.view.impact import PrincipalImpact
from rooftree.view.patch import AccountState, AuditEvent

__all__ = [
    "AuditType",
    "Cause",
    "Flips",
    "Journal",
    "PrincipalVerdict",
    "Tiding",
    "Verdict",
    "audit_event_id",
    "seal",
]

_CANONICAL_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


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
    """

    source: str
    event_id: str
    event_type: str | None
    time: datetime
    actor: str | None
    summary: str
    origin: str | None = None

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
        return told if self.origin is None else {**told, "origin": self.origin}


class Tiding(Protocol):
    """
    What becomes one event of an account.
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

    def data(self) -> dict[str, object]:
        """
        Return what the event says beside its account and its cause.
        """
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    An account whose decisions have changed.

    Attributes:
        probes: The probes of this account that are decided otherwise, good as JSON.
        principals: What becomes of its principals, good as JSON; None if none is known.
    """

    account: AccountState
    binding: AccountBinding
    comparison: Comparison
    probes: Sequence[Mapping[str, object]] = ()
    principals: Mapping[str, object] | None = None

    @property
    def type(self) -> AuditType:
        """
        The type of the event.
        """
        return AuditType.DECISION_CHANGED

    def data(self) -> dict[str, object]:
        """
        Return what the event says beside its account and its cause.
        """
        return {
            "verdict": str(self.comparison.verdict),
            "changes": self.comparison.changes(self.binding),
            **({} if self.principals is None else {"principals": self.principals}),
            "probes": list(self.probes),
        }


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

    def data(self) -> dict[str, object]:
        """
        Return what the event says beside its account and its cause.
        """
        principal = self.impact.grants.principal
        return {
            "principal": {"kind": str(principal.kind), "name": principal.name, "arn": principal.arn},
            "verdict": self.impact.verdict,
            "changes": self.impact.changes,
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

    def data(self) -> dict[str, object]:
        """
        Return what the event says beside its account and its cause.
        """
        return {"probes": list(self.probes)}


def _of_account(account: AccountState | None) -> dict[str, object]:
    if account is None:
        return {}
    return {"account_id": account.account_id, "account_name": account.name, "path": list(account.path)}


def seal(previous: str, data: Mapping[str, object]) -> str:
    """
    Return ``chain_hash.this`` of an event: SHA-256 over the hash before it and its data without ``chain_hash``.

    The data is hashed as canonical JSON (https://datatracker.ietf.org/doc/html/rfc8785), so that any copy of the
    events can be verified, whatever has stored it.
    """
    bare = {name: value for name, value in data.items() if name != "chain_hash"}
    return hashlib.sha256(previous.encode() + _CANONICAL_JSON.encode(bare).encode()).hexdigest()


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
    parts: list[object] = [organization_id, event_type, source, cause_id, account_id]
    if isinstance(principal, dict):
        parts.append(principal.get("arn"))
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


class Journal:
    """
    Writes audit events at the end of an organization's sequence.

    Attributes:
        revision: The revision of the last event.
        chain_hash: The hash of the last event.
        events: What was written.
    """

    def __init__(self, organization_id: str, revision: int, chain_hash: str) -> None:
        self._organization_id = organization_id
        self.revision = revision
        self.chain_hash = chain_hash
        self.events: list[AuditEvent] = []

    def changed(self, cause: Cause, tidings: Sequence[Tiding], *, complete: bool) -> None:
        """
        Write what a change has altered, as the parts of one revision.
        """
        self.revision += 1
        told = cause.as_json()
        for part, tiding in enumerate(tidings, start=1):
            data = {"organization_id": self._organization_id, **_of_account(tiding.account), "cause": told}
            data.update(tiding.data())
            self._write(tiding.type, cause, data, complete=complete, part=part, parts=len(tidings))

    def became_incomplete(self, cause: Cause, *, reason: str) -> None:
        """
        Write that the view misses something from now on.
        """
        self.revision += 1
        data = {"reason": reason, "incomplete_since": format_time(cause.time)}
        self._write_about_organization(AuditType.INCOMPLETE, cause, data, complete=False)

    def became_complete(self, cause: Cause, *, reason: str | None, incomplete_since: datetime) -> None:
        """
        Write that the view misses nothing any more that is known of.
        """
        self.revision += 1
        data = {"reason": reason, "incomplete_since": format_time(incomplete_since)}
        self._write_about_organization(AuditType.COMPLETE, cause, data, complete=True)

    def _write_about_organization(
        self, event_type: AuditType, cause: Cause, data: Mapping[str, object], *, complete: bool
    ) -> None:
        whole = {"organization_id": self._organization_id, "cause": cause.as_json(), **data}
        self._write(event_type, cause, whole, complete=complete, part=1, parts=1)

    def _write(
        self, event_type: AuditType, cause: Cause, data: dict[str, object], *, complete: bool, part: int, parts: int
    ) -> None:
        data["organization_revision"] = self.revision
        data["complete"] = complete
        this = seal(self.chain_hash, data)
        data["chain_hash"] = {"previous": self.chain_hash, "this": this}
        self.chain_hash = this
        told = data.get("account_id")
        account_id = told if isinstance(told, str) else None
        verdict = data.get("verdict")
        principal = data.get("principal")
        self.events.append(
            AuditEvent(
                event_id=audit_event_id(
                    self._organization_id,
                    event_type.value,
                    cause.event_id,
                    account_id,
                    source=cause.source,
                    principal=principal,
                ),
                type=event_type.value,
                organization_id=self._organization_id,
                account_id=account_id,
                time=cause.time,
                revision=self.revision,
                part=part,
                parts=parts,
                verdict=verdict if isinstance(verdict, str) else None,
                cause_event_id=cause.event_id,
                data=data,
            )
        )
