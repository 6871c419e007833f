"""
The change events that bring an organization to the state of a snapshot.

A snapshot that fits into one record is one event: the whole truth at its time, applied at once, so that each account
is compared once, with what it was before. A larger one (about 3,000 accounts and more) cannot be one record: brokers
refuse records beyond a limit, and the service refuses to read beyond 1 MiB before it looks at what it has got.
It is told in small events instead:

1. a snapshot of the bare root, dated before everything: where nothing is known yet, it tells the root, the management
   account and the enabled policy types, without which new accounts would look unlimited for a moment; anywhere else
   it is too old to have an effect;
2. with the time of the snapshot, what hangs where and what exists, each thing by an event of its own that sorts after
   the time itself;
3. a snapshot of the bare root at that time, which voids whatever was not told anew.

The state in the end is the same, in whatever order they arrive. What differs is the account of it: a thing that
changes is reported by itself, not as one net change an account.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from rooftree.organization.snapshot import Snapshot
from rooftree.organization.timestamps import format_time
from rooftree.policy.builtin import FULL_AWS_ACCESS_ID

__all__ = ["MAX_EVENT_BYTES", "SOURCE", "Event", "encode_event", "snapshot_events"]

SOURCE: Final = "urn:rooftree:import"
MAX_EVENT_BYTES: Final = 900_000
"""Kafka takes 1,048,588 bytes with key, headers and framing unless told otherwise; this leaves room for them."""

BEFORE_EVERYTHING: Final = "1970-01-01T00:00:00Z"

CREATED: Final = "1"
ATTACHED: Final = "2"
"""Sequences. INVARIANT: what is attached sorts after what is created, since a creation attaches FullAWSAccess."""

Event = dict[str, object]


def snapshot_events(
    snapshot: Snapshot, document: Mapping[str, object], time: datetime, *, max_bytes: int = MAX_EVENT_BYTES
) -> list[Event]:
    """
    Return the events in the order of their sending.

    Args:
        snapshot: The snapshot as it was understood.
        document: The same as it was read.
        time: When it was true.
        max_bytes: How large one event may be.
    """
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]
    telling = _Telling(snapshot, f"{digest}-{format_time(time)}", format_time(time))
    whole = telling.snapshot(dict(document))
    if len(encode_event(whole)) <= max_bytes:
        return [whole]
    first = {**telling.snapshot(telling.bare()), "time": BEFORE_EVERYTHING}
    return [first, *telling.parts(), telling.snapshot(telling.bare())]


def encode_event(event: Mapping[str, object]) -> bytes:
    """
    Return an event as the value of a record.
    """
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


class _Telling:
    def __init__(self, snapshot: Snapshot, name: str, time: str) -> None:
        self._snapshot = snapshot
        self._name = name
        self._time = time
        self._count = 0

    def snapshot(self, data: Event) -> Event:
        """
        Return the event that holds a snapshot.
        """
        return self._event("organization.snapshot", "", data)

    def bare(self) -> Event:
        """
        Return a snapshot of what no other event tells: the organization, its root, the enabled policy types.
        """
        return {
            "organization": self._snapshot.organization,
            "root": {"id": self._snapshot.root_id, "policy_types": list(self._snapshot.policy_types)},
            "organizational_units": [],
            "accounts": [],
            "policies": [],
            "attachments": [],
        }

    def parts(self) -> Iterator[Event]:
        """
        Yield the events for everything else.

        What hangs where goes before the nodes: a node must not appear, even for a moment, with FullAWSAccess on it
        that the snapshot does not have there.
        """
        yield from self._policies()
        yield from self._attachments()
        yield from self._units()
        yield from self._accounts()

    def _policies(self) -> Iterator[Event]:
        for policy in self._snapshot.policies:
            data: Event = {"policy_id": policy.id, "policy_type": policy.type, "name": policy.name}
            if policy.content is not None:
                data["content"] = policy.content
            yield self._change("policy.created", CREATED, data)

    def _attachments(self) -> Iterator[Event]:
        created = [unit.id for unit in self._snapshot.organizational_units]
        created += [account.id for account in self._snapshot.accounts]
        implied = {(FULL_AWS_ACCESS_ID, node_id) for node_id in created}
        stated = {(attachment.policy_id, attachment.target_id) for attachment in self._snapshot.attachments}
        for policy_id, target_id in sorted(implied - stated):
            yield self._change("policy.detached", ATTACHED, {"policy_id": policy_id, "target_id": target_id})
        for policy_id, target_id in sorted(stated - implied):
            yield self._change("policy.attached", ATTACHED, {"policy_id": policy_id, "target_id": target_id})

    def _units(self) -> Iterator[Event]:
        for unit in self._snapshot.organizational_units:
            data: Event = {"ou_id": unit.id, "name": unit.name, "parent_id": unit.parent_id}
            yield self._change("ou.created", CREATED, data)

    def _accounts(self) -> Iterator[Event]:
        for account in self._snapshot.accounts:
            told = {"name": account.name, "email": account.email, "status": account.status}
            data: Event = {"account_id": account.id, "parent_id": account.parent_id}
            data.update({name: value for name, value in told.items() if value is not None})
            yield self._change("account.created", CREATED, data)

    def _change(self, kind: str, sequence: str, data: Event) -> Event:
        return self._event(kind, sequence, {"organization_id": self._snapshot.organization_id, **data})

    def _event(self, kind: str, sequence: str, data: Event) -> Event:
        self._count += 1
        event: Event = {
            "specversion": "1.0",
            "id": f"{self._name}-{self._count:06}",
            "source": SOURCE,
            "type": f"rooftree.{kind}.v1",
            "time": self._time,
            "datacontenttype": "application/json",
            "data": data,
        }
        return {**event, "sequence": sequence} if sequence else event
