"""
The steps that bring a database to the schema of this version, in order, each once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import asyncpg

import rooftree
from rooftree.errors import InputError, UsageError
from rooftree.store.database import Connection, translated_errors
from rooftree.store.queries import query
from rooftree.telemetry import Action, log

__all__ = ["Migration", "apply_migrations", "migrations", "require_schema"]

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


async def apply_migrations(connection: Connection, *, steps: Sequence[Migration] | None = None) -> list[str]:
    """
    Apply the steps that the database lacks, each in a transaction of its own, while others who try wait.

    Args:
        connection: One outside of any pool, since the lock is its session's.
        steps: Which steps there are; those of this version if not given.

    Returns:
        The names of those that were applied.

    Raises:
        InputError: A step was edited after it had been applied.
        UsageError: The user of the database may not do what a step needs; the message says what to run.
        UnavailableError: The server failed; what was applied until then stays.
    """
    with translated_errors():
        await connection.execute(query("lock_migrations"))
        try:
            await connection.execute(query("create_migration_table"))
            return await _apply(connection, migrations() if steps is None else steps)
        finally:
            await connection.execute(query("unlock_migrations"))


async def _apply(connection: Connection, steps: Sequence[Migration]) -> list[str]:
    applied = {row["version"]: row["checksum"] for row in await connection.fetch(query("applied_migrations"))}
    done = []
    for migration in steps:
        if migration.version in applied:
            if applied[migration.version] != migration.checksum:
                raise InputError("was edited after it had been applied to this database", place=migration.name)
            continue
        with _refusals_explained(migration):
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    query("record_migration"),
                    *(migration.version, migration.name, migration.checksum, rooftree.__version__),
                )
        log().info(Action.MIGRATED, migration=migration.name)
        done.append(migration.name)
    return done


@contextmanager
def _refusals_explained(migration: Migration) -> Iterator[None]:
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        hint = f"; {error.hint}" if error.hint else ""
        raise UsageError(f"{error.args[0]}{hint}", place=migration.name) from error


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
