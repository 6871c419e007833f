"""
The worker that sends what the store holds for the broker.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from rooftree.errors import RecordTooLargeError, UnavailableError
from rooftree.ports.outbox import Nudges, OutboxRow, OutboxStore
from rooftree.ports.publishing import OutgoingRecord, Publisher
from rooftree.telemetry.logs import Action, log
from rooftree.telemetry.metrics import Metrics
from rooftree.telemetry.spans import TRACEPARENT
from rooftree.workers.encoding import state_rows
from rooftree.workers.letters import letter_record, without_value
from rooftree.workers.pauses import persistently

__all__ = ["Relay"]

_TRIM_SECONDS = 60.0
_LETTERS = 100
# Of an organization that is the only one, before it is asked for others.
_BATCHES = 8


class Relay:
    """
    Send, mark, wait for more.

    The table is the truth and is looked at regularly; a nudge only makes that sooner. What was sent but not marked is
    sent again, with the same bytes. Organizations are sent in turn; within one, rows leave in their order.
    """

    def __init__(
        self,
        outbox: OutboxStore,
        publisher: Publisher,
        nudges: Nudges,
        *,
        permissions_topic: str,
        poll_interval: float = 1,
        batch_size: int = 1000,
        retention: float = 3600,
        retry_max_delay: float = 15,
    ) -> None:
        self._outbox = outbox
        self._publisher = publisher
        self._nudges = nudges
        self._topic = permissions_topic
        self._poll_interval = poll_interval
        self._batch_size = batch_size
        self._retention = retention
        self._retry_max_delay = retry_max_delay
        self._trimmed = time.monotonic()
        self._log_id: str | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """
        Work until *stop* is set, and then once more, so that what was committed before is sent.
        """
        while not stop.is_set():
            with suppress(UnavailableError):  # which it raises only when it is to stop
                async for attempt in persistently("relay", stop, longest=self._retry_max_delay):
                    with attempt:
                        await self._careful_round()
                await self._nudges.wait(self._poll_interval, stop)
        with suppress(UnavailableError):
            await self.round()

    async def _careful_round(self) -> None:
        try:
            await self.round()
        except UnavailableError:
            self._log_id = None
            raise

    async def round(self) -> int:
        """
        Send everything that is there; returns how many records.

        Raises:
            UnavailableError: The store or the broker does not answer; what was not marked comes again.
        """
        sent = 0
        while True:
            # What was nudged for first. Some letters at a time, as of each organization: a flood of them keeps no event
            # back.
            some = 0
            pending = await self._outbox.pending()
            for organization_id in pending:
                some += await self._send(organization_id, most=_BATCHES if len(pending) == 1 else 1)
            some += await self._send_letters()
            if not some and not await self._resend_states():
                break
            sent += some
        await self._keep_house()
        return sent

    async def _resend_states(self) -> int:
        # Asked now and then: a broker that is made anew under this process makes its connections fail, which asks again,
        # but a topic that is made anew does not.
        if self._log_id is None:
            self._log_id = await self._publisher.log_id()
        if count := await self._outbox.resend_states(self._log_id, self._topic, state_rows):
            log().info(Action.STATES_RESENT, log_id=self._log_id, accounts=count)
        return count

    async def _send(self, organization_id: str, *, most: int) -> int:
        started = time.perf_counter()
        sent: Counter[str] = Counter()
        revision = 0
        async with self._outbox.claim(organization_id, limit=self._batch_size, most=most) as batches:
            # Caught within the claim: the batches before count as sent, or they would be sent again at every round.
            try:
                async for rows in batches:
                    await self._publisher.publish([_record(row) for row in rows])
                    sent.update(row.kind.value for row in rows)
                    _measure(rows)
                    revision = rows[-1].revision
            except RecordTooLargeError as error:
                # The order of an organization's events is promised, so they wait for an operator to let larger ones in.
                Metrics.failures.labels(Action.TOO_LARGE.value).inc()
                log().error(Action.TOO_LARGE, organization=organization_id, reason=str(error))
        for kind, count in sent.items():
            Metrics.sent.labels(kind).inc(count)
        if sent:
            log().info(
                Action.BATCH_SENT,
                organization=organization_id,
                records=sent.total(),
                revision=revision,
                ms=round((time.perf_counter() - started) * 1000, 1),
            )
        return sent.total()

    async def _send_letters(self) -> int:
        async with self._outbox.claim_letters(limit=_LETTERS) as letters:
            for record in map(letter_record, letters):
                await self._publish_letter(record)
        Metrics.sent.labels("dead_letter").inc(len(letters))
        return len(letters)

    async def _publish_letter(self, record: OutgoingRecord) -> None:
        try:
            await self._publisher.publish([record])
        except RecordTooLargeError as error:
            log().warning(Action.LETTER_SHORTENED, reason=str(error))
            await self._publisher.publish([without_value(record)])

    async def _keep_house(self) -> None:
        Metrics.outbox_age_seconds.set(await self._outbox.oldest_unsent())
        for state, count in (await self._outbox.count_probes()).items():
            Metrics.probes.labels(state).set(count)
        if time.monotonic() - self._trimmed > _TRIM_SECONDS:
            self._trimmed = time.monotonic()
            self._log_id = None
            if removed := await self._outbox.trim(older_than=self._retention):
                log().info(Action.OUTBOX_TRIMMED, rows=removed)


def _measure(rows: Sequence[OutboxRow]) -> None:
    now = datetime.now(UTC)
    for row in rows:
        if row.received_at is not None:
            Metrics.audit_age_seconds.observe(max(0.0, (now - row.received_at).total_seconds()))


def _record(row: OutboxRow) -> OutgoingRecord:
    headers = [("id", row.event_id.encode())]
    if row.payload is not None:
        headers.append(("content-type", b"application/cloudevents+json; charset=UTF-8"))
    if row.traceparent is not None:
        headers.append((TRACEPARENT, row.traceparent.encode()))
    return OutgoingRecord(row.kind, row.key.encode(), row.payload, tuple(headers))
