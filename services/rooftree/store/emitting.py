"""
What a commit tells others: the audit log, and the records that are to be sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, NamedTuple

from rooftree.ports.outbox import OutboxRow, Outgoing
from rooftree.ports.projection import SeenEvent
from rooftree.ports.publishing import RecordKind
from rooftree.store.ahead import made_ahead
from rooftree.store.database import Connection
from rooftree.store.inserting import insert_rows
from rooftree.telemetry.spans import TRACEPARENT, current_traceparent
from rooftree.view.events import AuditEvent, AuditLog

__all__ = ["Piece", "emit", "save_outbox", "told_pieces"]

_RECEIVED_AT: Final = "received_at"
"""Of the headers in the outbox, that which is for the relay alone."""

_EVENTS_AT_A_TIME: Final = 2_000
"""Audit events that are in memory with their texts, while they are written to the log and to the outbox."""

_MANY_EVENTS: Final = 200
"""Audit events whose texts take some milliseconds."""


class Piece(NamedTuple):
    """
    Some audit events, and the records that tell of them.
    """

    events: Sequence[AuditEvent]
    rows: Collection[OutboxRow]


class _Headers:
    """
    What goes with records to send: the work that made them, so that each repetition of one names the same, and when the
    change that an audit event tells of was received.
    """

    def __init__(self, seen: Iterable[SeenEvent] = ()) -> None:
        self.traceparent = current_traceparent()
        self._work = {} if self.traceparent is None else {TRACEPARENT: self.traceparent}
        self._causes: dict[int, dict[str, str]] = {}
        for event in seen:
            if event.record_time is not None:
                # Changes that came after it and moved nothing are of its revision as well.
                self._causes.setdefault(event.revision, {**self._work, _RECEIVED_AT: event.record_time.isoformat()})

    def of(self, row: OutboxRow) -> dict[str, str]:
        return self._causes.get(row.revision, self._work) if row.kind is RecordKind.AUDIT else self._work


def told_pieces(
    logs: Sequence[AuditLog], outgoing: Outgoing | None
) -> AbstractAsyncContextManager[AsyncIterator[Piece]]:
    """
    Lend audit events and what is to be sent for them, some at a time; the text of an event is made for both at once.

    Of many events they are made while the database is at work.
    """
    return made_ahead(_pieces(logs, outgoing), worth_it=sum(map(len, logs)) >= _MANY_EVENTS)


def _pieces(logs: Iterable[AuditLog], outgoing: Outgoing | None) -> Iterator[Piece]:
    for log in logs:
        for start in range(0, len(log), _EVENTS_AT_A_TIME):
            events = list(log[start : start + _EVENTS_AT_A_TIME])
            yield Piece(events, () if outgoing is None else [outgoing.of_event(event) for event in events])


async def emit(
    connection: Connection,
    organization_id: str,
    pieces: AsyncIterable[Piece],
    states: Collection[OutboxRow],
    seen: Iterable[SeenEvent] = (),
) -> None:
    """
    Write audit events to the log, and to the outbox what is to be sent: records of them, and then the states of accounts.

    Args:
        connection: In a transaction that has locked the organization.
        organization_id: The organization.
        pieces: The audit events.
        states: The states.
        seen: The changes behind the events, as far as they came from the broker.
    """
    headers = _Headers(seen)
    async for piece in pieces:
        await _save_events(connection, piece.events, headers.traceparent)
        await _save_rows(connection, organization_id, piece.rows, headers)
    await _save_rows(connection, organization_id, states, headers)


async def save_outbox(connection: Connection, organization_id: str, rows: Collection[OutboxRow]) -> None:
    """
    Write what is to be sent beside any change.
    """
    await _save_rows(connection, organization_id, rows, _Headers())


async def _save_events(connection: Connection, events: Sequence[AuditEvent], traceparent: str | None) -> None:
    await insert_rows(
        connection,
        "audit_event",
        [
            *("organization_id", "revision", "part", "parts", "event_id", "type", "account_id", "time", "verdict"),
            *("cause_event_id", "data", "traceparent"),
        ],
        (
            (
                event.organization_id,
                event.revision,
                event.part,
                event.parts,
                event.event_id,
                event.type,
                event.account_id,
                event.time,
                event.verdict,
                event.cause_event_id,
                event.text.encode(),
                traceparent,
            )
            for event in events
        ),
        count=len(events),
    )


async def _save_rows(
    connection: Connection, organization_id: str, rows: Collection[OutboxRow], headers: _Headers
) -> None:
    if rows:
        await insert_rows(
            connection,
            "outbox",
            ["organization_id", "id", "aggregatetype", "aggregateid", "type", "payload", "revision", "headers"],
            (
                (
                    organization_id,
                    row.event_id,
                    row.kind.value,
                    row.key,
                    row.type,
                    row.payload,
                    row.revision,
                    headers.of(row),
                )
                for row in rows
            ),
            count=len(rows),
        )
