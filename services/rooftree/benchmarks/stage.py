"""
Servers to measure on, and for each scenario a database and topics of its own on them.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from rooftree.embedded import embedded_broker, embedded_postgres
from rooftree.settings import Assignment, Settings
from rooftree.store.database import connect_database
from rooftree.store.migrations import apply_migrations
from rooftree.stream import ensure_topics

__all__ = ["Servers", "open_servers"]

PARTITIONS = 3


class Servers:
    """
    A PostgreSQL and a broker.

    Attributes:
        folder: Where logs of processes go.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._numbers = itertools.count(1)
        self.folder = folder

    @asynccontextmanager
    async def stage(self, name: str, **chosen: object) -> AsyncIterator[Settings]:
        """
        Give a service its own database, with the schema, and its own topics; the database goes in the end.

        Raises:
            UnavailableError: A server does not answer.
        """
        mark = f"bench_{name.replace('-', '_')}_{next(self._numbers)}_{uuid.uuid4().hex[:8]}"
        dsn = self._settings.postgres_dsn.get_secret_value()
        topics = {f"{topic}_topic": f"{mark}.{topic}" for topic in ("changes", "audit", "permissions", "dead_letter")}
        settings = self._settings.model_copy(
            update={
                **topics,
                "postgres_dsn": SecretStr(_of_database(dsn, mark)),
                "consumer_group": mark,
                "partition_assignment": Assignment.ALL,
                "topic_partitions": PARTITIONS,
                **chosen,
            }
        )
        await _execute(dsn, f'create database "{mark}"')
        try:
            connection = await connect_database(settings.postgres_dsn.get_secret_value())
            try:
                await apply_migrations(connection)
            finally:
                await connection.close()
            await ensure_topics(settings)
            yield settings
        finally:
            await _execute(dsn, f'drop database "{mark}" with (force)')


@asynccontextmanager
async def open_servers(
    folder: Path, settings: Settings, *, embed_kafka: bool = True, embed_postgres: bool = True
) -> AsyncIterator[Servers]:
    """
    Give servers for the time of the context: embedded ones, or those that *settings* name.

    Raises:
        UnavailableError: One cannot be started.
    """
    async with AsyncExitStack() as stack:
        if embed_postgres:
            postgres = await stack.enter_async_context(embedded_postgres(folder))
            settings = settings.model_copy(update={"postgres_dsn": SecretStr(postgres.dsn)})
        if embed_kafka:
            broker = await stack.enter_async_context(embedded_broker(folder))
            settings = settings.model_copy(
                update={"kafka_bootstrap": broker.bootstrap, "kafka_idempotence": False, "topic_replication": 1}
            )
        yield Servers(settings, folder)


def _of_database(dsn: str, name: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


async def _execute(dsn: str, statement: str) -> None:
    connection = await connect_database(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
