"""
Stops, crashes, rivals and servers that forget: the view is what the log says, and nothing is told wrongly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random

import pytest
from tests.databases import administer
from tests.generators.histories import generate_history
from tests.integration.service import (
    ORGANIZATION,
    event,
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

from rooftree.bootstrap.database import open_store
from rooftree.errors import LostPartitionError, StaleViewError, UnavailableError
from rooftree.ports.change_log import LogPartition
from rooftree.ports.projection import BatchCommit, OrganizationCommit
from rooftree.ports.publishing import OutgoingRecord
from rooftree.settings import Settings
from rooftree.store.database import Database
from rooftree.store.listening import PostgresNudges
from rooftree.store.outbox import PostgresOutbox
from rooftree.store.projection import PostgresProjection
from rooftree.stream import KafkaPublisher
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
    history = generate_history(Random(3), changes=60, principals=6)
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
    touched = OrganizationCommit(ORGANIZATION, 0, (Patch(ORGANIZATION, Position()),), (), None)
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
    history = generate_history(Random(5), changes=40, principals=4)
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
    history = generate_history(Random(9), changes=150, principals=6)
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


def projection(database: Database, settings: Settings) -> PostgresProjection:
    """
    Return a projector's side of the store.
    """
    return PostgresProjection(
        database, consumer_group=settings.consumer_group, permissions_topic=settings.permissions_topic
    )
