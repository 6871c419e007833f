"""
The steps that bring a database to the schema of this version, in order, each once.

They are taken while others read and write: a step waits for a lock a moment only, since all who come after it wait
behind it; then it lets go, and tries again later.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import asyncpg

import rooftree
from rooftree.errors import InputError, UnavailableError, UsageError
from rooftree.store.database import Connection, translated_errors
from rooftree.store.queries import query
from rooftree.telemetry.logs import Action, log

__all__ = ["Migration", "apply_migrations", "migrations", "require_schema"]

TURN: Final = 0.2
"""Seconds after which a process asks again whether it is its turn."""

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """
    One step.

    Attributes:
        version: Its place in the order.
        name: The name of its file.
        sql: What it does.
    """

    version: int
    name: str
    sql: str

    @property
    def in_transaction(self) -> bool:
        """
        Whether it takes effect as a whole; building an index without stopping writers cannot, and can be repeated.
        """
        return re.search(r"\bindex\s+concurrently\b", self.sql, re.IGNORECASE) is None

    @property
    def statements(self) -> list[str]:
        """
        What it does, one by one, for a step that is not one transaction.
        """
        return [part for part in re.split(r";\s*\n", f"{self.sql.rstrip()}\n") if part.strip()]

    @property
    def checksum(self) -> str:
        """
        SHA-256 of the text: a step that was applied is not edited, another follows it.
        """
        return hashlib.sha256(self.sql.encode()).hexdigest()


@lru_cache(maxsize=1)
def migrations() -> tuple[Migration, ...]:
    """
    Return every step in order.
    """
    found = [
        Migration(int(match[1]), file.name, file.read_text(encoding="utf-8"))
        for file in _folder().iterdir()
        if (match := _NAME.fullmatch(file.name))
    ]
    return tuple(sorted(found, key=lambda migration: migration.version))


def _folder() -> Traversable:
    packaged = files("rooftree").joinpath("_schemas", "postgres")
    if packaged.is_dir():
        return packaged
    # In a checkout the schemas stand beside the services.
    return Path(rooftree.__file__).parents[2] / "schemas" / "postgres"


async def apply_migrations(
    connection: Connection,
    *,
    steps: Sequence[Migration] | None = None,
    lock_timeout: float = 0.2,
    patience: float = 600,
) -> list[str]:
    """
    Apply the steps that the database lacks, each in a transaction of its own, while others who try wait.

    Args:
        connection: One outside of any pool, since the lock is its session's.
        steps: Which steps there are; those of this version if not given.
        lock_timeout: Seconds for which a step waits for a lock, and others with it, before it lets go. Well below the
            second after which PostgreSQL looks for deadlocks, and might end a reader of several tables for one.
        patience: Seconds for which a step is tried again.

    Returns:
        The names of those that were applied.

    Raises:
        InputError: A step was edited after it had been applied.
        UnavailableError: The server failed, or others held a lock for too long; what was applied until then stays,
            and of the step at hand there is nothing.
        UsageError: This user may not do what a step does.
    """
    with translated_errors():
        # There is no event to wait for: the other one is another process.
        while not await connection.fetchval(query("lock_migrations")):  # noqa: ASYNC110
            await asyncio.sleep(TURN)
        try:
            await connection.execute(query("create_migration_table"))
            climb = _Climb(connection, lock_timeout=lock_timeout, patience=patience)
            return await climb.take(migrations() if steps is None else steps)
        finally:
            await connection.execute(query("unlock_migrations"))


class _Climb:
    """
    The steps that a database lacks, taken one after the other.
    """

    def __init__(self, connection: Connection, *, lock_timeout: float, patience: float) -> None:
        self._connection = connection
        self._lock_timeout = f"{max(1, round(lock_timeout * 1000))}ms"
        self._patience = patience

    async def take(self, steps: Sequence[Migration]) -> list[str]:
        rows = await self._connection.fetch(query("applied_migrations"))
        applied = {row["version"]: row["checksum"] for row in rows}
        done = []
        for step in steps:
            if step.version in applied:
                if applied[step.version] != step.checksum:
                    raise InputError("was edited after it had been applied to this database", place=step.name)
                continue
            await self._persist(step)
            log().info(Action.MIGRATED, migration=step.name)
            done.append(step.name)
        return done

    async def _persist(self, step: Migration) -> None:
        deadline = time.monotonic() + self._patience
        for pause in _pauses():
            try:
                await self._try(step)
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
                if time.monotonic() + pause > deadline:
                    raise UnavailableError(
                        f"{step.name}: others held locks on what it changes for {self._patience:g} s; nothing of it is"
                        " done: end the long transactions in pg_stat_activity, or try again when less is going on"
                    ) from error
                log().warning(Action.MIGRATION_WAITS, migration=step.name, seconds=pause, reason=str(error))
                await asyncio.sleep(pause)
            except asyncpg.InsufficientPrivilegeError as error:
                told = ": ".join(str(part) for part in (error.args[0], error.hint) if part)
                raise UsageError(told, place=step.name) from error
            else:
                return

    async def _try(self, step: Migration) -> None:
        if step.in_transaction:
            async with self._connection.transaction():
                await self._connection.execute(query("limit_lock_wait"), self._lock_timeout)
                await self._connection.execute(query("close_views"))
                await self._connection.execute(step.sql)
                await self._record(step)
            return
        for statement in step.statements:
            await self._connection.execute(statement)
        await self._record(step)

    async def _record(self, step: Migration) -> None:
        await self._connection.execute(
            query("record_migration"), step.version, step.name, step.checksum, rooftree.__version__
        )


def _pauses() -> Iterator[float]:
    # Longer and longer, so that whoever waited behind the last attempt gets through before the next.
    yield from (0.2, 0.5, 1.0, 2.0)
    while True:
        yield 5.0


async def require_schema(connection: Connection) -> None:
    """
    Make sure that the database has every step of this version; it may have more.

    Raises:
        UsageError: A step is missing.
        UnavailableError: The server failed.
    """
    with translated_errors():
        known = await connection.fetchval(query("migration_table_exists"))
        rows = await connection.fetch(query("applied_migrations")) if known else []
    applied = {row["version"] for row in rows}
    missing = [migration.name for migration in migrations() if migration.version not in applied]
    if missing:
        raise UsageError(f"the database lacks {', '.join(missing)}: run `rooftree migrate`")
