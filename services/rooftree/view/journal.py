"""
The audit events of one organization, one after another, each sealed to the one before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from json.encoder import encode_basestring as quoted
from typing import NamedTuple

from rooftree.organization.timestamps import format_time
from rooftree.view.audit import (
    AuditType,
    Cause,
    Notice,
    PrincipalVerdict,
    audit_event_id,
    seal_text,
)
from rooftree.view.events import AuditEvent, AuditLog, SealedData, canonical_fields

__all__ = ["Journal"]


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
        return canonical_fields(reason=self.reason, incomplete_since=format_time(self.incomplete_since))


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
        The same as canonical JSON: each field with its name.
        """
        return canonical_fields(
            organization_id=self.organization_id,
            cause=self.cause.as_json(),
            organization_revision=self.revision,
            complete=self.complete,
        )


class _Entry(NamedTuple):
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
        told["chain_hash"] = f'"chain_hash":{{"previous":"{self.previous}","this":"{self.this}"}}'
        return AuditEvent(
            audit_event_id(
                heading.organization_id,
                notice.type,
                cause.event_id,
                account_id,
                source=cause.source,
                principal=notice.principal if isinstance(notice, PrincipalVerdict) else None,
            ),
            notice.type,
            heading.organization_id,
            account_id,
            cause.time,
            heading.revision,
            self.part,
            heading.parts,
            notice.verdict,
            cause.event_id,
            SealedData(_joined(told)),
        )


def _told(heading: _Heading, notice: Notice) -> dict[str, str]:
    """
    Return the data of an event but for its seal: each field, with its name, as canonical JSON.
    """
    told = heading.told | notice.told()
    account = notice.account
    if account is not None:
        told["account_id"] = f'"account_id":"{account.account_id}"'
        told["account_name"] = f'"account_name":{quoted(account.name)}'
        path = '","'.join(account.path)
        told["path"] = f'"path":["{path}"]'
    return told


def _joined(told: Mapping[str, str]) -> str:
    return f"{{{','.join([told[name] for name in _in_order(tuple(told))])}}}"


@lru_cache(maxsize=64)
def _in_order(names: tuple[str, ...]) -> list[str]:
    """
    Return the names of fields as canonical JSON has them.
    """
    return sorted(names)


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
            this = seal_text(self.chain_hash, _joined(_told(heading, notice)))
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
