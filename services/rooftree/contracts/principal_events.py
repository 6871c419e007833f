"""
The change events that tell all principals of an account: one, or parts that take effect together.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from rooftree.contracts.authorization_details import AuthorizationDetails
from rooftree.contracts.snapshot_events import MAX_EVENT_BYTES, SOURCE, Event, encode_event
from rooftree.organization.changes import ChangeType
from rooftree.organization.timestamps import format_time

__all__ = ["principal_events"]

ENVELOPE_BYTES: Final = 2_000
"""Room for everything but the lists."""

_Entry = tuple[str, Mapping[str, object]]


def principal_events(
    details: AuthorizationDetails,
    time: datetime,
    *,
    organization_id: str,
    account_id: str,
    max_bytes: int = MAX_EVENT_BYTES,
) -> list[Event]:
    """
    Return the events in the order of their sending.

    Args:
        details: The principals and their policies.
        time: When this was true.
        organization_id: Whose account it is.
        account_id: Whose principals they are.
        max_bytes: How large one event may be.
    """
    entries: list[_Entry] = [("principals", one) for one in details.principals]
    entries += [("managed_policies", one) for one in details.managed_policies]
    parts = list(_parts(entries, max_bytes - ENVELOPE_BYTES)) or [[]]
    digest = hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()[:16]
    name = f"iam-{account_id}-{digest}-{format_time(time)}"
    return [
        {
            "specversion": "1.0",
            "id": f"{name}-{number:06}",
            "source": SOURCE,
            "type": str(ChangeType.PRINCIPALS),
            "time": format_time(time),
            "datacontenttype": "application/json",
            "data": {
                "organization_id": organization_id,
                "account_id": account_id,
                "principals": [one for kind, one in part if kind == "principals"],
                "managed_policies": [one for kind, one in part if kind == "managed_policies"],
                "snapshot_id": name,
                "part": number,
                "parts": len(parts),
            },
        }
        for number, part in enumerate(parts, start=1)
    ]


def _parts(entries: Sequence[_Entry], room: int) -> Iterator[list[_Entry]]:
    part: list[_Entry] = []
    size = 0
    for entry in entries:
        length = len(encode_event(entry[1])) + 1
        if part and size + length > room:
            yield part
            part, size = [], 0
        part.append(entry)
        size += length
    if part:
        yield part
