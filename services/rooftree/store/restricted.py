"""
Reading for somebody who may see some organizations only, held by PostgreSQL itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from rooftree.access.caller import Organizations
from rooftree.organization.identifiers import is_organization
from rooftree.store.database import Connection, Database, translated_errors
from rooftree.store.queries import query

__all__ = ["Connections", "LentConnection", "RestrictedDatabase"]


class Connections(Protocol):
    """
    Where connections for reading come from.
    """

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """
        Lend a connection.

        Raises:
            UnavailableError: None came free in time, or the server failed meanwhile.
        """
        ...


class LentConnection:
    """
    A connection that is lent already, for whoever would borrow another one meanwhile.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """
        Lend the same connection.

        Raises:
            UnavailableError: The server failed meanwhile.
        """
        with translated_errors():
            yield self._connection


class RestrictedDatabase:
    """
    Connections that see some organizations, and can do nothing but read.

    Each is lent within a transaction of its own that is read-only, acts as ``rooftree_reader`` and names the
    organizations; row-level security does the rest. All three end with the transaction: whoever is lent the same
    connection next starts from nothing, behind a pooler as well.
    """

    def __init__(self, database: Database, organizations: Organizations) -> None:
        self._database = database
        if organizations is None:
            self._setting = "*"
        else:
            # INVARIANT: nothing but ids goes into the setting, in which a star means everything.
            self._setting = ",".join(sorted(one for one in organizations if is_organization(one)))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """
        Lend a connection that sees these organizations alone.

        Raises:
            UnavailableError: None came free in time, or the server failed meanwhile.
        """
        async with self._database.transaction(read_only=True) as connection:
            await connection.fetchrow(query("read_for"), self._setting)
            yield connection
