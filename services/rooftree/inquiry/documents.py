"""
Records and answers as the documents of the HTTP API; the command line prints the same.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from rooftree.contracts.resources.accounts import Account
from rooftree.contracts.resources.decisions import AuditEvent, Difference, Probe
from rooftree.contracts.resources.operations import (
    DeadLetter,
    DeadLetterRecord,
    Reconciliation,
    RereadRequest,
    Verification,
)
from rooftree.contracts.resources.organizations import Organization
from rooftree.inquiry.comparing import Report
from rooftree.organization.rereads import Reread
from rooftree.organization.timestamps import format_time
from rooftree.reading.reader import (
    AccountRecord,
    AuditRecord,
    LetterRecord,
    OrganizationRecord,
    ReconciliationRecord,
    VerificationRecord,
)
from rooftree.view.patch import ProbeState

__all__ = [
    "account_answer",
    "account_document",
    "audit_answer",
    "audit_document",
    "difference_answer",
    "letter_answer",
    "letter_record_answer",
    "organization_answer",
    "probe_answer",
    "probe_document",
    "reconciliation_answer",
    "reread_answer",
    "verification_answer",
]


def organization_answer(record: OrganizationRecord) -> Organization:
    """
    Return an organization as the API has it.
    """
    return Organization(
        organization_id=record.organization_id,
        revision=record.revision,
        complete=record.complete,
        incomplete_since=format_time(record.incomplete_since) if record.incomplete_since else None,
        incomplete_reason=record.incomplete_reason,
    )


def account_answer(record: AccountRecord) -> Account:
    """
    Return an account as the API has it, with the names of the columns of ``rooftree.account_permissions``.
    """
    return Account(
        organization_id=record.organization_id,
        account_id=record.account_id,
        account_name=record.name,
        email=record.email,
        status=record.status,
        path=list(record.path),
        permissions_id=record.permissions_id,
        revision=record.revision,
        complete=record.complete,
        since=format_time(record.since),
        until=format_time(record.until) if record.until else None,
        cause_event_id=record.cause_event_id,
    )


def account_document(record: AccountRecord) -> dict[str, object]:
    """
    Return an account as JSON.
    """
    return account_answer(record).model_dump()


def audit_answer(record: AuditRecord) -> AuditEvent:
    """
    Return an audit event as the CloudEvent that stands on the audit topic.

    Its data is what was stored, word for word: hashes are sealed over it, so it is not read into its model again.
    """
    return AuditEvent.model_construct(**audit_document(record))


def audit_document(record: AuditRecord) -> dict[str, Any]:
    """
    Return an audit event as the CloudEvent that stands on the audit topic, as JSON.
    """
    key = record.account_id or record.organization_id
    return {
        "specversion": "1.0",
        "id": record.event_id,
        "source": f"/organizations/{record.organization_id}",
        "type": record.type,
        "subject": key,
        "time": format_time(record.time),
        "datacontenttype": "application/json",
        "sequence": f"{record.revision:020d}",
        "part": record.part,
        "parts": record.parts,
        "partitionkey": key,
        "data": dict(record.data),
    }


def probe_answer(organization_id: str, state: ProbeState) -> Probe:
    """
    Return a probe as the API has it: what it asks, and how that is decided.
    """
    return Probe.model_validate(probe_document(organization_id, state))


def probe_document(organization_id: str, state: ProbeState) -> dict[str, object]:
    """
    Return a probe as JSON.
    """
    return {
        "organization_id": organization_id,
        **state.probe.to_json(),
        "account_id": state.account_id,
        "decision": state.finding.decision,
        "as_expected": state.as_expected,
        "blocked_by": list(state.finding.blocked_by),
        "decided_by": list(state.finding.decided_by),
        "missing": list(state.finding.missing),
        "since": format_time(state.since),
        "cause_event_id": state.cause_event_id,
    }


def difference_answer(organization_id: str, report: Report) -> Difference:
    """
    Return what differs as the API has it.

    It comes out of the comparison as it is told, and is not held against its model again.
    """
    return Difference.model_construct(
        organization_id=organization_id,
        compared=report.compared,
        added=report.added,
        removed=report.removed,
        accounts=[
            {
                "account_id": difference.account.account_id,
                "account_name": difference.account.name,
                "verdict": difference.verdict,
                "principals": difference.principals,
            }
            for difference in report.differences
        ],
        changes=[
            {
                "change": block.change,
                "accounts": [
                    {"account_id": account.account_id, "account_name": account.name} for account in block.accounts
                ],
            }
            for block in report.blocks()
        ],
        principals_left_out=list(report.left_out),
    )


def letter_answer(letter: LetterRecord) -> DeadLetter:
    """
    Return a dead letter as the API has it, without its bytes.
    """
    return DeadLetter.model_validate(_letter(letter))


def letter_record_answer(
    letter: LetterRecord, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]
) -> DeadLetterRecord:
    """
    Return a dead letter as the API has it, with its bytes.
    """
    told = [{"name": name, "value": _text(content)} for name, content in headers]
    return DeadLetterRecord.model_validate(
        {**_letter(letter), "key": _text(key), "value": _text(value), "headers": told}
    )


def reread_answer(organization_id: str, reread: Reread) -> RereadRequest:
    """
    Return a request to read something anew as the API has it.
    """
    return RereadRequest(
        organization_id=organization_id,
        kind=reread.request.kind,
        object_id=reread.request.object_id,
        reason=reread.request.reason,
        doubtful=reread.request.doubtful,
        since=format_time(reread.since),
        asked_at=format_time(reread.asked_at),
        source=reread.source,
        event_id=reread.event_id,
    )


def reconciliation_answer(record: ReconciliationRecord) -> Reconciliation:
    """
    Return a comparison with AWS as the API has it.
    """
    return Reconciliation.model_validate(
        {
            "organization_id": record.organization_id,
            "reconciliation": record.reconciliation_id,
            "occasion": record.occasion,
            "result": record.result,
            "reason": record.reason,
            "started_at": format_time(record.started_at),
            "finished_at": record.finished_at and format_time(record.finished_at),
            "moment": record.moment and format_time(record.moment),
            "accounts": record.accounts,
            "found": record.found,
            "postponed": record.postponed,
            "by_kind": dict(record.by_kind),
            "differences": [dict(difference) for difference in record.differences],
        }
    )


def verification_answer(record: VerificationRecord) -> Verification:
    """
    Return what a verification has found as the API has it.
    """
    return Verification.model_validate(
        {
            "organization_id": record.organization_id,
            "subject": record.subject,
            "verified_at": format_time(record.verified_at),
            "verified": record.fault is None,
            "revision": record.revision,
            "part": record.part,
            "checked": record.checked,
            "faults": record.faults,
            "fault": record.fault,
        }
    )


def _letter(letter: LetterRecord) -> dict[str, object]:
    times = {
        name: None if moment is None else format_time(moment)
        for name, moment in (
            ("record_time", letter.record_time),
            ("recorded_at", letter.recorded_at),
            ("attempted_at", letter.attempted_at),
            ("resolved_at", letter.resolved_at),
        )
    }
    return {
        "letter": letter.letter_id,
        "organization_id": letter.organization_id or None,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "log_id": letter.log_id,
        "disposition": letter.disposition,
        "place": letter.place or None,
        "reason": letter.reason,
        "error_class": letter.error_class,
        "software_version": letter.software_version,
        "size": letter.size,
        "attempts": letter.attempts,
        "resolution": letter.resolution,
        **times,
    }


def _text(content: bytes | None) -> object:
    """
    Return bytes as JSON: text where they are text, else an object with their Base64.
    """
    if content is None:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode("ascii")}
