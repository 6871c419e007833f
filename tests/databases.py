"""
Databases made for tests.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from pydantic import SecretStr

from rooftree.settings import Settings

__all__ = ["administer", "as_role", "database_dsn", "own_database"]


def as_role(settings: Settings, role: str) -> Settings:
    """
    Return the settings of a worker that may do in PostgreSQL what its role may, and nothing else.
    """
    dsn = settings.postgres_dsn.get_secret_value()
    separator = "&" if "?" in dsn else "?"
    return settings.model_copy(update={"postgres_dsn": SecretStr(f"{dsn}{separator}role={role}")})


async def administer(server: str, statement: str) -> None:
    """
    Run a statement that cannot run in a transaction.
    """
    connection = await asyncpg.connect(database_dsn(server, "postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def own_database(server: str, *, template: str = "template1") -> AsyncIterator[str]:
    """
    Make a database for the time of the context, and give its DSN.
    """
    name = f"rooftree_{uuid.uuid4().hex[:12]}"
    await administer(server, f'create database "{name}" template "{template}"')
    try:
        yield database_dsn(server, name)
    finally:
        await administer(server, f'drop database "{name}" with (force)')


def database_dsn(server: str, name: str) -> str:
    """
    Return the DSN of another database of the same server.
    """
    address, _, options = server.partition("?")
    return f"{address.rpartition('/')[0]}/{name}{f'?{options}' if options else ''}"
