"""
The worker that takes changes, works out what they do, and commits it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime
from functools import partial

import structlog
from opentelemetry.trace import SpanKind

from rooftree.errors import LostPartitionError, RefusedRowError, StaleViewError, UnavailableError
from rooftree.ports.change_log import Batch, ChangeLog
from rooftree.ports.projection import ProjectionStore
from rooftree.telemetry.logs import Action, log
from rooftree.telemetry.metrics import Metrics
from rooftree.telemetry.spans import processing, step
from rooftree.workers.pauses import persistently
from rooftree.workers.planning import Plan, Planner, RecordFaultError
from rooftree.workers.watchdog import Watchdog

__all__ = ["Projector"]


class Projector:
    """
    Take, plan, commit; again.

    A server that is away makes it wait, and nothing is skipped: what was not committed is read again from where the
    store says. A record that cannot be processed goes to the dead letters, and its organization is marked.
    """

    def __init__(
        self,
        change_log: ChangeLog,
        store: ProjectionStore,
        *,
        cache_size: int = 64,
        max_rows: int = 20_000,
        clock_skew: float | None = None,
        stall_timeout: float = 120,
        retry_max_delay: float = 15,
    ) -> None:
        self._log = change_log
        self._store = store
        self._planner = Planner(store, cache_size=cache_size, max_rows=max_rows, clock_skew=clock_skew)
        self._watchdog = Watchdog(change_log, stall_timeout=stall_timeout)
        self._retry_max_delay = retry_max_delay

    async def run(self, stop: asyncio.Event) -> None:
        """
        Work until *stop* is set; the batch in hand is finished first.

        Raises:
            LogLossError: The broker has lost unread records, and policy is to stop.
            UnavailableError: Reading has stalled, and starting the client anew did not help.
        """
        while not stop.is_set():
            attempts = persistently(
                "projector", stop, longest=self._retry_max_delay, hopeless=lambda: self._watchdog.desperate
            )
            try:
                async for attempt in attempts:
                    with attempt:
                        await self._turn(stop)
            except UnavailableError:
                if not stop.is_set():
                    raise

    async def _turn(self, stop: asyncio.Event) -> None:
        await self._watchdog.look()
        batches = await self._watchdog.take()
        for batch in batches:
            if stop.is_set():
                return
            place = {"topic": batch.partition.topic, "partition": batch.partition.partition}
            with structlog.contextvars.bound_contextvars(**place):
                try:
                    with processing(batch.partition.topic, batch.partition.partition, partial(_headers, batch)):
                        await self._handle(batch)
                except UnavailableError:
                    # Whether the commit took effect is not known: the store is asked where to go on.
                    self._planner.forget()
                    for each in batches:
                        self._log.forget(each.partition)
                    raise

    async def _handle(self, batch: Batch) -> None:
        rest: Batch | None = batch
        faults: dict[int, Exception] = {}
        most: int | None = None
        while rest is not None:
            try:
                rest = await self._commit(rest, faults, most)
            except StaleViewError as error:
                self._planner.forget()
                log().info(Action.BATCH_REPEATED, reason=str(error))
            except LostPartitionError as error:
                self._planner.forget()
                self._log.forget(batch.partition)
                log().warning(Action.PARTITION_LOST, reason=str(error))
                return
            except RecordFaultError as error:
                self._planner.forget()
                log().error(Action.BATCH_REPEATED, reason=str(error), offset=error.offset, exc_info=error.cause)
                faults[error.offset] = error.cause
            except RefusedRowError as error:
                # Record by record it shows which one is to blame.
                self._planner.forget()
                log().error(Action.BATCH_REPEATED, reason=str(error))
                most = _blame(rest or batch, faults, most, error)

    async def _commit(self, batch: Batch, faults: dict[int, Exception], most: int | None) -> Batch | None:
        started = time.perf_counter()
        with step("project"):
            if batch.lost is not None:
                plan = await self._planner.plan_loss(batch)
            else:
                plan = await self._planner.plan(batch, faults=faults, most=most)
        planned = time.perf_counter()
        with step("commit", SpanKind.CLIENT, db__system__name="postgresql"):
            await self._store.commit(plan.commit)
        self._planner.committed(plan)
        _report(batch, plan, planning=planned - started, committing=time.perf_counter() - planned)
        return plan.rest


def _headers(batch: Batch) -> list[tuple[tuple[str, bytes], ...]]:
    return [record.headers for record in batch.records]


def _blame(batch: Batch, faults: dict[int, Exception], most: int | None, error: Exception) -> int:
    if most is None and batch.records:
        return 1
    if not batch.records or (first := batch.records[0].offset) in faults:
        raise error  # not even its dead letter can be stored
    faults[first] = error
    return 1


def _report(batch: Batch, plan: Plan, *, planning: float, committing: float) -> None:
    organizations = plan.commit.organizations
    parked = len(plan.failures)
    # A log file of AWS may be parked for several organizations.
    Metrics.records.labels("applied").inc(max(0, plan.records - plan.repeated - plan.ignored - parked))
    Metrics.records.labels("repeated").inc(plan.repeated)
    Metrics.records.labels("ignored").inc(plan.ignored)
    for letter in plan.failures:
        Metrics.records.labels("parked").inc()
        Metrics.dead_letters.labels(letter.disposition).inc()
    verdicts = Counter(
        verdict for each in organizations for patch in each.patches for verdict in patch.audit.verdicts()
    )
    for verdict, count in verdicts.items():
        Metrics.audit_events.labels(verdict or "none").inc(count)
    Metrics.batch_seconds.labels("plan").observe(planning)
    Metrics.batch_seconds.labels("commit").observe(committing)
    now = datetime.now(UTC)
    for record in batch.records[: plan.records]:
        if record.time is not None:
            Metrics.event_age_seconds.observe(max(0.0, (now - record.time).total_seconds()))
    log().info(
        Action.BATCH_COMMITTED,
        organizations=[each.organization_id for each in organizations[:10]],
        from_offset=plan.commit.from_offset,
        to_offset=plan.commit.to_offset,
        records=plan.records,
        repeated=plan.repeated,
        ignored=plan.ignored,
        parked=parked,
        accounts=plan.accounts,
        audit_events=plan.audit_events,
        plan_ms=round(planning * 1000, 1),
        commit_ms=round(committing * 1000, 1),
    )
