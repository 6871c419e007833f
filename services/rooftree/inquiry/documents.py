"""
Records of the view as JSON documents.
"""

from __future__ import annotations

from rooftree.organization.timestamps import format_time
from rooftree.reading import AccountRecord, AuditRecord, OrganizationRecord
from rooftree.view.patch import ProbeState

__all__ = ["account_document", "audit_document", "organization_document", "probe_document"]


def organization_document(record: OrganizationRecord) -> dict[str, object]:
    """
    Return an organization as JSON.
    """
    return {
        "organization_id": record.organization_id,
        "revision": record.revision,
        "complete": record.complete,
        "incomplete_since": format_time(record.incomplete_since) if record.incomplete_since else None,
        "incomplete_reason": record.incomplete_reason,
    }


def account_document(record: AccountRecord) -> dict[str, object]:
    """
    Return an account as JSON, with the names of the columns of ``rooftree.account_permissions``.
    """
    return {
        "organization_id": record.organization_id,
        "account_id": record.account_id,
        "account_name": record.name,
        "email": record.email,
        "status": record.status,
        "path": list(record.path),
        "permissions_id": record.permissions_id,
        "revision": record.revision,
        "complete": record.complete,
        "since": format_time(record.since),
        "until": format_time(record.until) if record.until else None,
        "cause_event_id": record.cause_event_id,
    }


def audit_document(record: AuditRecord) -> dict[str, object]:
    """
    Return an audit event as the CloudEvent that stands on the audit topic.
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


def probe_document(organization_id: str, state: ProbeState) -> dict[str, object]:
    """
    Return a probe as JSON: what it asks, and how that is decided.
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
