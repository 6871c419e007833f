"""
A process that is killed at any moment: nothing is lost, nothing is told twice under another name.
"""

from __future__ import annotations

import asyncio
import json
import os
from functools import partial
from pathlib import Path
from random import Random

import pytest
from tests.faults.workers import worker
from tests.generators.histories import generate_history
from tests.integration.service import (
    UNSENT,
    eventually,
    fresh_database,
    ids,
    publish,
    read_topic,
    running,
    settled,
    stored,
    view_of,
)

from rooftree.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.slow]

# ROOFTREE_TEST_KILL_CHANGES=10000 makes a night of it.
CHANGES = int(os.environ.get("ROOFTREE_TEST_KILL_CHANGES", "300"))
SEED = int(os.environ.get("ROOFTREE_TEST_KILL_SEED", "17"))


async def position(settings: Settings) -> int:
    """
    Return how many records are processed.
    """
    [row] = await stored(settings, "select coalesce(sum(next_offset), 0)::bigint as read from rooftree.consumer_offset")
    return int(row["read"])


async def has_moved(settings: Settings, begun: int) -> bool:
    """
    Tell whether anything was processed since.
    """
    return await position(settings) > begun


async def run_with_kills(settings: Settings, random: Random, log_path: Path, *, records: int) -> int:
    """
    Process all records with a process that is killed at random moments after it has begun; return how often.
    """
    kills = 0
    while await position(settings) < records:
        begun = await position(settings)
        async with worker(settings, "projector", "relay", log_path=log_path):
            await eventually(partial(has_moved, settings, begun))
            await asyncio.sleep(random.uniform(0, 0.5))
        kills += 1
    return kills


async def test_a_process_killed_at_random_moments_ends_as_if_nothing_had_happened(
    settings: Settings, tmp_path: Path
) -> None:
    """
    The view, its history and its audit events are those of a run without disturbance, and every event is sent,
    repeated at most, each time as the same bytes.
    """
    random = Random(SEED)
    history = generate_history(random, changes=CHANGES)
    records = history.records
    settings = settings.model_copy(update={"batch_max_records": max(4, len(records) // 40)})
    await publish(settings, *records, key=history.organization_id)

    kills = await run_with_kills(settings, random, tmp_path / "killed.log", records=len(records))
    # One more delivery of the first record tells that the last process is up.
    await publish(settings, records[0], key=history.organization_id)
    records.append(records[0])
    async with worker(settings, "projector", "relay", log_path=tmp_path / "last.log") as process:
        await settled(settings, records=len(records), seconds=60)
        status = await process.terminate()

    async with fresh_database(settings) as undisturbed:
        async with running(undisturbed, relay=False):
            await settled(undisturbed, records=len(records), relayed=False, seconds=60)
        expected = await view_of(undisturbed)

    sent = await read_topic(settings, settings.audit_topic)
    states = {record.key: record.value for record in await read_topic(settings, settings.permissions_topic)}
    accounts = {row["account_id"]: row["permissions_id"] for row in expected["accounts"]}

    assert kills > 1
    assert 0 == status
    assert expected == await view_of(settings)
    assert {row["event_id"] for row in expected["audit"]} == set(ids(sent))
    assert len({record.value for record in sent}) == len(set(ids(sent)))
    assert accounts == {
        key.decode(): json.loads(value)["data"]["permissions_id"] for key, value in states.items() if value is not None
    }


async def test_a_terminated_process_finishes_what_it_has_in_hand(settings: Settings, tmp_path: Path) -> None:
    """
    SIGTERM in the middle of the log ends it within seconds and with status 0, and what was committed is sent.
    """
    history = generate_history(Random(SEED), changes=CHANGES)
    settings = settings.model_copy(update={"batch_max_records": 5})
    await publish(settings, *history.records, key=history.organization_id)

    async with worker(settings, "projector", "relay", log_path=tmp_path / "log") as process:
        await eventually(partial(has_moved, settings, 0))
        status = await process.terminate()

    [unsent] = await stored(settings, UNSENT)

    assert 0 == status
    assert 0 < await position(settings)
    assert unsent["rows"] <= 2 * len(await stored(settings, "select account_id from rooftree.account"))
