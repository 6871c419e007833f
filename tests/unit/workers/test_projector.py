"""
The projector: what it commits, and what it does when something fails.
"""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from random import Random

import pytest
from tests.generators.histories import History, generate_history
from tests.unit.workers.fakes import PARTITION, TIME, MemoryLog, MemoryStore, record

from rooftree.contracts import decode_change
from rooftree.errors import LogLossError, RefusedRowError, UnavailableError
from rooftree.organization.timestamps import format_time
from rooftree.ports.change_log import Batch, PartitionStatus
from rooftree.ports.projection import BatchCommit
from rooftree.workers.projector import Projector


@pytest.fixture
def history() -> History:
    """
    A history of about forty changes.
    """
    return generate_history(Random(4), changes=40)


@pytest.fixture
def store() -> MemoryStore:
    """
    A store with nothing in it.
    """
    return MemoryStore()


def log_of(store: MemoryStore, *values: bytes | None) -> MemoryLog:
    """
    Return a log with these values.
    """
    return MemoryLog(store, [record(offset, value) for offset, value in enumerate(values)], stop=asyncio.Event())


async def project(log: MemoryLog, store: MemoryStore, *, stall_timeout: float = 10) -> None:
    """
    Run a projector to the end of the log.
    """
    projector = Projector(log, store, stall_timeout=stall_timeout, retry_max_delay=0.001)
    await asyncio.wait_for(projector.run(log.stop), 20)


def audit_ids(store: MemoryStore) -> list[str]:
    """
    Return the ids of all audit events that were committed, in order.
    """
    return [
        event.event_id
        for batch in store.batches
        for organization in batch.organizations
        for patch in organization.patches
        for event in patch.audit
    ]


async def expected_ids(history: History) -> list[str]:
    """
    Return the ids that an undisturbed run commits.
    """
    store = MemoryStore()
    await project(log_of(store, *history.records), store)
    return audit_ids(store)


async def test_everything_up_to_the_end_of_the_log_is_committed(store: MemoryStore, history: History) -> None:
    """
    The offset stands behind the last record, and every change is remembered as seen.
    """
    await project(log_of(store, *history.records), store)

    seen = [event.event_id for batch in store.batches for each in batch.organizations for event in each.seen]

    assert len(history.events) == store.offset
    assert [event.id for event in history.events] == seen


async def test_a_change_is_taken_once_within_a_batch_and_across_batches(store: MemoryStore, history: History) -> None:
    """
    The second delivery moves the offset and nothing else.
    """
    twice = [record for value in history.records for record in (value, value)]
    log = log_of(store, *twice, *history.records)
    log.size = 7
    await project(log, store)

    assert await expected_ids(history) == audit_ids(store)
    assert len(twice) + len(history.records) == store.offset


async def test_a_store_that_is_away_makes_it_wait_and_skips_nothing(store: MemoryStore, history: History) -> None:
    """
    Every second commit fails; the view is built from what is stored, and the outcome is the same.
    """
    calls = 0

    def fail(_: BatchCommit) -> None:
        nonlocal calls
        calls += 1
        if calls % 2:
            raise UnavailableError("away")

    store.before_commit = fail
    log = log_of(store, *history.records)
    log.size = 5
    await project(log, store)

    assert await expected_ids(history) == audit_ids(store)


async def test_a_commit_whose_outcome_is_unknown_is_not_repeated_if_it_took_effect(
    store: MemoryStore, history: History
) -> None:
    """
    The server stored the batch and the answer was lost: reading goes on behind it.
    """
    commit = store.commit
    calls = 0

    async def lose_answers(batch: BatchCommit) -> None:
        nonlocal calls
        await commit(batch)
        calls += 1
        if calls % 3 == 1:
            raise UnavailableError("the connection was lost")

    store.commit = lose_answers
    log = log_of(store, *history.records)
    log.size = 5
    await project(log, store)

    assert await expected_ids(history) == audit_ids(store)


async def test_a_broker_that_is_away_makes_it_wait(store: MemoryStore, history: History) -> None:
    """
    Errors of reading are survived.
    """
    log = log_of(store, *history.records)
    log.errors.extend(UnavailableError("away") for _ in range(4))
    await project(log, store)

    assert len(history.events) == store.offset


async def test_a_partition_that_another_worker_has_taken_is_read_from_where_that_one_stands(
    store: MemoryStore, history: History
) -> None:
    """
    The offset was moved in between: what was planned is dropped.
    """
    half = len(history.records) // 2
    rival_done = False

    async def rival() -> None:
        other = log_of(store, *history.records[:half])
        await project(other, store)

    log = log_of(store, *history.records)
    take = log.take

    async def take_late() -> list[Batch]:
        nonlocal rival_done
        batches = await take()
        if not rival_done:
            rival_done = True
            await rival()
        return list(batches)

    log.take = take_late
    await project(log, store)

    assert await expected_ids(history) == audit_ids(store)


async def test_a_view_that_another_writer_has_moved_on_is_loaded_anew(store: MemoryStore, history: History) -> None:
    """
    Records of one organization came by another partition meanwhile: the plan is made again on top of that.
    """
    log = log_of(store, *history.records)
    log.size = 5
    intruder = BatchCommit(PARTITION, 0, 0)

    def intrude(batch: BatchCommit) -> None:
        nonlocal intruder
        if batch.from_offset == 10 and not intruder.organizations:
            intruder = BatchCommit(PARTITION, 10, 10, batch.organizations)
            store.batches.append(intruder)

    store.before_commit = intrude
    await project(log, store)

    assert await expected_ids(history) == audit_ids(store)


