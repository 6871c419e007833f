"""
Databases made for tests.
"""

from __future__ import annotations

import asyncpg

__all__ = ["administer", "database_dsn"]


async def administer(server: str, statement: str) -> None:
    """
    Run a statement that cannot run in a transaction.
    """
    connection = await asyncpg.connect(database_dsn(server, "postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def database_dsn(server: str, name: str) -> str:
    """
    Return the DSN of another database of the same server.
    """
    address, _, options = server.partition("?")
    return f"{address.rpartition('/')[0]}/{name}{f'?{options}' if options else ''}"
