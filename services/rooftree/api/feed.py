"""
The live feed of audit events: one look into the database for all who listen.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from rooftree.errors import UnavailableError
from rooftree.ports.outbox import Nudges
from rooftree.reading.reader import AuditRecord, Reader
from rooftree.telemetry.logs import Action, log

__all__ = ["AuditFeed", "Listener", "Position"]

Position = tuple[int, int]

BEGINNING: Final[Position] = (0, 0)
BUFFER: Final = 2_000
"""Events that wait for one listener; one that falls further behind is let go, and comes back with its last id."""

MAX_LISTENERS: Final = 500
PAGE: Final = 500
POLL_SECONDS: Final = 2.0
RETRY_SECONDS: Final = 1.0


class Listener:
    """
    Somebody who listens to one organization.

    Attributes:
        begin: The position after which events come from here; what lies before is read from the database.
    """

    def __init__(self, begin: Position) -> None:
        self.begin = begin
        self._waiting: asyncio.Queue[AuditRecord] = asyncio.Queue(BUFFER)
        self._closed = asyncio.Event()

    @property
    def closed(self) -> bool:
        """
        Whether nothing comes any more.
        """
        return self._closed.is_set()

    def put(self, event: AuditRecord) -> None:
        """
        Give an event to the listener, or let go of one that is too slow.
        """
        if self.closed:
            # INVARIANT: what a listener is given has no gap, so nothing follows what it has missed.
            return
        try:
            self._waiting.put_nowait(event)
        except asyncio.QueueFull:
            self.close()

    def close(self) -> None:
        """
        End the feed for this listener.
        """
        self._closed.set()

    async def take(self, seconds: float) -> list[AuditRecord]:
        """
        Return what has come, or nothing after so many seconds or when the feed has ended.
        """
        if self._waiting.empty():
            arriving = asyncio.ensure_future(self._waiting.get())
            closing = asyncio.ensure_future(self._closed.wait())
            try:
                await asyncio.wait((arriving, closing), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
                if not arriving.done():
                    return []
                found = [arriving.result()]
            finally:
                arriving.cancel()
                closing.cancel()
        else:
            found = []
        while not self._waiting.empty():
            found.append(self._waiting.get_nowait())
        return found


class AuditFeed:
    """
    Looks for new events while somebody listens, and hands them to all who do.
    """

    def __init__(self, reader: Reader, nudges: Nudges) -> None:
        self._reader = reader
        self._nudges = nudges
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self._positions: dict[str, Position] = {}
        self._wanted = asyncio.Event()
        self._stopped = False

    @asynccontextmanager
    async def listen(self, organization_id: str) -> AsyncIterator[Listener]:
        """
        Listen to one organization for the time of the context.

        Raises:
            UnavailableError: There are too many listeners, the service stops, or the database does not answer.
        """
        if self._stopped:
            raise UnavailableError("the service stops")
        if sum(map(len, self._listeners.values())) >= MAX_LISTENERS:
            raise UnavailableError(f"{MAX_LISTENERS} listen already")
        if organization_id not in self._positions:
            latest = await self._reader.audit(organization_id, limit=1)
            # Another listener may have begun meanwhile, and the feed gone on from there.
            self._positions.setdefault(organization_id, latest[0].position if latest else BEGINNING)
        listener = Listener(self._positions[organization_id])
        self._listeners[organization_id].add(listener)
        self._wanted.set()
        try:
            yield listener
        finally:
            self._leave(organization_id, listener)

    async def run(self, stop: asyncio.Event) -> None:
        """
        Work until *stop* is set; then every listener's feed ends.
        """
        try:
            while not stop.is_set():
                if not self._listeners:
                    self._wanted.clear()
                    await _first(self._wanted, stop)
                    continue
                await self._nudges.wait(POLL_SECONDS, stop)
                await self._look(stop)
        finally:
            self._stopped = True
            for listeners in self._listeners.values():
                for listener in listeners:
                    listener.close()

    async def _look(self, stop: asyncio.Event) -> None:
        for organization_id in list(self._listeners):
            try:
                await self._pass_on(organization_id)
            except UnavailableError as error:
                log().warning(Action.SERVER_AWAY, worker="feed", error=str(error))
                await _first(stop, seconds=RETRY_SECONDS)
                return

    async def _pass_on(self, organization_id: str) -> None:
        while organization_id in self._listeners:
            events = await self._reader.audit_after(organization_id, self._positions[organization_id], limit=PAGE)
            if not events or organization_id not in self._listeners:
                return
            self._positions[organization_id] = events[-1].position
            for listener in self._listeners[organization_id]:
                for event in events:
                    listener.put(event)
            if len(events) < PAGE:
                return

    def _leave(self, organization_id: str, listener: Listener) -> None:
        listeners = self._listeners[organization_id]
        listeners.discard(listener)
        if not listeners:
            del self._listeners[organization_id]
            del self._positions[organization_id]


async def _first(*events: asyncio.Event, seconds: float | None = None) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future in waiting:
            future.cancel()