@pytest.mark.parametrize("value", [None, b"", b"[]", b"no JSON", b'{"specversion": "1.0"}'])
async def test_what_is_no_change_is_parked_with_its_bytes(store: MemoryStore, value: bytes | None) -> None:
    """
    The key tells which organization misses something.
    """
    await project(log_of(store, value), store)

    [batch] = store.batches
    [letter] = batch.letters
    [organization] = batch.organizations

    assert (value, "o-exampleorg") == (letter.record.value, letter.organization_id)
    assert not organization.patches[-1].position.complete


async def test_a_record_that_the_store_does_not_take_is_parked_alone(store: MemoryStore, history: History) -> None:
    """
    Whatever the reason, the one to blame is found, and the records around it are processed.
    """
    culprit = history.events[3].id

    def refuse(batch: BatchCommit) -> None:
        if any(event.event_id == culprit for each in batch.organizations for event in each.seen):
            raise RefusedRowError("no index takes this")

    store.before_commit = refuse
    await project(log_of(store, *history.records), store)

    [letter] = [letter for batch in store.batches for letter in batch.letters]

    assert (3, "fault", "no index takes this") == (letter.record.offset, letter.disposition, letter.reason)
    assert len(history.events) == store.offset


async def test_a_store_that_takes_nothing_ends_the_worker(store: MemoryStore, history: History) -> None:
    """
    If not even the dead letter can be stored, going on would lose it.
    """

    def refuse(_: BatchCommit) -> None:
        raise RefusedRowError("nothing at all")

    store.before_commit = refuse
    with pytest.raises(RefusedRowError, match="nothing at all"):
        await project(log_of(store, *history.records), store)

    assert not store.batches


async def test_a_mistake_of_ours_parks_nothing(store: MemoryStore, history: History) -> None:
    """
    An error that no value is to blame for ends the worker, and the records are there for the next one.
    """

    def stumble(_: BatchCommit) -> None:
        raise KeyError("a column that is not there")

    store.before_commit = stumble
    with pytest.raises(KeyError):
        await project(log_of(store, *history.records), store)

    assert 0 == store.offset


async def test_records_that_are_gone_mark_the_organizations_that_came_by_their_partition(
    store: MemoryStore, history: History
) -> None:
    """
    The loss is committed like a batch, from where reading stood to where it can go on.
    """
    log = log_of(store, *history.records)
    await project(log, store)
    log.stop.clear()
    end = store.offset
    log.losses.append(Batch(PARTITION, end, end + 100, (), lost="a hundred records are gone"))
    log.position = end + 100
    await project(log, store)

    [organization] = store.batches[-1].organizations

    assert end + 100 == store.offset
    assert "a hundred records are gone" == organization.patches[-1].position.incomplete_reason


async def test_a_loss_that_is_to_stop_the_service_stops_it(store: MemoryStore) -> None:
    """
    The error reaches whoever runs the worker.
    """
    log = log_of(store)
    log.errors.append(LogLossError("gone"))
    with pytest.raises(LogLossError):
        await project(log, store)

    assert not store.batches


async def test_a_lagging_partition_that_does_not_move_gets_a_new_client_and_then_ends_the_worker(
    store: MemoryStore,
) -> None:
    """
    A client that has gone silent is no reason to look healthy.
    """
    log = log_of(store)
    log.stop.set = lambda: None  # type: ignore[method-assign]  # the log never ends
    log.statuses = [PartitionStatus(PARTITION, 0, 9)]
    with pytest.raises(UnavailableError, match="lag and do not move"):
        await project(log, store, stall_timeout=0.05)

    assert 1 == log.rebuilds


async def test_a_batch_that_touches_too_many_accounts_is_cut(store: MemoryStore, history: History) -> None:
    """
    Each transaction stays small, and what was cut off follows in the next one.
    """
    log = log_of(store, *history.records)
    projector = Projector(log, store, max_rows=3)
    await asyncio.wait_for(projector.run(log.stop), 20)

    assert len(store.batches) > 5
    assert await expected_ids(history) == audit_ids(store)


def renamed(event_id: str, name: str, seconds: float) -> bytes:
    """
    Return a change that took effect so many seconds after the broker had its record.
    """
    data = {"organization_id": "o-exampleorg", "ou_id": "ou-ab12-aaaaaaaa", "name": name}
    return json.dumps(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": "test",
            "type": "rooftree.ou.renamed.v1",
            "time": format_time(TIME + timedelta(seconds=seconds)),
            "data": data,
        }
    ).encode()


async def test_a_change_of_a_time_to_come_is_parked(store: MemoryStore) -> None:
    """
    It would win over every change until then; what is just a little ahead, as clocks are, is taken.
    """
    log = log_of(store, renamed("far", "Evil", 3601), renamed("near", "Good", 3599), renamed("after", "Better", 3600))
    projector = Projector(log, store, clock_skew=3600, retry_max_delay=0.001)
    await asyncio.wait_for(projector.run(log.stop), 20)

    [letter] = [letter for batch in store.batches for letter in batch.letters]
    view = (await store.load_view("o-exampleorg")).view

    assert (0, "refused", "time") == (letter.record.offset, letter.disposition, letter.place)
    assert (
        "expected at most 3600 seconds after the broker took it, at `2026-01-05T08:00:00Z`,"
        " found `2026-01-05T09:00:01Z`" == letter.reason
    )
    assert "Better" == view.organization.name_of("ou-ab12-aaaaaaaa")
    # A mark that lasted until that far time could not be cleared by a snapshot before it.
    assert TIME == view.position.incomplete_until


async def test_without_a_bound_any_time_is_taken(store: MemoryStore) -> None:
    """
    The bound is the deployment's, not the model's.
    """
    value = renamed("far", "Later", 10**9)
    await project(log_of(store, value), store)

    assert [decode_change(value).event_id] == [
        event.event_id for batch in store.batches for each in batch.organizations for event in each.seen
    ]
