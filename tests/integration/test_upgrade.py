"""
From any schema that was released to that of this version, with data, while others read and write.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr
from tests.databases import own_database
from tests.integration.service import (
    command,
    event,
    eventually,
    publish,
    read_topic,
    running,
    settled,
    snapshot,
    stored,
)

from rooftree.errors import RefusedRowError, UnavailableError
from rooftree.settings import Settings
from rooftree.store.database import connect_database
from rooftree.store.migrations import Migration, apply_migrations, migrations

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

# Rows that the workers of each time wrote, up to the last step that they knew.
CASES = Path(__file__).parents[1] / "cases" / "upgrade"
FROZEN = {int(path.stem): path for path in sorted(CASES.glob("*.sql"))}
NEWEST = migrations()[-1].version
FIRST = min(FROZEN)
PREFIXES = [step.version for step in migrations() if FIRST <= step.version < NEWEST]

VIEWS = {
    "account_permissions": "organization_id, account_id",
    "account_permissions_history": "organization_id, account_id, valid_from",
    "audit_events": "organization_id, revision, part",
    "action_verdicts": "organization_id, permissions_id, service, action",
}
"""What the views of the contract are ordered by."""

BLOCK = re.compile(r"^COPY rooftree\.(\w+) \(([^)]*)\) FROM stdin;\n(.*?)^\\\.\n", re.MULTILINE | re.DOTALL)


@pytest.fixture
async def empty(settings: Settings, postgres_server: str) -> AsyncIterator[Settings]:
    """
    A database with nothing in it.
    """
    async with own_database(postgres_server) as dsn:
        yield settings.model_copy(update={"postgres_dsn": SecretStr(dsn)})


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """
    Open a connection for the time of the context.
    """
    connection = await connect_database(settings.postgres_dsn.get_secret_value())
    try:
        yield connection
    finally:
        await connection.close()


async def fill(connection: asyncpg.Connection[asyncpg.Record], version: int) -> int:
    """
    Put in the rows of the latest time that is not after *version*; return of which time they are.
    """
    frozen = max(number for number in FROZEN if number <= version)
    text = FROZEN[frozen].read_text("utf-8")
    async with connection.transaction():
        for table, columns, rows in BLOCK.findall(text):
            names = [name.strip().strip('"') for name in columns.split(",")]
            source = io.BytesIO(rows.encode())
            await connection.copy_to_table(table, schema_name="rooftree", columns=names, source=source)
        for statement in re.findall(r"^SELECT pg_catalog\.setval.*$", text, re.MULTILINE):
            await connection.execute(statement)
    return frozen


async def seen(connection: asyncpg.Connection[asyncpg.Record]) -> dict[str, list[dict[str, Any]]]:
    """
    Return what the views of the contract show.
    """
    return {
        view: [dict(row) for row in await connection.fetch(f"select * from rooftree.{view} order by {order}")]
        for view, order in VIEWS.items()
    }


@dataclass(slots=True)
class Reading:
    """
    Somebody who reads the views of the contract all the time.
    """

    settings: Settings
    rounds: int = 0
    repeated: int = 0
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """
        Read until told to stop; a view that is missing, or that keeps its reader waiting for seconds, fails. Who loses
        against a step once reads again, as PostgreSQL asks of everybody.
        """
        async with connected(self.settings) as connection:
            await connection.execute("set lock_timeout = '5s'")
            while not self.stop.is_set():
                try:
                    for view in VIEWS:
                        # Not prepared: a plan that was kept is made anew after a step, as any pool does it.
                        await connection.execute(f"select count(*) from rooftree.{view}")
                except asyncpg.DeadlockDetectedError:
                    # Where the machine stalls a step between two locks for as long as PostgreSQL waits before it looks.
                    self.repeated += 1
                self.rounds += 1


@asynccontextmanager
async def read_by_somebody(settings: Settings) -> AsyncIterator[Reading]:
    """
    Have the views read while the context lasts.
    """
    reading = Reading(settings)
    async with asyncio.TaskGroup() as group:
        group.create_task(reading.run())
        yield reading
        reading.stop.set()


@pytest.mark.parametrize("version", PREFIXES)
async def test_data_of_every_released_schema_are_there_in_the_newest(empty: Settings, version: int) -> None:
    """
    Two who migrate at once take turns, readers go on, and the views show the same rows as before.
    """
    async with connected(empty) as connection, connected(empty) as another:
        await apply_migrations(connection, steps=[step for step in migrations() if step.version <= version])
        await fill(connection, version)
        before = await seen(connection)
        async with read_by_somebody(empty) as reading:
            begun = reading.rounds
            applied = sorted(await asyncio.gather(apply_migrations(connection), apply_migrations(another)))
            await eventually(lambda: _has_gone_on(reading, begun))
        await another.reload_schema_state()
        after = await seen(another)

    assert [step.name for step in migrations() if step.version > version] == [*applied[0], *applied[1]]
    assert reading.repeated <= 1
    assert before["account_permissions"]
    assert before == {
        view: [
            {name: value for name, value in row.items() if not before[view] or name in before[view][0]} for row in rows
        ]
        for view, rows in after.items()
    }


async def _has_gone_on(reading: Reading, begun: int) -> bool:
    return reading.rounds > begun + 2


@pytest.mark.parametrize("version", [number for number in FROZEN if number < NEWEST])
async def test_what_was_written_then_verifies_once_it_is_computed_anew(empty: Settings, version: int) -> None:
    """
    Names of permissions may have changed in between, so the view is computed anew from the facts; the audit events of
    then are as they were.
    """
    async with connected(empty) as connection:
        await apply_migrations(connection, steps=[step for step in migrations() if step.version <= version])
        await fill(connection, version)
        await apply_migrations(connection)
    audited = await command(empty, "audit", "verify")
    rebuilt = await command(empty, "rebuild")
    verified = await command(empty, "verify")

    assert (0, 0, 0) == (audited.status, rebuilt.status, verified.status), (audited, rebuilt, verified)


async def test_workers_of_this_version_go_on_while_the_next_one_migrates(settings: Settings) -> None:
    """
    Steps add; whoever knows nothing of what they add is not disturbed, so roles are restarted after the migration.
    """
    steps = [
        *migrations(),
        Migration(9997, "9997_column.sql", "alter table rooftree.account add column note text not null default '';"),
        Migration(
            9998,
            "9998_index.sql",
            "drop index concurrently if exists rooftree.audit_event_by_time;\n"
            "create index concurrently audit_event_by_time on rooftree.audit_event (time);\n",
        ),
        Migration(9999, "9999_column.sql", "alter table rooftree.organization add column note text;"),
    ]
    changes = [
        event(
            f"change-{number}",
            f"policy.{'attached' if number % 2 == 0 else 'detached'}",
            f"2026-01-02T00:00:{number:02d}Z",
            policy_id="p-denyregions",
            target_id="ou-ab12-aaaaaaaa",
        )
        for number in range(60)
    ]
    async with running(settings), connected(settings) as connection, read_by_somebody(settings):
        await publish(settings, snapshot())
        await settled(settings, records=1)
        migrating = asyncio.create_task(apply_migrations(connection, steps=steps, lock_timeout=0.1))
        for change in changes:
            await publish(settings, change)
        applied = await migrating
        await publish(settings, event("last", "ou.renamed", "2026-01-03T00:00:00Z", ou_id="ou-ab12-aaaaaaaa", name="W"))
        await settled(settings, records=62)
    told = await stored(settings, "select count(*)::integer as events from rooftree.audit_events")
    sent = await read_topic(settings, settings.audit_topic)

    assert ["9997_column.sql", "9998_index.sql", "9999_column.sql"] == applied
    assert [{"events": 120}] == told
    assert 120 == len(sent)


async def test_a_step_does_not_make_others_wait_behind_a_long_reader(settings: Settings) -> None:
    """
    Who waits for a lock is waited for by all who come later, so a step lets go, and comes again.
    """
    step = Migration(9999, "9999_column.sql", "alter table rooftree.account add column note text;")
    async with connected(settings) as long, connected(settings) as connection:
        transaction = long.transaction()
        await transaction.start()
        await long.execute("select count(*) from rooftree.account")
        async with read_by_somebody(settings) as reading:
            migrating = asyncio.create_task(apply_migrations(connection, steps=[*migrations(), step], lock_timeout=0.1))
            await eventually(lambda: _has_gone_on(reading, 20))
            waiting = not migrating.done()
            await transaction.rollback()
            applied = await migrating

    assert waiting
    assert [step.name] == applied


async def test_a_step_that_never_gets_its_lock_is_given_up_and_leaves_nothing(settings: Settings) -> None:
    """
    It is named, with what to do; what its first statements did is undone with the last.
    """
    sql = "create table rooftree.half (a text);\nalter table rooftree.account add column note text;"
    steps = [*migrations(), Migration(9999, "9999_both.sql", sql)]
    async with connected(settings) as long, connected(settings) as connection:
        async with long.transaction():
            await long.execute("select count(*) from rooftree.account")
            with pytest.raises(UnavailableError, match=r"9999_both\.sql.*pg_stat_activity"):
                await apply_migrations(connection, steps=steps, lock_timeout=0.05, patience=0.3)
        nothing = await connection.fetchval("select to_regclass('rooftree.half') is null")
        again = await apply_migrations(connection, steps=steps)

    assert nothing
    assert ["9999_both.sql"] == again


async def test_an_index_that_was_half_built_is_built_again(settings: Settings) -> None:
    """
    Building it without stopping writers is no transaction; a second attempt starts from whatever the first has left.
    """
    drop = "drop index concurrently if exists rooftree.account_by_name;\n"
    build = "create unique index concurrently account_by_name on rooftree.organization (chain_hash);\n"
    steps = [*migrations(), Migration(9999, "9999_index.sql", drop + build)]
    async with connected(settings) as connection:
        for organization in ("o-one", "o-two"):
            await connection.execute("insert into rooftree.organization values ($1, 0, 0, 'same')", organization)
        with pytest.raises(RefusedRowError):
            await apply_migrations(connection, steps=steps)
        await connection.execute("delete from rooftree.organization where organization_id = 'o-two'")
        applied = await apply_migrations(connection, steps=steps)
        valid = await connection.fetchval(
            "select indisvalid from pg_index where indexrelid = 'rooftree.account_by_name'::regclass"
        )

    assert ["9999_index.sql"] == applied
    assert valid
