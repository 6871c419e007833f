"""
Stops, crashes, rivals and servers that forget: the view is what the log says, and nothing is told wrongly.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from tests.generators.histories import generate_history
from tests.integration.service import (
    ORGANIZATION,
    administer,
    event,
    eventually,
    fresh_database,
    ids,
    publish,
    read_topic,
    running,
    settled,
    snapshot,
    stored,
    view_of,
)

from rooftree.bootstrap import open_store
from rooftree.embedded import embedded_broker
from rooftree.errors import LogLossError, LostPartitionError, StaleViewError, UnavailableError
from rooftree.ports import BatchCommit, LogPartition, OrganizationCommit, OutgoingRecord
from rooftree.settings import LogLossPolicy, Settings
from rooftree.store.database import Database
from rooftree.store.listening import PostgresNudges
from rooftree.store.outbox import PostgresOutbox
from rooftree.store.projection import PostgresProjection
from rooftree.stream import KafkaPublisher, ensure_topics
from rooftree.view.patch import Patch, Position
from rooftree.workers.relay import Relay

pytestmark = pytest.mark.integration

ATTACHED = event(
    "attach", "policy.attached", "2026-01-02T00:00:00Z", policy_id="p-denyregions", target_id="ou-ab12-aaaaaaaa"
)
DETACHED = event(
    "detach", "policy.detached", "2026-01-03T00:00:00Z", policy_id="p-denyregions", target_id="ou-ab12-aaaaaaaa"
)


async def test_a_second_start_goes_on_where_the_first_one_stopped(settings: Settings) -> None:
    """
    Stopping between any two changes leaves no trace in the view.
    """
    await publish(settings, snapshot())
    async with running(settings):
        await settled(settings, records=1)
    await publish(settings, ATTACHED)
    async with running(settings):
        await settled(settings, records=2)
    await publish(settings, DETACHED)
    async with running(settings):
        await settled(settings, records=3)

    undisturbed = settings.model_copy(update={"consumer_group": "undisturbed"})
    async with fresh_database(undisturbed) as other:
        async with running(other, relay=False):
            await settled(other, records=3, relayed=False)
        expected = await view_of(other)

    assert expected == await view_of(settings)


async def test_however_the_log_is_cut_into_batches_the_view_is_the_same(settings: Settings) -> None:
    """
    One record a transaction, or all of them in one: history, audit events and hashes agree.
    """
    history = generate_history(Random(3), changes=60)
    await publish(settings, *history.records)
    views = []
    for size in (1, 500):
        cut = settings.model_copy(update={"batch_max_records": size})
        async with fresh_database(cut) as other:
            async with running(other, relay=False):
                await settled(other, records=len(history.events), relayed=False, seconds=60)
            views.append(await view_of(other))

    assert views[0]["audit"]
    assert views[0] == views[1]


async def test_of_two_who_commit_the_same_records_one_is_refused(settings: Settings) -> None:
    """
    The stored offset is moved from where the batch starts or not at all.
    """
    partition = LogPartition("log", settings.changes_topic, 0)
    batch = BatchCommit(partition, 0, 5)
    async with open_store(settings, "rivals") as database:
        rivals = [projection(database, settings) for _ in range(2)]
        outcomes = await asyncio.gather(*(rival.commit(batch) for rival in rivals), return_exceptions=True)
        offsets = await rivals[0].stored_offsets("log", settings.changes_topic)

    assert [LostPartitionError, type(None)] == sorted((type(each) for each in outcomes), key=lambda each: each.__name__)
    assert {0: 5} == offsets


async def test_a_view_that_another_writer_has_moved_on_is_not_written_back(settings: Settings) -> None:
    """
    The version of the organization is compared under its lock; the offset stays where it was, too.
    """
    partition = LogPartition("log", settings.changes_topic, 0)
    touched = OrganizationCommit(ORGANIZATION, 0, (Patch(ORGANIZATION, Position()),), (), ())
    async with open_store(settings, "rivals") as database:
        store = projection(database, settings)
        await store.commit(BatchCommit(partition, 0, 1, (touched,)))
        with pytest.raises(StaleViewError):
            await store.commit(BatchCommit(partition, 1, 2, (touched,)))
        offsets = await store.stored_offsets("log", settings.changes_topic)

    assert {0: 1} == offsets


async def test_two_projectors_on_one_partition_do_no_harm(settings: Settings) -> None:
    """
    Both read everything; each change takes effect once.
    """
    history = generate_history(Random(5), changes=40)
    cut = settings.model_copy(update={"batch_max_records": 3})
    async with running(cut), running(cut):
        for record in history.records:
            await publish(cut, record)
        await settled(cut, records=len(history.events), seconds=60)
    async with fresh_database(settings) as other:
        async with running(other, relay=False):
            await settled(other, records=len(history.events), relayed=False)
        expected = await view_of(other)

    assert expected == await view_of(settings)


async def test_a_database_that_goes_away_again_and_again_skips_nothing(settings: Settings) -> None:
    """
    Every session is cut off many times, in the middle of whatever it does: nothing is parked, and the view is right.
    """
    history = generate_history(Random(9), changes=150)
    cut = settings.model_copy(update={"batch_max_records": 4})
    random = Random(9)
    async with running(cut):
        await publish(cut, *history.records)
        while await records_read(cut) < len(history.events):
            await cut_off(settings)
            await asyncio.sleep(random.uniform(0.05, 0.4))
        await settled(cut, records=len(history.events), seconds=60)
    async with fresh_database(settings) as other:
        async with running(other, relay=False):
            await settled(other, records=len(history.events), relayed=False)
        expected = await view_of(other)

    assert [] == await stored(settings, "select reason from rooftree.dead_letter")
    assert expected == await view_of(settings)


async def cut_off(settings: Settings) -> None:
    """
    End every session of the database.
    """
    dsn = settings.postgres_dsn.get_secret_value()
    name = dsn.rpartition("/")[2]
    await administer(dsn, f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")


async def records_read(settings: Settings) -> int:
    """
    Return how many records are processed.
    """
    [row] = await stored(settings, "select coalesce(sum(next_offset), 0)::bigint as read from rooftree.consumer_offset")
    return int(row["read"])


class DyingPublisher(KafkaPublisher):
    """
    Sends, and dies before that can be written down.
    """

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        """
        Send all, and fail.
        """
        await super().publish(records)
        raise UnavailableError("the process ends here")


async def test_a_relay_that_dies_after_sending_sends_the_same_bytes_again(settings: Settings) -> None:
    """
    Nothing is marked that was not sent, and a repetition can be told by its id.
    """
    await publish(settings, snapshot(), ATTACHED)
    async with running(settings, relay=False):
        await settled(settings, records=2, relayed=False)
    async with (
        open_store(settings, "dying") as database,
        PostgresNudges.open(settings.postgres_dsn.get_secret_value()) as nudges,
    ):
        publisher = DyingPublisher(settings)
        relay = Relay(PostgresOutbox(database), publisher, nudges, permissions_topic=settings.permissions_topic)
        with pytest.raises(UnavailableError, match="ends here"):
            await relay.round()
        await publisher.close()
    first = await read_topic(settings, settings.audit_topic)
    async with running(settings, projector=False):
        await settled(settings, records=2)
    every = await read_topic(settings, settings.audit_topic)

    assert 2 == len(first)
    assert sorted(ids(first) * 2) == sorted(ids(every))
    assert {record.value for record in first} == {record.value for record in every}


async def test_a_broker_that_forgot_is_filled_again(settings: Settings, tmp_path: Path) -> None:
    """
    A broker made anew has the state of every account soon after the start, and its changes are read from the first.
    """
    await publish(settings, snapshot(), ATTACHED)
    async with running(settings):
        await settled(settings, records=2)
    before = await view_of(settings)
    async with embedded_broker(tmp_path) as anew:
        moved = settings.model_copy(update={"kafka_bootstrap": anew.bootstrap})
        await ensure_topics(moved)
        await publish(moved, ATTACHED, DETACHED)
        async with running(moved):
            await settled(moved, records=4)
        states = {record.key: json.loads(record.value) for record in await read_topic(moved, moved.permissions_topic)}
        audit = await read_topic(moved, moved.audit_topic)

    accounts = await stored(settings, "select account_id, permissions_id, revision from rooftree.account order by 1")

    assert 1 == before["organizations"][0]["revision"]
    assert {row["account_id"].encode() for row in accounts} == set(states)
    assert [row["permissions_id"] for row in accounts] == [
        states[key]["data"]["permissions_id"] for key in sorted(states)
    ]
    assert {"detach"} == {json.loads(record.value)["data"]["cause"]["event_id"] for record in audit}


async def test_unread_records_that_are_gone_stop_the_service(settings: Settings) -> None:
    """
    A log that ends before what was read has been cut; going on as if nothing were is not for a program to decide.
    """
    await publish(settings, snapshot())
    async with running(settings, relay=False):
        await settled(settings, records=1, relayed=False)
    await stored(settings, "update rooftree.consumer_offset set next_offset = next_offset + 1000")

    with pytest.raises(LogLossError, match="was read up to 1001"):
        async with running(settings, relay=False) as work:
            await asyncio.wait([work], timeout=10)


async def test_reading_on_after_a_loss_marks_what_may_miss_something(settings: Settings) -> None:
    """
    With the policy to resume, reading starts at what there is, and the organizations of that partition are incomplete.
    """
    await publish(settings, snapshot())
    async with running(settings):
        await settled(settings, records=1)
    await stored(settings, "update rooftree.consumer_offset set next_offset = next_offset + 1000")
    resumed = settings.model_copy(update={"log_loss": LogLossPolicy.RESUME})

    async def is_marked() -> bool:
        [row] = await stored(settings, "select incomplete_reason from rooftree.organization")
        return row["incomplete_reason"] is not None

    await publish(settings, ATTACHED)
    async with running(resumed):
        await eventually(is_marked)
        await settled(resumed, records=2)

    [account] = await stored(settings, "select * from rooftree.account_permissions where account_id = '222222222222'")
    [organization] = await stored(settings, "select incomplete_reason from rooftree.organization")

    assert ("attach", False) == (account["cause_event_id"], account["complete"])
    assert "was read up to 1001" in organization["incomplete_reason"]


def projection(database: Database, settings: Settings) -> PostgresProjection:
    """
    Return a projector's side of the store.
    """
    return PostgresProjection(
        database, consumer_group=settings.consumer_group, permissions_topic=settings.permissions_topic
    )
