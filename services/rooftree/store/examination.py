"""
What a database says of itself and of the work in it, for a diagnosis.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from rooftree.diagnosis import OldestTransaction, PostgresFacts
from rooftree.store.database import Connection, Row, connect_database, translated_errors
from rooftree.store.migrations import migrations
from rooftree.store.queries import query

__all__ = ["DatabaseExamination", "StoredWork"]

_DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True, slots=True)
class StoredWork:
    """
    Work in hand, as far as the database knows of it; None for what this user may not read.

    Attributes:
        read: The next offset to read of each partition.
        losses: Partitions that are not read on, each with the reason.
        letters: Dead letters that wait, by organization.
        incomplete: Organizations that miss something, each with the reason.
        unsent: How many records wait for a relay, and for how many seconds the oldest has.
        roles: How many connections each role of the service has.
    """

    read: Mapping[int, int] | None
    losses: Mapping[int, str] | None
    letters: Mapping[str, int] | None
    incomplete: Mapping[str, str] | None
    unsent: tuple[int, float] | None
    roles: Mapping[str, int]


class DatabaseExamination:
    """
    Questions to one database over one connection; nothing is changed.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._readable: set[str] = set()

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
            user = await self._connection.fetchrow(query("examine_user"))
            assert user is not None
            sees_all = bool(user["sees_all"])
            rights = await self._connection.fetch(query("examine_rights"), [] if sees_all else user["roles"])
            self._readable = {row["name"] for row in rights if row["readable"]}
            missing, edited = await self._steps() if "migration" in self._readable or not rights else ([], [])
            oldest = await self._connection.fetchrow(query("examine_oldest_transaction"))
            unreadable = [row["name"] for row in rights if "select" in row["lacking"]]
            return PostgresFacts(
                version=server["version"],
                in_recovery=server["in_recovery"],
                settings={name: server[name] for name in _DURABILITY},
                missing_steps=missing,
                edited_steps=edited,
                roles=[] if sees_all else user["roles"],
                sees_all=sees_all,
                sees_sessions=user["sees_sessions"],
                unreadable=unreadable,
                unwritable=[row["name"] for row in rights if set(row["lacking"]) - {"select"}],
                hidden=[row["name"] for row in rights if row["name"] not in {*self._readable, *unreadable}],
                clock_skew=await self._clock_skew(),
                connections=server["connections"],
                max_connections=server["max_connections"],
                oldest=None if oldest is None else OldestTransaction(**dict(oldest)),
            )

    async def work(self, *, consumer_group: str, log_id: str, topic: str) -> StoredWork:
        """
        Return the work in hand of a group of projectors and of the relays, after `facts`.

        Raises:
            UnavailableError: The server failed meanwhile.
        """
        with translated_errors():
            await self._connection.fetchval(query("examine_everything"))
            offsets = await self._rows("examine_offsets", consumer_group, log_id, topic, of={"consumer_offset"})
            losses = await self._rows("examine_losses", consumer_group, topic, of={"log_loss"})
            unsent = await self._rows("examine_unsent", of={"outbox", "outbox_waiting", "dead_letter"})
            return StoredWork(
                read=_by_name(offsets, "partition_id", "next_offset"),
                losses=_by_name(losses, "partition_id", "reason"),
                letters=_by_name(await self._rows("examine_letters", of={"dead_letter"}), "organization_id", "letters"),
                incomplete=_by_name(
                    await self._rows("examine_incomplete", of={"organization"}), "organization_id", "reason"
                ),
                unsent=None if unsent is None else (unsent[0]["unsent"], unsent[0]["oldest"]),
                roles=_by_name(await self._rows("examine_roles", of=set()), "role", "connections") or {},
            )

    async def _rows(self, statement: str, *arguments: object, of: AbstractSet[str]) -> Sequence[Row] | None:
        return await self._connection.fetch(query(statement), *arguments) if of <= self._readable else None

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


def _by_name(rows: Sequence[Row] | None, name: str, value: str) -> dict[Any, Any] | None:
    return None if rows is None else {row[name]: row[value] for row in rows}
