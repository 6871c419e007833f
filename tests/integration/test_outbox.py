"""
How far the records of an organization were sent, as the store keeps it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from rooftree.errors import UnavailableError
from rooftree.store.database import connect_database, open_database
from rooftree.store.outbox import PostgresOutbox

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

ORGANIZATION = "o-exampleorg"


@pytest.fixture
async def connection(postgres_dsn: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """
    A connection as the owner, to a database with five records of an organization that wait.
    """
    opened = await connect_database(postgres_dsn)
    await opened.execute(
        "insert into rooftree.organization (organization_id, chain_hash) values ($1, '0')", ORGANIZATION
    )
    await write(opened, "a", "b", "c", "d", "e")
    yield opened
    await opened.close()


@pytest.fixture
async def outbox(postgres_dsn: str) -> AsyncIterator[PostgresOutbox]:
    """
    The store as a relay has it.
    """
    async with open_database(postgres_dsn) as database:
        yield PostgresOutbox(database)


async def write(connection: asyncpg.Connection[asyncpg.Record], *names: str) -> None:
    """
    Put records behind those that are there.
    """
    await connection.executemany(
        """
        insert into rooftree.outbox (organization_id, id, aggregatetype, aggregateid, type, payload, revision)
        values ($1, $2, 'audit', '222222222222', 'a.type', 'x', 1)
        """,
        [(ORGANIZATION, name) for name in names],
    )


async def lent(outbox: PostgresOutbox, *, limit: int = 10, most: int = 10) -> list[list[str]]:
    """
    Take what is lent, all of it, batch by batch.
    """
    async with outbox.claim(ORGANIZATION, limit=limit, most=most) as lending:
        return [[row.event_id for row in rows] async for rows in lending]


async def test_what_was_taken_is_not_lent_again(
    outbox: PostgresOutbox, connection: asyncpg.Connection[asyncpg.Record]
) -> None:
    """
    Rows leave in their order, and the next claim goes on behind them.
    """
    assert [["a", "b"], ["c", "d"]] == await lent(outbox, limit=2, most=2)
    await write(connection, "f")
    assert [ORGANIZATION] == await outbox.pending()
    assert [["e", "f"]] == await lent(outbox)
    assert [] == await lent(outbox)
    assert [] == await outbox.pending()
    assert 0 == await outbox.oldest_unsent()


async def fail_at(outbox: PostgresOutbox, name: str) -> None:
    """
    Take what is lent until a record comes that cannot be sent.
    """
    async with outbox.claim(ORGANIZATION, limit=2, most=2) as lending:
        async for rows in lending:
            if rows[0].event_id == name:
                raise UnavailableError(name)


@pytest.mark.usefixtures("connection")
async def test_a_claim_that_fails_leaves_everything_as_it_was(outbox: PostgresOutbox) -> None:
    """
    Also what was sent before, since nobody knows how far that came.
    """
    with pytest.raises(UnavailableError):
        await fail_at(outbox, "c")
    assert [["a", "b", "c", "d", "e"]] == await lent(outbox)


async def test_what_was_marked_record_by_record_counts_as_sent(
    outbox: PostgresOutbox, connection: asyncpg.Connection[asyncpg.Record]
) -> None:
    """
    So did relays before positions were kept, and some of them are at work while a deployment is renewed.
    """
    await connection.execute("update rooftree.outbox set sent_at = now() where id in ('a', 'b')")
    assert [["c", "d", "e"]] == await lent(outbox)
    await write(connection, "f", "g")
    await connection.execute("update rooftree.outbox set sent_at = now() where id = 'f'")
    assert [["g"]] == await lent(outbox)


async def test_only_what_was_sent_and_is_old_is_removed(
    outbox: PostgresOutbox, connection: asyncpg.Connection[asyncpg.Record]
) -> None:
    """
    What nobody has sent stays, however old it is.
    """
    await connection.execute("update rooftree.outbox set created_at = now() - interval '1 hour' where id < 'e'")
    assert [["a", "b"]] == await lent(outbox, limit=2, most=1)
    assert 2 == await outbox.trim(older_than=60)
    assert [["c", "d", "e"]] == await lent(outbox)
    assert 2 == await outbox.trim(older_than=60)
    assert ["e"] == [row["id"] for row in await connection.fetch("select id from rooftree.outbox")]
