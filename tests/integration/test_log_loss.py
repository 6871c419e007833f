"""
A broker that forgets: another cluster, a topic made anew, records that are gone. It stops the service, or what may
miss something is marked; nothing is skipped in silence.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiokafka.admin import RecordsToDelete
from aiokafka.structs import TopicPartition
from tests.brokers import Broker, run_broker
from tests.commands import COMMAND
from tests.integration.service import (
    event,
    eventually,
    publish,
    read_topic,
    running,
    settled,
    snapshot,
    stored,
    view_of,
)

from rooftree.benchmarks.processes import as_environment
from rooftree.bootstrap.reading import open_reader
from rooftree.errors import LogLossError, UnavailableError
from rooftree.settings import LogLossPolicy, Settings
from rooftree.stream import ensure_topics
from rooftree.stream.client import admin_client
from rooftree.stream.identity import topic_identity

pytestmark = pytest.mark.integration

ATTACHED = event(
    "attach", "policy.attached", "2026-01-02T00:00:00Z", policy_id="p-denyregions", target_id="ou-ab12-aaaaaaaa"
)
DETACHED = event(
    "detach", "policy.detached", "2026-01-03T00:00:00Z", policy_id="p-denyregions", target_id="ou-ab12-aaaaaaaa"
)
PROJECTOR = [*COMMAND, "projector"]


def later() -> bytes:
    """
    Return a snapshot that is later than every mark so far, and not so far ahead that it would be parked.
    """
    return snapshot("later", (datetime.now(UTC) + timedelta(minutes=2)).isoformat())


@pytest.fixture
async def read(settings: Settings) -> Settings:
    """
    A service that has read two changes and was stopped; it looks often whether the log is still the same.
    """
    watchful = settings.model_copy(update={"stall_timeout": 1.0})
    await publish(watchful, snapshot(), ATTACHED)
    async with running(watchful):
        await settled(watchful, records=2)
    return watchful


@pytest.fixture
async def another_broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """
    A broker with nothing in it.
    """
    async with run_broker(tmp_path / "another") as started:
        yield started


def resuming(settings: Settings) -> Settings:
    """
    Return the settings with the policy to read on.
    """
    return settings.model_copy(update={"on_log_loss": LogLossPolicy.RESUME})


async def moved(settings: Settings, broker: Broker) -> Settings:
    """
    Return the settings for another broker, which has the topics.
    """
    chosen = settings.model_copy(update={"kafka_bootstrap": broker.bootstrap})
    await ensure_topics(chosen)
    return chosen


async def make_anew(settings: Settings, topic: str) -> None:
    """
    Delete a topic and make it again.
    """
    before = await topic_identity(settings, topic)
    async with admin_client(settings) as admin:
        await admin.delete_topics([topic])

    async def is_another() -> bool:
        try:
            await ensure_topics(settings)
        except UnavailableError:  # Kafka deletes it in its own time
            return False
        return (await topic_identity(settings, topic)).topic_id not in ("", before.topic_id)

    await eventually(is_another)


async def incomplete_reason(settings: Settings) -> str | None:
    """
    Return why the organization counts as incomplete.
    """
    [row] = await stored(settings, "select incomplete_reason from rooftree.organization")
    return row["incomplete_reason"]


def is_incomplete(settings: Settings) -> Callable[[], Awaitable[bool]]:
    """
    Return a question: is the organization marked?
    """

    async def question() -> bool:
        return await incomplete_reason(settings) is not None

    return question


async def failing(settings: Settings, message: str) -> None:
    """
    Run the projector, which has to end by a loss that is told so.
    """
    with pytest.raises(LogLossError, match=message):
        async with running(settings, relay=False) as work:
            await asyncio.wait([work], timeout=10)


async def test_another_cluster_stops_the_service(read: Settings, another_broker: Broker) -> None:
    """
    Changes may have been lost with the cluster before; to read on as if nothing were is not for a program to decide.
    """
    elsewhere = await moved(read, another_broker)
    before = await view_of(read)
    await publish(elsewhere, DETACHED)

    await failing(elsewhere, "was read from the log .* before")

    assert before == await view_of(read)


async def test_a_service_that_has_stopped_is_seen_from_other_processes(read: Settings) -> None:
    """
    The projector has ended, and an API beside it would answer as if nothing were; the mark goes when reading goes on.
    """
    await make_anew(read, read.changes_topic)
    async with open_reader(read) as reader:
        before = await reader.log_loss()
        await failing(read, "was read from the log .* before")
        during = await reader.log_loss()
        async with running(resuming(read), relay=False):
            await eventually(is_incomplete(read))
        after = await reader.log_loss()

    assert before is None
    assert during is not None
    assert during.partitions in {1, 2}
    assert after is None


async def test_the_command_ends_with_a_status_and_says_what_to_do(read: Settings) -> None:
    """
    Whoever runs it sees that it does not run, and why.
    """
    await make_anew(read, read.changes_topic)
    told = {"env": as_environment(read), "capture_output": True, "text": True, "timeout": 60}
    done = await asyncio.to_thread(subprocess.run, PROJECTOR, **told, check=False)

    assert 3 == done.returncode
    assert "ROOFTREE_ON_LOG_LOSS=resume" in done.stderr.splitlines()[-1]
    assert "consumer.log_lost" in done.stderr


async def test_another_cluster_is_read_from_its_start_and_marks(read: Settings, another_broker: Broker) -> None:
    """
    With the policy to resume, every change there is applied, and the organization is incomplete until a snapshot.
    """
    elsewhere = resuming(await moved(read, another_broker))
    await publish(elsewhere, ATTACHED, DETACHED)
    async with running(elsewhere):
        await eventually(is_incomplete(read))
        await settled(elsewhere, records=4)
        marked = await incomplete_reason(read)
        await publish(elsewhere, later())
        await settled(elsewhere, records=5)
    [row] = await stored(read, "select * from rooftree.account_permissions where account_id = '222222222222'")

    assert marked is not None
    assert "was read from the log" in marked
    assert None is await incomplete_reason(read)
    assert "later" in row["cause_event_id"] or "detach" == row["cause_event_id"]


async def test_a_loss_that_was_marked_is_not_marked_again(read: Settings, another_broker: Broker) -> None:
    """
    The next start goes on in the new log like in any other.
    """
    elsewhere = resuming(await moved(read, another_broker))
    async with running(elsewhere):
        await eventually(is_incomplete(read))
        await publish(elsewhere, later())
        await settled(elsewhere, records=3)
    strict = elsewhere.model_copy(update={"on_log_loss": LogLossPolicy.STOP})
    await publish(strict, DETACHED)
    async with running(strict):
        await settled(strict, records=4)

    assert None is await incomplete_reason(read)


async def test_a_broker_that_forgets_by_design_is_filled_again(read: Settings, another_broker: Broker) -> None:
    """
    The broker of `rooftree up` is another one at each start: it has the state of every account soon, its changes are
    read from the first, and nothing is marked.
    """
    before = await view_of(read)
    elsewhere = await moved(read, another_broker)
    await publish(elsewhere, ATTACHED, DETACHED)
    async with running(elsewhere, forgetful=True):
        await settled(elsewhere, records=4)
    states = {record.key: json.loads(record.value) for record in await read_topic(elsewhere, read.permissions_topic)}
    audit = await read_topic(elsewhere, read.audit_topic)
    accounts = await stored(read, "select account_id, permissions_id, revision from rooftree.account order by 1")

    assert 1 == before["organizations"][0]["revision"]
    assert None is await incomplete_reason(read)
    assert {row["account_id"].encode() for row in accounts} == set(states)
    assert [row["permissions_id"] for row in accounts] == [
        states[key]["data"]["permissions_id"] for key in sorted(states)
    ]
    assert {"detach"} == {json.loads(record.value)["data"]["cause"]["event_id"] for record in audit}


async def test_a_topic_made_anew_is_not_taken_for_the_old_one(read: Settings) -> None:
    """
    Also when it holds as many records as were read, so that the stored offset lies within it.
    """
    await make_anew(read, read.changes_topic)
    await publish(read, DETACHED, later(), DETACHED)

    await failing(read, "was read from the log .* before")

    assert 1 == (await view_of(read))["organizations"][0]["revision"]


async def test_a_topic_made_anew_is_read_from_its_start(read: Settings) -> None:
    """
    With the policy to resume: records before the offset that was stored are not skipped.
    """
    await make_anew(read, read.changes_topic)
    await publish(read, DETACHED, DETACHED, DETACHED)
    async with running(resuming(read)):
        await eventually(is_incomplete(read))
        await settled(read, records=5)
    seen = await stored(read, "select event_id from rooftree.seen_event order by event_id")

    assert ["attach", "detach", "snapshot"] == [row["event_id"] for row in seen]


async def test_a_topic_made_anew_under_a_running_projector_is_noticed(read: Settings) -> None:
    """
    The client goes on as if nothing were; the id of the topic tells.
    """
    chosen = resuming(read)
    async with running(chosen, relay=False):
        await asyncio.sleep(0.3)
        await make_anew(chosen, chosen.changes_topic)
        await publish(chosen, DETACHED, DETACHED, DETACHED)
        await eventually(is_incomplete(read))
        await settled(chosen, records=5, relayed=False)

    [row] = await stored(read, "select count(*) as seen from rooftree.seen_event where event_id = 'detach'")
    assert 1 == row["seen"]


async def test_a_topic_made_anew_stops_a_running_projector(read: Settings) -> None:
    """
    With the policy to stop.
    """

    async def run() -> None:
        async with running(read, relay=False) as work:
            await asyncio.sleep(0.3)
            await make_anew(read, read.changes_topic)
            await asyncio.wait([work], timeout=20)

    with pytest.raises(LogLossError):
        await run()


async def test_a_broker_that_begins_to_tell_ids_of_topics_is_no_other(read: Settings) -> None:
    """
    What was read of it before goes on being read.
    """
    await stored(read, "update rooftree.consumer_offset set log_id = split_part(log_id, '/', 1)")
    await publish(read, DETACHED)
    async with running(read):
        await settled(read, records=3)
    rows = await stored(read, "select distinct log_id from rooftree.consumer_offset")

    assert [(await topic_identity(read, read.changes_topic)).log_id] == [row["log_id"] for row in rows]


async def test_a_topic_that_is_gone_is_waited_for(read: Settings) -> None:
    """
    Nothing is read and nothing is lost while there is none.
    """
    async with admin_client(read) as admin:
        await admin.delete_topics([read.changes_topic])

    async def is_gone() -> bool:
        return not (await topic_identity(read, read.changes_topic)).partitions

    await eventually(is_gone)
    with pytest.raises(UnavailableError, match="there is no topic"):
        async with running(read):
            pass


async def test_account_states_fill_a_topic_that_was_made_anew(read: Settings) -> None:
    """
    The compacted topic has the state of every account again.
    """
    await make_anew(read, read.permissions_topic)
    async with running(read):

        async def is_filled() -> bool:
            return 3 == len(await read_topic(read, read.permissions_topic))

        await eventually(is_filled)
    keys = {record.key for record in await read_topic(read, read.permissions_topic)}

    assert {b"111111111111", b"222222222222", b"333333333333"} == keys


@pytest.mark.usefixtures("kafka")
async def test_records_that_are_deleted_before_they_are_read_stop_the_service(read: Settings) -> None:
    """
    A log that begins behind what was read has lost what lies between.
    """
    await lose_records(read)

    await failing(read, "has records from")


@pytest.mark.usefixtures("kafka")
async def test_reading_on_behind_deleted_records_marks(read: Settings) -> None:
    """
    With the policy to resume, what is left is read, and the organization is incomplete.
    """
    await lose_records(read)
    async with running(resuming(read)):
        await eventually(is_incomplete(read))
        await settled(read, records=4)
    reason = await incomplete_reason(read)
    [row] = await stored(read, "select * from rooftree.account_permissions where account_id = '222222222222'")

    assert reason is not None
    assert "has records from" in reason
    assert False is row["complete"]


async def lose_records(settings: Settings) -> None:
    """
    Publish two changes, and have the broker delete the first of them.
    """
    await publish(
        settings,
        DETACHED,
        event("renamed", "ou.renamed", "2026-01-04T00:00:00Z", ou_id="ou-ab12-aaaaaaaa", name="Work"),
    )
    [row] = await stored(
        settings, "select partition_id, next_offset from rooftree.consumer_offset where next_offset > 0"
    )
    place = TopicPartition(settings.changes_topic, row["partition_id"])
    async with admin_client(settings) as admin:
        await admin.delete_records({place: RecordsToDelete(row["next_offset"] + 1)})


async def test_a_log_that_ends_before_what_was_read_stops_the_service(read: Settings) -> None:
    """
    It has been cut.
    """
    await stored(read, "update rooftree.consumer_offset set next_offset = next_offset + 1000")

    await failing(read, "was read up to 100")


async def test_reading_on_after_a_loss_marks_what_may_miss_something(settings: Settings) -> None:
    """
    With the policy to resume, reading starts at what there is, and the organizations of that partition are incomplete.
    """
    await publish(settings, snapshot())
    async with running(settings):
        await settled(settings, records=1)
    await stored(settings, "update rooftree.consumer_offset set next_offset = next_offset + 1000")
    resumed = resuming(settings)
    await publish(settings, ATTACHED)
    async with running(resumed):
        await eventually(is_incomplete(settings))
        await settled(resumed, records=2)

    [account] = await stored(settings, "select * from rooftree.account_permissions where account_id = '222222222222'")
    reason = await incomplete_reason(settings)

    assert ("attach", False) == (account["cause_event_id"], account["complete"])
    assert reason is not None
    assert "was read up to 1001" in reason


async def test_organizations_of_other_partitions_are_not_marked(settings: Settings) -> None:
    """
    They miss nothing.
    """
    others = [f"o-exampleorg{number}" for number in range(6)]
    for name in others:
        await publish(settings, snapshot(f"snapshot of {name}", organization=name), key=name)
    async with running(settings):
        await settled(settings, records=6)
    cut = "update rooftree.consumer_offset set next_offset = next_offset + 1000 where partition_id = 0"
    await stored(settings, cut)
    async with running(resuming(settings)):
        await eventually(is_any_incomplete(settings))
    rows = await stored(
        settings,
        """
        select distinct s.partition_id, o.incomplete_since is not null as marked
        from rooftree.seen_event as s
        join rooftree.organization as o using (organization_id)
        order by 1
        """,
    )

    assert [(0, True), (1, False)] == [(row["partition_id"], row["marked"]) for row in rows]


def is_any_incomplete(settings: Settings) -> Callable[[], Awaitable[bool]]:
    """
    Return a question: is every organization of the first partition marked?
    """

    async def question() -> bool:
        rows = await stored(
            settings,
            """
            select 1 from rooftree.seen_event as s
            join rooftree.organization as o using (organization_id)
            where s.partition_id = 0 and o.incomplete_since is null
            """,
        )
        return not rows

    return question
