"""
PostgreSQL, by the settings.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from rooftree.settings import Settings
from rooftree.store.address import database_address
from rooftree.store.database import Database, connect_database, open_database
from rooftree.store.listening import PostgresNudges
from rooftree.store.migrations import apply_migrations, require_schema
from rooftree.telemetry.logs import configure_logging

__all__ = ["open_nudges", "open_pool", "open_store", "run_migrate"]


async def run_migrate(settings: Settings) -> list[str]:
    """
    Bring the database to the schema of this version; returns the steps that were applied.

    Raises:
        InputError: A step was edited after it had been applied.
        UnavailableError: PostgreSQL does not answer.
    """
    configure_logging(level=settings.log_level, style=settings.log_format.value)
    connection = await connect_database(
        database_address(settings),
        connect_timeout=settings.postgres_connect_timeout,
        application_name="rooftree-migrate",
    )
    try:
        return await apply_migrations(connection)
    finally:
        await connection.close()


def open_pool(settings: Settings, name: str) -> AbstractAsyncContextManager[Database]:
    """
    Open a pool, whatever schema the database has.

    Args:
        settings: Where the database is, and how it is treated.
        name: What PostgreSQL is to call its connections.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    return open_database(
        database_address(settings),
        size=settings.postgres_pool_size,
        connect_timeout=settings.postgres_connect_timeout,
        command_timeout=settings.postgres_command_timeout,
        lock_timeout=settings.postgres_lock_timeout,
        idle_timeout=settings.postgres_idle_timeout,
        slow_statement=settings.postgres_slow_statement,
        statement_cache=settings.postgres_statement_cache,
        application_name=name,
    )


@asynccontextmanager
async def open_store(settings: Settings, name: str) -> AsyncIterator[Database]:
    """
    Open a pool on a database that has the schema.

    Raises:
        UnavailableError: PostgreSQL does not answer.
        UsageError: The database lacks a migration.
    """
    async with open_pool(settings, name) as database:
        async with database.connection() as connection:
            await require_schema(connection)
        yield database


def open_nudges(settings: Settings) -> AbstractAsyncContextManager[PostgresNudges]:
    """
    Listen to the database.
    """
    return PostgresNudges.open(database_address(settings), connect_timeout=settings.postgres_connect_timeout)
