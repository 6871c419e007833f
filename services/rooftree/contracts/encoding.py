"""
Events of this service as bytes: CloudEvents 1.0 in structured JSON.

The same event always becomes the same bytes, so that a repetition can be told by comparing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime

import orjson

from rooftree.organization.timestamps import format_time
from rooftree.permissions.account import ACCOUNT_PLACEHOLDER
from rooftree.view.patch import AccountState, AuditEvent, PermissionState

__all__ = ["PERMISSIONS_TYPE", "encode_audit_event", "encode_permissions"]

PERMISSIONS_TYPE = "rooftree.account.permissions.v1"

# Counts service by service make up nearly all of a summary, and follow from the rest and the table of known actions.
_BULKY = "services"


def encode_audit_event(event: AuditEvent) -> bytes:
    """
    Return the value of the record for *event*.
    """
    envelope = {
        **_envelope(
            organization_id=event.organization_id,
            event_id=event.event_id,
            event_type=event.type,
            subject=event.key,
            time=event.time,
            revision=event.revision,
        ),
        "part": event.part,
        "parts": event.parts,
    }
    return b'%b,"data":%b}' % (orjson.dumps(envelope)[:-1], event.text.encode())


def encode_permissions(
    organization_id: str,
    accounts: Iterable[AccountState],
    permission_sets: Iterable[PermissionState],
    *,
    complete: bool,
) -> Iterator[tuple[str, bytes]]:
    """
    Yield, for each of *accounts*, its id and the value of the record that carries its state.

    Args:
        organization_id: Their organization.
        accounts: The rows.
        permission_sets: At least those that the rows name.
        complete: Whether the organization is complete.
    """
    summaries = {state.permissions_id: _encode_summary(state) for state in permission_sets}
    for account in accounts:
        summary = None if account.permissions_id is None else summaries[account.permissions_id]
        yield account.account_id, _encode_state(organization_id, account, summary, complete=complete)


def _encode_state(organization_id: str, account: AccountState, summary: bytes | None, *, complete: bool) -> bytes:
    if summary is not None:
        summary = summary.replace(ACCOUNT_PLACEHOLDER.encode(), account.account_id.encode())
    identity = f"{organization_id}/{account.account_id}/{account.revision}/{account.cause_event_id}"
    envelope = {
        **_envelope(
            organization_id=organization_id,
            event_id=hashlib.sha256(identity.encode()).hexdigest()[:32],
            event_type=PERMISSIONS_TYPE,
            subject=account.account_id,
            time=account.since,
            revision=account.revision,
        ),
        "data": {
            "organization_id": organization_id,
            "account_id": account.account_id,
            "account_name": account.name,
            "status": account.status,
            "path": account.path,
            "permissions_id": account.permissions_id,
            "permissions": None if summary is None else orjson.Fragment(summary),
            "revision": account.revision,
            "complete": complete and account.placed,
            "since": format_time(account.since),
            "cause_event_id": account.cause_event_id,
        },
    }
    return orjson.dumps(envelope)


def _encode_summary(state: PermissionState) -> bytes:
    return orjson.dumps({name: value for name, value in state.permissions.items() if name != _BULKY})


def _envelope(
    *, organization_id: str, event_id: str, event_type: str, subject: str, time: datetime, revision: int
) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/organizations/{organization_id}",
        "type": event_type,
        "subject": subject,
        "time": format_time(time),
        "datacontenttype": "application/json",
        "sequence": f"{revision:020d}",
        "partitionkey": subject,
    }
