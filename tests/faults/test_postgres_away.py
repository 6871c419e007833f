"""
A PostgreSQL that refuses, dies, is full or is locked: the projector waits, and goes on from the same place.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from random import Random

import asyncpg
import pytest
import structlog
from pydantic import SecretStr
from structlog.testing import capture_logs
from tests.databases import administer
from tests.faults.checks import same_as_undisturbed
from tests.faults.proxy import Proxy, open_proxy
from tests.faults.servers import Postgres
from tests.generators.histories import History, generate_history
from tests.integration.service import eventually, publish, running, settled, stored

from rooftree.bootstrap.database import run_migrate
from rooftree.settings import Settings
from rooftree.store.database import connect_database
from rooftree.telemetry.logs import Action
from rooftree.telemetry.metrics import METRICS_REGISTRY

pytestmark = [pytest.mark.integration, pytest.mark.slow]

POSITION = "select coalesce(sum(next_offset), 0)::bigint as n from rooftree.consumer_offset"


@pytest.fixture(scope="module")
async def mortal(server_folder: Path) -> AsyncIterator[Postgres]:
    """
    A PostgreSQL that these tests may kill.
    """
    folder = server_folder / "mortal"
    folder.mkdir()
    folder.chmod(0o711)
    postgres = Postgres(folder)
    await postgres.start()
    yield postgres
    await postgres.stop()


@pytest.fixture
async def wire(mortal: Postgres) -> AsyncIterator[Proxy]:
    """
    The way to it.
    """
    async with open_proxy(mortal.address) as proxy:
        yield proxy


@pytest.fixture
async def far(settings: Settings, mortal: Postgres, wire: Proxy) -> Settings:
    """
    A service with a database at the end of the wire, in small transactions.
    """
    return await with_database(settings, mortal, wire)


async def with_database(settings: Settings, postgres: Postgres, wire: Proxy, *, clause: str = "") -> Settings:
    """
    Return settings with a new database at the end of the wire.
    """
    name = f"rooftree_{uuid.uuid4().hex[:8]}"
    credentials = postgres.dsn.rpartition("@")[0]
    dsn = f"{credentials}@{wire.address}/{name}"
    await administer(dsn, f'create database "{name}" {clause}')
    chosen = settings.model_copy(
        update={
            "postgres_dsn": SecretStr(dsn),
            "postgres_connect_timeout": 2.0,
            "postgres_lock_timeout": 0.5,
            "batch_max_records": 5,
        }
    )
    await run_migrate(chosen)
    return chosen


def failures() -> float:
    """
    Return how often a worker found a server away.
    """
    labels = {"action": Action.SERVER_AWAY.value}
    return METRICS_REGISTRY.get_sample_value("rooftree_failures_total", labels) or 0.0


def has_failed_since(before: float, times: int = 3) -> Callable[[], Awaitable[bool]]:
    """
    Return a question: have workers found a server away so often since?
    """

    async def question() -> bool:
        return failures() >= before + times

    return question


async def position(settings: Settings) -> int:
    """
    Return how many records are processed.
    """
    [row] = await stored(settings, POSITION)
    return int(row["n"])


async def publish_all(settings: Settings, history: History, part: slice) -> None:
    """
    Publish some of a history.
    """
    await publish(settings, *history.records[part], key=history.organization_id)


@pytest.fixture
def history() -> History:
    """
    What happens meanwhile.
    """
    return generate_history(Random(31), changes=80)


async def test_a_server_that_refuses_connections_is_waited_for(far: Settings, wire: Proxy, history: History) -> None:
    """
    Nothing is read beyond what is stored, and nothing is skipped afterwards.
    """
    await publish_all(far, history, slice(20))
    async with running(far):
        await settled(far, records=20)
        before = failures()
        wire.cut()
        await publish_all(far, history, slice(20, None))
        await eventually(has_failed_since(before))
        wire.mend()
        await settled(far, records=len(history.records), seconds=30)

    await same_as_undisturbed(far)


async def test_a_session_that_is_killed_in_its_transaction_leaves_nothing_behind(
    far: Settings, history: History
) -> None:
    """
    The offset had been moved within it, and stands where it stood.
    """
    await publish_all(far, history, slice(10))
    async with running(far):
        await settled(far, records=10)
        gate = await connect_database(far.postgres_dsn.get_secret_value())
        async with gate.transaction():
            await gate.execute("select from rooftree.organization for update")
            await publish_all(far, history, slice(10, None))
            killed = 0
            while not killed:
                killed = await gate.fetchval(
                    """
                    select count(pg_terminate_backend(pid)) from pg_stat_activity
                    where datname = current_database() and wait_event_type = 'Lock'
                    """
                )
                await asyncio.sleep(0.01)
        await gate.close()
        await settled(far, records=len(history.records), seconds=30)

    assert killed
    await same_as_undisturbed(far)


async def test_a_server_that_dies_and_comes_back_is_gone_on_with(
    far: Settings, mortal: Postgres, wire: Proxy, history: History
) -> None:
    """
    It is killed while it works, again and again; each time it comes back at another port, by way of the same address.
    """
    parts = [slice(start, start + 30) for start in range(0, len(history.records), 30)]
    async with running(far):
        for part in parts:
            before = failures()
            await publish_all(far, history, part)
            await mortal.kill()
            await eventually(has_failed_since(before, 1))
            await mortal.start()
            wire.target = mortal.address
        await settled(far, records=len(history.records), seconds=60)

    await same_as_undisturbed(far)


async def test_a_lock_that_is_held_for_long_is_waited_for(far: Settings, history: History) -> None:
    """
    Each attempt gives up in time, so that the worker sees what else there is to see; none is the last one.
    """
    await publish_all(far, history, slice(10))
    async with running(far):
        await settled(far, records=10)
        before = failures()
        gate = await connect_database(far.postgres_dsn.get_secret_value())
        async with gate.transaction():
            await gate.execute("select from rooftree.organization for update")
            await publish_all(far, history, slice(10, None))
            await eventually(has_failed_since(before))
            stood = await position(far)
        await gate.close()
        await settled(far, records=len(history.records), seconds=30)

    assert 10 == stood
    await same_as_undisturbed(far)


@pytest.fixture
def small_disk(server_folder: Path, mortal: Postgres) -> Iterator[Path]:
    """
    A file system of a few megabytes in memory.
    """
    folder = server_folder / f"disk-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("cannot mount a small file system here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_a_full_disk_is_waited_for(
    settings: Settings, mortal: Postgres, wire: Proxy, small_disk: Path, history: History
) -> None:
    """
    Nothing is parked and nothing skipped; once there is room, everything goes on.
    """
    tables = small_disk / "tables"
    tables.mkdir()
    owner = mortal.data_owner()
    os.chown(tables, *owner)
    await administer(mortal.dsn, f"create tablespace small location '{tables}'")
    chosen = await with_database(settings, mortal, wire, clause="tablespace small")
    await publish_all(chosen, history, slice(10))
    # a new connection might find no room for what it keeps of the catalog
    watching = await asyncpg.connect(chosen.postgres_dsn.get_secret_value())
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    try:
        with capture_logs() as lines:
            async with running(chosen):
                await settled(chosen, records=10)
                assert 10 == await watching.fetchval(POSITION)
                before = failures()
                ballast = small_disk / "ballast"
                ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free))
                await publish_all(chosen, history, slice(10, None))
                await eventually(has_failed_since(before), seconds=60)
                stood = await watching.fetchval(POSITION)
                ballast.unlink()
                await settled(chosen, records=len(history.records), seconds=60)
        await same_as_undisturbed(chosen)
    finally:
        await watching.close()
        name = chosen.postgres_dsn.get_secret_value().rpartition("/")[2]
        await administer(mortal.dsn, f'drop database "{name}" with (force)')
        await administer(mortal.dsn, "drop tablespace small")

    reasons = [line["reason"] for line in lines if line["event"] == Action.SERVER_AWAY]

    assert any("No space left" in reason for reason in reasons)
    assert stood < len(history.records)
