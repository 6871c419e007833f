"""
Servers that can be killed, behind wires that can be cut.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.brokers import BROKER, KAFKA
from tests.faults.proxy import Proxy, open_proxy
from tests.kafka.broker import ApacheKafka

from rooftree.embedded import embedded_broker, embedded_postgres

__all__ = ["Postgres", "Servers", "run_servers"]


class Postgres:
    """
    A PostgreSQL that can be killed, behind an address that stays.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = AsyncExitStack()
        self._pid = 0
        self.dsn = ""

    @property
    def address(self) -> str:
        """
        Where it listens now, ``HOST:PORT``.
        """
        return self.dsn.rpartition("@")[2].partition("/")[0]

    def data_owner(self) -> tuple[int, int]:
        """
        Return the ids of user and group that it runs as.
        """
        found = (self._folder / "postgres").stat()
        return found.st_uid, found.st_gid

    async def start(self) -> None:
        """
        Start it on the data that are there.
        """
        server = await self._stack.enter_async_context(embedded_postgres(self._folder))
        self._pid, self.dsn = server.child.pid, server.dsn

    async def kill(self) -> None:
        """
        End the server in the middle of whatever it does.
        """
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        await self._stack.aclose()
        self._stack = AsyncExitStack()

    async def stop(self) -> None:
        """
        Stop it for good.
        """
        await self._stack.aclose()


@dataclass(slots=True)
class Servers:
    """
    What workers need, each behind a wire that can be cut.

    Attributes:
        kafka: The broker, if it is one that can be killed and remembers.
    """

    postgres: Postgres
    postgres_wire: Proxy
    kafka_address: str
    kafka: ApacheKafka | None = None
    kafka_wire: Proxy | None = None

    @property
    def dsn(self) -> str:
        """
        PostgreSQL by way of the wire, in the database that is always there.
        """
        credentials = self.postgres.dsn.rpartition("@")[0]
        return f"{credentials}@{self.postgres_wire.address}/postgres"

    async def restart_postgres(self, pause: float) -> None:
        """
        Kill PostgreSQL and start it again after some seconds.
        """
        await self.postgres.kill()
        await asyncio.sleep(pause)
        await self.postgres.start()
        self.postgres_wire.target = self.postgres.address

    async def restart_kafka(self, pause: float) -> None:
        """
        Kill the broker and start it again after some seconds.
        """
        assert self.kafka is not None
        await self.kafka.kill()
        await asyncio.sleep(pause)
        await self.kafka.start()


@asynccontextmanager
async def run_servers(folder: Path) -> AsyncIterator[Servers]:
    """
    Run a PostgreSQL and a broker of the chosen kind for the time of the context.
    """
    async with AsyncExitStack() as stack:
        postgres = Postgres(folder / "pg")
        await postgres.start()
        stack.push_async_callback(postgres.stop)
        postgres_wire = await stack.enter_async_context(open_proxy(postgres.address))
        if BROKER != KAFKA:
            # Its advertised address is its own: the wire to it cannot be cut.
            embedded = await stack.enter_async_context(embedded_broker(folder))
            yield Servers(postgres, postgres_wire, embedded.bootstrap)
            return
        kafka_wire = await stack.enter_async_context(open_proxy("127.0.0.1:0"))
        kafka = ApacheKafka(folder / "kafka", advertised=kafka_wire.address)
        stack.push_async_callback(kafka.kill)
        kafka_wire.target = kafka.address("PLAINTEXT")
        await kafka.prepare()
        await kafka.start()
        yield Servers(postgres, postgres_wire, kafka_wire.address, kafka, kafka_wire)
