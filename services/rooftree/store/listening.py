"""
Nudges from PostgreSQL: sooner than polling, and never relied upon.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg

from rooftree.errors import UnavailableError
from rooftree.store.database import connect_database, translated_errors
from rooftree.telemetry.logs import Action, log

__all__ = ["PostgresNudges"]

_CHANNEL = "rooftree_outbox"
_PROBE_SECONDS = 30.0
_RETRY_SECONDS = 5.0


class PostgresNudges:
    """
    The port `Nudges` by LISTEN, on a connection of its own.

    A dead network looks like silence, so the connection is asked now and then; while there is none, waits last as long
    as they may.
    """

    def __init__(self, dsn: str, *, connect_timeout: float = 10) -> None:
        self._dsn = dsn
        self._connect_timeout = connect_timeout
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._tried = float("-inf")
        self._probed = 0.0
        self._nudged = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls, dsn: str, *, connect_timeout: float = 10) -> AsyncIterator[PostgresNudges]:
        """
        Listen for the time of the context.
        """
        nudges = cls(dsn, connect_timeout=connect_timeout)
        try:
            yield nudges
        finally:
            nudges._drop()

    async def wait(self, seconds: float, stop: asyncio.Event) -> None:
        """
        Wait so long, or until a nudge came since the last wait, or *stop* is set.
        """
        await self._ensure_listening()
        waiting = [asyncio.ensure_future(event.wait()) for event in (self._nudged, stop)]
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for future in waiting:
                future.cancel()
        self._nudged.clear()

    async def _ensure_listening(self) -> None:
        now = time.monotonic()
        if self._connection is not None and now - self._probed > _PROBE_SECONDS:
            self._probed = now
            await self._probe(self._connection)
        if self._connection is None and now - self._tried > _RETRY_SECONDS:
            self._tried = self._probed = now
            with suppress(UnavailableError):
                await self._listen()

    async def _listen(self) -> None:
        connection = await connect_database(
            self._dsn, connect_timeout=self._connect_timeout, application_name="rooftree-nudges"
        )
        try:
            with translated_errors():
                await connection.add_listener(_CHANNEL, self._hear)
        except UnavailableError:
            connection.terminate()
            raise
        connection.add_termination_listener(self._lost)
        self._connection = None if connection.is_closed() else connection
        # What was committed before the LISTEN is not told: the next look into the table comes at once.
        self._nudged.set()

    async def _probe(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        try:
            with translated_errors():
                await connection.execute("select 1", timeout=self._connect_timeout)
        except UnavailableError:
            log().warning(Action.LISTENER_LOST)
            self._drop()

    def _hear(self, *_: object) -> None:
        self._nudged.set()

    def _lost(self, *_: object) -> None:
        self._connection = None

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.remove_termination_listener(self._lost)
            connection.terminate()
