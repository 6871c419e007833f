"""
A worker that was asleep while another took over: when it wakes up, it cannot write.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import pytest
from aiokafka import ConsumerRecord
from pydantic import SecretStr
from tests.faults.checks import first_deliveries, same_as_undisturbed
from tests.faults.proxy import open_proxy
from tests.faults.workers import WorkerProcess, worker
from tests.generators.histories import generate_history
from tests.integration.service import (
    UNSENT,
    event,
    eventually,
    ids,
    publish,
    read_topic,
    running,
    settled,
    snapshot,
    stored,
)

from rooftree.settings import Assignment, Settings
from rooftree.store.database import connect_database
from rooftree.telemetry.logs import Action

pytestmark = [pytest.mark.integration, pytest.mark.slow]

BUSY = [
    event(
        f"attach-{number}",
        f"policy.{kind}",
        f"2026-01-02T00:00:{number:02d}Z",
        policy_id="p-denyregions",
        target_id="ou-ab12-aaaaaaaa",
    )
    for number, kind in enumerate(["attached", "detached"] * 15)
]


@pytest.fixture
def sharing(settings: Settings) -> Settings:
    """
    Settings of workers that miss each other soon.
    """
    return settings.model_copy(
        update={
            "partition_assignment": Assignment.GROUP,
            "kafka_session_timeout": 6.0,
            "postgres_idle_timeout": 2.0,
            "batch_max_records": 4,
        }
    )


def through(settings: Settings, address: str) -> Settings:
    """
    Return settings by which PostgreSQL is reached at another address.
    """
    dsn = settings.postgres_dsn.get_secret_value()
    credentials, _, rest = dsn.rpartition("@")
    return settings.model_copy(update={"postgres_dsn": SecretStr(f"{credentials}@{address}/{rest.partition('/')[2]}")})


def postgres_address(settings: Settings) -> str:
    """
    Return the ``HOST:PORT`` of PostgreSQL.
    """
    return settings.postgres_dsn.get_secret_value().rpartition("@")[2].partition("/")[0]


def has_read(settings: Settings, records: int) -> Callable[[], Awaitable[bool]]:
    """
    Return a question: are so many records processed?
    """

    async def question() -> bool:
        [row] = await stored(
            settings, "select coalesce(sum(next_offset), 0)::bigint as n from rooftree.consumer_offset"
        )
        return int(row["n"]) >= records

    return question


def has_said(process: WorkerProcess, *actions: Action) -> Callable[[], Awaitable[bool]]:
    """
    Return a question: has the process logged one of these?
    """

    async def question() -> bool:
        return any(action in process.actions() for action in actions)

    return question


async def test_a_projector_that_wakes_up_late_is_refused(sharing: Settings, tmp_path: Path) -> None:
    """
    It sleeps with a batch in hand whose transaction has not begun; meanwhile another has processed those records.
    """
    await publish(sharing, snapshot())
    async with open_proxy(postgres_address(sharing)) as wire:
        held = through(sharing, wire.address)
        async with worker(held, "projector", log_path=tmp_path / "sleeper.log") as sleeper:
            await eventually(has_read(sharing, 1))
            wire.hold()
            await publish(sharing, *BUSY)
            await asyncio.sleep(1)  # it has taken records, and its statements are on their way
            sleeper.send(signal.SIGSTOP)
            async with worker(sharing, "projector", "relay", log_path=tmp_path / "other.log"):
                await settled(sharing, records=1 + len(BUSY), seconds=60)
                wire.mend()
                sleeper.send(signal.SIGCONT)
                await eventually(has_said(sleeper, Action.PARTITION_LOST, Action.BATCH_REPEATED), seconds=30)
            await asyncio.sleep(0.5)

            assert sleeper.running

    await same_as_undisturbed(sharing)


async def test_a_projector_that_sleeps_in_its_transaction_holds_nobody_up_for_long(
    sharing: Settings, tmp_path: Path
) -> None:
    """
    PostgreSQL ends the session of a worker that is silent within a transaction: the other goes on, and the sleeper
    finds its transaction gone.
    """
    await publish(sharing, snapshot())
    dsn = sharing.postgres_dsn.get_secret_value()
    async with worker(sharing, "projector", log_path=tmp_path / "sleeper.log") as sleeper:
        await eventually(has_read(sharing, 1))
        gate = await connect_database(dsn)
        async with gate.transaction():
            # The worker moves its offset, and then waits for this lock within its transaction.
            await gate.execute("select from rooftree.organization for update")
            await publish(sharing, *BUSY)
            await eventually(is_waiting_for_a_lock(sharing))
            sleeper.send(signal.SIGSTOP)
        await gate.close()
        async with worker(sharing, "projector", "relay", log_path=tmp_path / "other.log"):
            await settled(sharing, records=1 + len(BUSY), seconds=60)
            sleeper.send(signal.SIGCONT)
            await eventually(has_said(sleeper, Action.SERVER_AWAY, Action.PARTITION_LOST), seconds=30)
            await asyncio.sleep(0.5)

            assert sleeper.running

    await same_as_undisturbed(sharing)


def is_waiting_for_a_lock(settings: Settings) -> Callable[[], Awaitable[bool]]:
    """
    Return a question: does a session of a worker wait for a lock?
    """

    async def question() -> bool:
        rows = await stored(
            settings,
            """
            select from pg_stat_activity
            where datname = current_database() and application_name like 'rooftree-%'
            and wait_event_type = 'Lock'
            """,
        )
        return bool(rows)

    return question


async def test_projectors_that_sleep_by_turns_lose_and_double_nothing(sharing: Settings, tmp_path: Path) -> None:
    """
    Each is stopped at some moment for longer than its session lasts, and goes on as if it had been there all the time.
    """
    random = Random(23)
    history = generate_history(random, changes=150)
    async with (
        worker(sharing, "projector", log_path=tmp_path / "1.log") as first,
        worker(sharing, "projector", log_path=tmp_path / "2.log") as second,
        worker(sharing, "relay", log_path=tmp_path / "3.log"),
    ):
        for number, sleeper in enumerate((first, second)):
            share = history.records[number::2]
            for start in range(0, len(share), 20):
                await publish(sharing, *share[start : start + 20], key=history.organization_id)
                await asyncio.sleep(0.05)
            sleeper.send(signal.SIGSTOP)
            await asyncio.sleep(sharing.kafka_session_timeout + 1)
            sleeper.send(signal.SIGCONT)
        await settled(sharing, records=len(history.records), seconds=60)

        assert first.running
        assert second.running

    await same_as_undisturbed(sharing)


async def unmarked(settings: Settings) -> int:
    """
    Return how many rows of the outbox do not count as sent.
    """
    [unsent] = await stored(settings, UNSENT)
    return int(unsent["rows"])


async def sent_events(settings: Settings) -> list[ConsumerRecord]:
    """
    Return what is on the audit topic, after a look that nothing is there that was not written, or in another order.
    """
    records = await read_topic(settings, settings.audit_topic)
    written = await stored(settings, "select event_id from rooftree.audit_event")

    assert set(ids(records)) <= {row["event_id"] for row in written}
    assert len({record.value for record in records}) == len(set(ids(records)))
    assert first_deliveries(records) == sorted(first_deliveries(records))
    return records


async def everything_is_sent(settings: Settings) -> None:
    """
    Fail unless every audit event is on the topic.
    """
    written = await stored(settings, "select event_id from rooftree.audit_event")

    assert {row["event_id"] for row in written} == set(ids(await sent_events(settings)))


@pytest.mark.parametrize("fate", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "asleep"])
async def test_a_relay_between_sending_and_marking(sharing: Settings, tmp_path: Path, fate: signal.Signals) -> None:
    """
    It has sent, and dies or falls asleep before that is written down: another sends the same again, with the same ids
    and bytes, then the rest, and the sleeper does no harm when it wakes up.
    """
    await publish(sharing, snapshot(), *BUSY)
    async with running(sharing, relay=False):
        await settled(sharing, records=1 + len(BUSY), relayed=False, seconds=60)
    few = sharing.model_copy(update={"relay_batch_size": 7})
    rows = await unmarked(sharing)
    async with worker(few, "relay", log_path=tmp_path / "victim.log") as victim:
        gate = await connect_database(sharing.postgres_dsn.get_secret_value())
        async with gate.transaction():
            # The relay sends, and waits for the end of this when it writes down how far it is.
            await gate.execute("insert into rooftree.outbox_sent select organization_id, 0 from rooftree.organization")
            await eventually(is_waiting_for_a_lock(sharing))
            victim.send(fate)
        await gate.close()
        first = ids(await sent_events(sharing))
        before = await unmarked(sharing)
        async with worker(sharing, "relay", log_path=tmp_path / "other.log"):
            await settled(sharing, records=1 + len(BUSY), seconds=60)
            victim.send(signal.SIGCONT)
            await asyncio.sleep(1)
            await everything_is_sent(sharing)

    again = ids(await sent_events(sharing))

    assert first
    assert rows == before
    assert all(again.count(event_id) >= 2 for event_id in first[-1:])


async def test_relays_that_share_the_work_keep_the_order_of_each_key(sharing: Settings, tmp_path: Path) -> None:
    """
    One of two is killed again and again while changes come.
    """
    history = generate_history(Random(29), changes=120)
    async with (
        running(sharing, relay=False),
        worker(sharing, "relay", log_path=tmp_path / "steady.log"),
    ):
        for start in range(0, len(history.records), 40):
            async with worker(sharing, "relay", log_path=tmp_path / f"{start}.log") as victim:
                await eventually(has_said(victim, Action.WORKER_STARTED))
                await publish(sharing, *history.records[start : start + 40], key=history.organization_id)
                await asyncio.sleep(0.4)
        await settled(sharing, records=len(history.records), seconds=60)

    await same_as_undisturbed(sharing)
