"""
The schema: what it refuses, how it is made, and that every statement fits it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from tests.databases import own_database

from rooftree.errors import InputError, UnavailableError, UsageError
from rooftree.store.database import connect_database, open_database
from rooftree.store.migrations import Migration, apply_migrations, migrations, require_schema
from rooftree.store.queries import statements

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ONE = datetime(2026, 1, 1, 13, tzinfo=UTC)
HALF_PAST_ONE = datetime(2026, 1, 1, 13, 30, tzinfo=UTC)
TWO = datetime(2026, 1, 1, 14, tzinfo=UTC)
THREE = datetime(2026, 1, 1, 15, tzinfo=UTC)
# The text of a statement that is several: the driver prepares one at a time.
SEVERAL = "create_migration_table"


@pytest.fixture
async def connection(postgres_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """
    A connection to a database with the schema.
    """
    opened = await connect_database(postgres_dsn)
    yield opened
    await opened.close()


@pytest.fixture
async def empty_dsn(postgres_server: str) -> AsyncIterator[str]:
    """
    The DSN of a database with nothing in it.
    """
    async with own_database(postgres_server) as dsn:
        yield dsn


@pytest.mark.parametrize("name", [name for name in statements() if name != SEVERAL])
async def test_every_statement_fits_the_schema(connection: asyncpg.Connection, name: str) -> None:
    """
    Tables, columns and types are there.
    """
    prepared = await connection.prepare(statements()[name])

    assert prepared.get_parameters() is not None


INSERT_SPAN = """
    insert into rooftree.account_history (
        organization_id, account_id, valid_from, valid_to, name, status, path, placed, revision, complete, cause_event_id
    )
    values ($1, '222222222222', $2, $3, 'shop', 'ACTIVE', '{}', true, 0, true, 'event')
