"""
Several projectors share the partitions of one topic.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import chain
from random import Random

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from tests.generators.histories import generate_history
from tests.integration.service import eventually, fresh_database, publish, running, settled, stored, view_of

from rooftree.bootstrap.publishing import open_publisher
from rooftree.settings import Assignment, Settings
from rooftree.stream import ensure_topics
from rooftree.stream.client import admin_client

pytestmark = [pytest.mark.integration, pytest.mark.slow]


async def test_partitions_are_shared_and_taken_over(settings: Settings) -> None:
    """
    Two members of a group work side by side, one leaves, one stays; the view is that of one worker alone.
    """
    organizations = [f"o-exampleorg{number}" for number in range(6)]
    histories = {name: generate_history(Random(name), organization_id=name, changes=30) for name in organizations}
    chosen = {"partition_assignment": Assignment.GROUP, "batch_max_records": 10, "kafka_session_timeout": 6}
    shared = settings.model_copy(update=chosen)
    total = sum(len(history.events) for history in histories.values())
    halves = {name: len(history.records) // 2 for name, history in histories.items()}

    async with running(shared):
        async with running(shared):
            for name, history in histories.items():
                await publish(shared, *history.records[: halves[name]], key=name)
            await settled(shared, records=sum(halves.values()), seconds=60)
        for name, history in histories.items():
            await publish(shared, *history.records[halves[name] :], key=name)
        await settled(shared, records=total, seconds=60)

    async with fresh_database(settings) as alone:
        async with running(alone, relay=False):
            await settled(alone, records=total, relayed=False, seconds=60)
        expected = await view_of(alone)

    assert expected == await view_of(shared)


async def shares(settings: Settings) -> list[list[int]]:
    """
    Return the partitions of each member of the group, as the broker knows them.
    """
    async with admin_client(settings) as admin:
        [answer] = await admin.describe_consumer_groups([settings.consumer_group])
    [(_, _, _, _, _, members, *_)] = answer.groups
    assignments = [ConsumerProtocolMemberAssignment.decode(member[-1]) for member in members if member[-1]]
    return sorted(
        sorted(place.partition for place in assignment.partitions()) for assignment in assignments if assignment
    )


def shared_by(settings: Settings, count: int) -> Callable[[], Awaitable[bool]]:
    """
    Return a question: do so many members have all three partitions between them?
    """

    async def question() -> bool:
        found = await shares(settings)
        return count == len(found) and [0, 1, 2] == sorted(chain.from_iterable(found)) and all(found)

    return question


@pytest.mark.usefixtures("kafka")
async def test_organizations_move_between_three_projectors(settings: Settings) -> None:
    """
    Each of three has one of three partitions; one that stops hands its own over at once, not when its session ends;
    one that starts gets some. Changes come all the while, and the view is that of one worker alone.
    """
    names = [f"o-exampleorg{number}" for number in range(9)]
    histories = {name: generate_history(Random(name), organization_id=name, changes=40) for name in names}
    shared = settings.model_copy(
        update={
            "partition_assignment": Assignment.GROUP,
            "changes_topic": f"{settings.changes_topic}-three",
            "topic_partitions": 3,
            "batch_max_records": 5,
            "kafka_session_timeout": 30.0,
        }
    )
    await ensure_topics(shared)
    records = [(name, record) for name, history in histories.items() for record in history.records]
    Random(1).shuffle(records)

    async def tell() -> None:
        for start in range(0, len(records), 10):
            async with open_publisher(shared) as publisher:
                await publisher.publish_changes(records[start : start + 10])
            await asyncio.sleep(0.1)

    telling = asyncio.create_task(tell())
    async with running(shared), running(shared):
        async with running(shared):
            await eventually(shared_by(shared, 3))
        await eventually(shared_by(shared, 2), seconds=10)
        async with running(shared):
            await eventually(shared_by(shared, 3), seconds=10)
            await telling
            await settled(shared, records=len(records), seconds=60)

    async with fresh_database(shared) as alone:
        async with running(alone.model_copy(update={"partition_assignment": Assignment.ALL}), relay=False):
            await settled(alone, records=len(records), relayed=False, seconds=60)
        expected = await view_of(alone)

    assert expected == await view_of(shared)
    assert len({row["partition_id"] for row in await stored(shared, "select * from rooftree.seen_event")}) == 3


async def test_a_change_under_another_key_does_no_harm(settings: Settings) -> None:
    """
    Changes of one organization that come by several partitions end in the same state.
    """
    history = generate_history(Random(2), changes=40)
    for number, record in enumerate(history.records):
        await publish(settings, record, key=f"somebody {number % 5}")
    async with running(settings), running(settings):
        await settled(settings, records=len(history.records), seconds=60)

    async def is_there() -> bool:
        rows = await stored(settings, "select account_id from rooftree.account")
        return {row["account_id"] for row in rows} == set(history.outcome.accounts)

    await eventually(is_there)
    audit = await stored(settings, "select revision, part, parts, data from rooftree.audit_event order by 1, 2")
    hashes = [row["data"]["chain_hash"] for row in audit]

    assert [each["this"] for each in hashes[:-1]] == [each["previous"] for each in hashes[1:]]
