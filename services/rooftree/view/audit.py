"""
What audit events tell, how they are named and how they are sealed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final, Protocol

from rooftree.organization.timestamps import format_time
from rooftree.view.events import canonical_field, canonical_fields, canonical_json
from rooftree.view.impact import PrincipalImpact
from rooftree.view.patch import AccountState
from rooftree.view.shared_changes import SharedChanges

__all__ = [
    "AuditType",
    "Cause",
    "Flips",
    "Notice",
    "PrincipalVerdict",
    "Verdict",
    "audit_event_id",
    "seal",
    "seal_text",
]


# Of which the id of an event is made; its data is canonical JSON.
_ASCII_JSON: Final = json.JSONEncoder()


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
        Return what the event says beside its account and its cause: each field, with its name, as canonical JSON.
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
        Return what the event says beside its account and its cause: each field, with its name, as canonical JSON.
        """
        told = {
            "verdict": f'"verdict":"{self.verdict}"',
            "changes": f'"changes":{self.changes.of(self.account.account_id)}',
            "probes": canonical_field("probes", list(self.probes)) if self.probes else '"probes":[]',
        }
        return told if self.principals is None else {**told, "principals": f'"principals":{self.principals}'}


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

    @property
    def principal(self) -> dict[str, object]:
        """
        The principal, good as JSON.
        """
        principal = self.impact.grants.principal
        return {"kind": str(principal.kind), "name": principal.name, "arn": principal.arn}

    def told(self) -> dict[str, str]:
        """
        Return what the event says beside its account and its cause: each field, with its name, as canonical JSON.
        """
        return canonical_fields(principal=self.principal, verdict=self.verdict, changes=self.impact.changes)


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
        Return what the event says beside its account and its cause: each field, with its name, as canonical JSON.
        """
        return canonical_fields(probes=list(self.probes))


def seal(previous: str, data: Mapping[str, object]) -> str:
    """
    Return ``chain_hash.this`` of an event: SHA-256 over the hash before it and its data without ``chain_hash``.

    The data is hashed as canonical JSON (https://datatracker.ietf.org/doc/html/rfc8785), so that any copy of the
    events can be verified, whatever has stored it.
    """
    bare = {name: value for name, value in data.items() if name != "chain_hash"}
    return seal_text(previous, canonical_json(bare))


def seal_text(previous: str, text: str) -> str:
    """
    Return the same for data that is canonical JSON already.
    """
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
    digest = _beginning(organization_id, event_type, source, cause_id).copy()
    digest.update(f"{', '.join(map(_ASCII_JSON.encode, named))}]".encode())
    return digest.hexdigest()[:32]


@lru_cache(maxsize=16)
def _beginning(*parts: str) -> hashlib._Hash:
    """
    Return the hash of the JSON text of a list that goes on.
    """
    return hashlib.sha256(f"{json.dumps(parts)[:-1]}, ".encode())