"""


async def test_spans_of_an_account_follow_one_another(connection: asyncpg.Connection) -> None:
    """
    Spans that meet are taken in any order, also those of another organization, and ends may be moved.
    """
    for organization_id, start, end in (
        ("o-a", ONE, TWO),
        ("o-b", NOON, None),
        ("o-a", TWO, None),
        ("o-a", NOON, ONE),
    ):
        await connection.execute(INSERT_SPAN, organization_id, start, end)
    await connection.execute("update rooftree.account_history set valid_to = $1 where valid_from = $1", TWO)

    assert 4 == await connection.fetchval("select count(*) from rooftree.account_history")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param(NOON, TWO, id="over-the-start"),
        pytest.param(HALF_PAST_ONE, THREE, id="over-the-end"),
        pytest.param(NOON, THREE, id="around"),
        pytest.param(HALF_PAST_ONE, HALF_PAST_ONE + timedelta(minutes=1), id="within"),
        pytest.param(NOON, None, id="open-before"),
        pytest.param(HALF_PAST_ONE, None, id="open-within"),
        pytest.param(THREE, TWO, id="backwards"),
    ],
)
async def test_two_rows_of_an_account_never_hold_at_once(
    connection: asyncpg.Connection, start: datetime, end: datetime | None
) -> None:
    """
    The database refuses what a mistake of ours would write, whether it is inserted or comes of an update.
    """
    await connection.execute(INSERT_SPAN, "o-a", ONE, TWO)
    await connection.execute(INSERT_SPAN, "o-b", start, start)

    with pytest.raises(asyncpg.ExclusionViolationError):
        await connection.execute(INSERT_SPAN, "o-a", start, end)
    with pytest.raises(asyncpg.ExclusionViolationError):
        await connection.execute(
            "update rooftree.account_history set organization_id = 'o-a', valid_to = $1 where organization_id = 'o-b'",
            end,
        )


async def test_an_open_row_is_the_last_one(connection: asyncpg.Connection) -> None:
    """
    Nothing follows a span that has not ended.
    """
    await connection.execute(INSERT_SPAN, "o-a", NOON, None)

    with pytest.raises(asyncpg.ExclusionViolationError):
        await connection.execute(INSERT_SPAN, "o-a", ONE, TWO)


async def test_writers_of_spans_wait_for_each_other(postgres_dsn: str, connection: asyncpg.Connection) -> None:
    """
    What another writer has not committed yet counts as well.
    """
    other = await connect_database(postgres_dsn)
    try:
        transaction = other.transaction()
        await transaction.start()
        await other.execute(INSERT_SPAN, "o-a", NOON, TWO)
        waiting = asyncio.create_task(connection.execute(INSERT_SPAN, "o-a", ONE, None))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
        await transaction.commit()
        with pytest.raises(asyncpg.ExclusionViolationError):
            await waiting
    finally:
        await other.close()


async def test_spans_are_not_written_from_a_view_of_before(connection: asyncpg.Connection) -> None:
    """
    At an isolation level that does not see what others have committed since, nothing could be promised.
    """
    async with connection.transaction(isolation="repeatable_read"):
        with pytest.raises(asyncpg.FeatureNotSupportedError):
            await connection.execute(INSERT_SPAN, "o-a", NOON, TWO)


async def test_every_table_and_view_is_described(connection: asyncpg.Connection) -> None:
    """
    Whoever looks around in SQL finds out what is there.
    """
    rows = await connection.fetch(
        """
        select relname
        from pg_class
        where relnamespace = 'rooftree'::regnamespace and relkind in ('r', 'v') and obj_description(oid) is null
        """
    )

    assert [] == [row["relname"] for row in rows]


async def test_views_have_the_columns_that_were_promised(connection: asyncpg.Connection) -> None:
    """
    Names and columns are a contract.
    """
    account = ["organization_id", "account_id", "account_name", "path", "permissions_id", "permissions", "revision"]
    account += ["complete", "since", "cause_event_id"]
    promised = {
        "account_permissions": account,
        "account_permissions_history": [*account, "valid_from", "valid_to"],
        "principals": [
            *("organization_id", "account_id", "account_name", "arn", "kind", "name", "unique_id", "groups"),
            *("permissions_boundary", "trust_policy", "tags", "missing", "since", "cause_event_id"),
        ],
        "principal_policies": [
            *("organization_id", "account_id", "arn", "use", "policy_name", "policy_arn", "group_name", "document"),
        ],
        "action_verdicts": ["organization_id", "permissions_id", "service", "action", "verdict"],
    }
    found = {
        view: [
            row["attname"]
            for row in await connection.fetch(
                "select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 order by attnum",
                f"rooftree.{view}",
            )
        ]
        for view in promised
    }

    assert promised == found


async def test_migrating_again_does_nothing(connection: asyncpg.Connection) -> None:
    """
    Every start may try.
    """
    assert [] == await apply_migrations(connection)
    await require_schema(connection)


async def test_two_who_migrate_at_once_take_turns(empty_dsn: str) -> None:
    """
    Each step is applied by one of them.
    """
    connections = [await connect_database(empty_dsn) for _ in range(2)]
    applied = await asyncio.gather(*(apply_migrations(each) for each in connections))
    for each in connections:
        await each.close()

    assert [[], [step.name for step in migrations()]] == sorted(applied)


async def test_a_database_without_the_schema_is_named_as_such(empty_dsn: str) -> None:
    """
    The message says what to run.
    """
    opened = await connect_database(empty_dsn)
    with pytest.raises(UsageError, match="rooftree migrate"):
        await require_schema(opened)
    await opened.close()

    assert opened.is_closed()


async def test_a_step_that_was_edited_later_is_refused(connection: asyncpg.Connection) -> None:
    """
    Two databases of one version would differ otherwise.
    """
    first, *others = migrations()
    edited = Migration(first.version, first.name, first.sql + "\n-- and more")
    with pytest.raises(InputError) as raised:
        await apply_migrations(connection, steps=[edited, *others])

    assert first.name == raised.value.place


async def test_a_step_that_fails_leaves_nothing(connection: asyncpg.Connection) -> None:
    """
    Each step is one transaction.
    """
    broken = Migration(9999, "9999_broken.sql", "create table rooftree.half (a text); select no_function()")
    with pytest.raises(asyncpg.UndefinedFunctionError):
        await apply_migrations(connection, steps=[*migrations(), broken])

    assert await connection.fetchval("select to_regclass('rooftree.half') is null")


async def test_a_server_that_does_not_answer_is_unavailable() -> None:
    """
    The driver has many words for it, and the service one.
    """
    with pytest.raises(UnavailableError, match="PostgreSQL"):
        async with open_database("postgresql://nobody@127.0.0.1:1/nothing", connect_timeout=2):
            pass
