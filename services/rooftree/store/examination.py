"""
What a database says of itself and of the work in it, for a diagnosis.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from rooftree.diagnosis import OldestTransaction, PostgresFacts
from rooftree.store.database import Connection, connect_database, translated_errors
from rooftree.store.migrations import migrations
from rooftree.store.queries import query

__all__ = ["DatabaseExamination", "StoredWork"]

_DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True, slots=True)
class StoredWork:
    """
    Work in hand, as far as the database knows of it.

    Attributes:
        read: The next offset to read of each partition.
        letters: Dead letters that wait, by organization.
        incomplete: Organizations that miss something, each with the reason.
        unsent: How many records wait for a relay.
        oldest_unsent: For how many seconds the oldest of them has waited.
        roles: How many connections each role of the service has.
    """

    read: Mapping[int, int]
    letters: Mapping[str, int]
    incomplete: Mapping[str, str]
    unsent: int
    oldest_unsent: float
    roles: Mapping[str, int]


class DatabaseExamination:
    """
    Questions to one database over one connection; nothing is changed.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    @asynccontextmanager
    async def open(cls, dsn: str, *, connect_timeout: float) -> AsyncIterator[DatabaseExamination]:
        """
        Connect for the time of the context.

        Raises:
            UnavailableError: The server does not answer, or does not let this user in.
        """
        connection = await connect_database(dsn, connect_timeout=connect_timeout, application_name="rooftree-doctor")
        try:
            yield cls(connection)
        finally:
            with suppress(Exception):
                await connection.close(timeout=connect_timeout)

    async def facts(self) -> PostgresFacts:
        """
        Return what the server says of itself, of the schema and of this user.

        Raises:
            UnavailableError: The server failed meanwhile.
        """
        with translated_errors():
            server = await self._connection.fetchrow(query("examine_server"))
            assert server is not None
            rights = await self._connection.fetch(query("examine_rights"))
            unreadable = [row["name"] for row in rights if not row["readable"]]
            missing, edited = ([], []) if unreadable else await self._steps()
            oldest = await self._connection.fetchrow(query("examine_oldest_transaction"))
            return PostgresFacts(
                version=server["version"],
                in_recovery=server["in_recovery"],
                settings={name: server[name] for name in _DURABILITY},
                missing_steps=missing,
                edited_steps=edited,
                unreadable=unreadable,
                unwritable=[row["name"] for row in rights if not row["writable"]],
                clock_skew=await self._clock_skew(),
                connections=server["connections"],
                max_connections=server["max_connections"],
                oldest=None if oldest is None else OldestTransaction(**dict(oldest)),
            )

    async def work(self, *, consumer_group: str, log_id: str, topic: str) -> StoredWork:
        """
        Return the work in hand of a group of projectors and of the relays.

        Raises:
            UnavailableError: The server failed meanwhile.
            UsageError: This user may not read it.
        """
        with translated_errors():
            offsets = await self._connection.fetch(query("examine_offsets"), consumer_group, log_id, topic)
            unsent = await self._connection.fetchrow(query("examine_unsent"))
            assert unsent is not None
            return StoredWork(
                read={row["partition_id"]: row["next_offset"] for row in offsets},
                letters=await self._by_name("examine_letters", "organization_id", "letters"),
                incomplete=await self._by_name("examine_incomplete", "organization_id", "reason"),
                unsent=unsent["unsent"],
                oldest_unsent=unsent["oldest"],
                roles=await self._by_name("examine_roles", "role", "connections"),
            )

    async def _by_name(self, statement: str, name: str, value: str) -> dict[str, Any]:
        return {row[name]: row[value] for row in await self._connection.fetch(query(statement))}

    async def _steps(self) -> tuple[list[str], list[str]]:
        known = await self._connection.fetchval(query("migration_table_exists"))
        rows = await self._connection.fetch(query("applied_migrations")) if known else []
        applied = {row["version"]: row["checksum"] for row in rows}
        missing = [step.name for step in migrations() if step.version not in applied]
        edited = [step.name for step in migrations() if applied.get(step.version, step.checksum) != step.checksum]
        return missing, edited

    async def _clock_skew(self) -> float:
        before = time.time()
        told = await self._connection.fetchval(query("examine_clock"))
        return float(told.timestamp()) - (before + time.time()) / 2
