"""
Several projectors share the partitions of one topic.
"""

from __future__ import annotations

from random import Random

import pytest
from tests.generators.histories import generate_history
from tests.integration.service import eventually, fresh_database, publish, running, settled, stored, view_of

from rooftree.settings import Assignment, Settings

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
