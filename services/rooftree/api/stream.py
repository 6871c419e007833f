"""
Audit events as server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rooftree.api.callers import reader_of, still_admitted
from rooftree.api.feed import AuditFeed, Listener, Position
from rooftree.errors import InputError, UnavailableError
from rooftree.inquiry.auditing import admits
from rooftree.inquiry.documents import audit_document
from rooftree.reading.outline import AuditFilter
from rooftree.reading.reader import AuditRecord

__all__ = ["EVENT_STREAM", "AuditStream", "Pace", "event_id", "read_event_id"]

EVENT_STREAM: Final = "text/event-stream"

RETRY_MILLISECONDS: Final = 2000
PAGE: Final = 200

_EVENT_ID: Final = re.compile(r"(o-[a-z0-9]{10,32}):([0-9]{1,18}):([0-9]{1,9})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pace:
    """
    The seconds of a stream.

    Attributes:
        pulse: After so many a silent stream shows that it lives, and whoever lost the right to hear hears no more.
        send: A reader that takes nothing for so long is gone, or might as well be.
        life: After that the reader comes again, with a new request.
    """

    pulse: float = 5.0
    send: float = 20.0
    life: float = 1800.0


USUAL_PACE: Final = Pace()


def event_id(event: AuditRecord) -> str:
    """
    Return the id by which a reader says where to go on.
    """
    return _place(event.organization_id, event.position)


def read_event_id(text: str, organization_id: str) -> Position:
    """
    Return the position that an id names.

    Raises:
        InputError: It is none, or one of another organization.
    """
    match = _EVENT_ID.match(text)
    if match is None or match[1] != organization_id:
        raise InputError(
            f"expected an id of `{organization_id}` such as `{organization_id}:12:1`", place="last_event_id"
        )
    return int(match[2]), int(match[3])


def _place(organization_id: str, position: Position) -> str:
    return f"{organization_id}:{position[0]}:{position[1]}"


class AuditStream(Response):
    """
    An answer that goes on until the reader leaves, falls behind or may hear no more, or the service stops.
    """

    media_type = EVENT_STREAM

    def __init__(
        self,
        feed: AuditFeed,
        request: Request,
        *,
        organization_id: str,
        wanted: AuditFilter,
        after: Position | None,
        pace: Pace = USUAL_PACE,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._feed = feed
        self._reader = reader_of(request)
        self._organization_id = organization_id
        self._wanted = wanted
        self._after = after
        self._request = request
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Send events as they come.
        """
        async with self._feed.listen(self._organization_id) as listener:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
                return
            leaving = asyncio.ensure_future(_left(receive))
            try:
                async for text in self._texts(listener, leaving):
                    await self._send(send, text)
                await send({"type": "http.response.body", "body": b""})
            except TimeoutError:
                # Nothing reaches this reader; the server closes the connection of an answer without an end.
                return
            finally:
                leaving.cancel()

    async def _texts(self, listener: Listener, leaving: asyncio.Future[None]) -> AsyncIterator[str]:
        sent = listener.begin if self._after is None else self._after
        yield f"retry: {RETRY_MILLISECONDS}\n{self._mark(sent)}"
        try:
            async for arrived in self._admitted(self._arriving(listener, leaving, sent)):
                # A reader may know more than the feed had seen when it came.
                events = [event for event in arrived if event.position > sent]
                sent = events[-1].position if events else sent
                yield self._told(events, sent)
        except UnavailableError:
            # The reader comes back, and is told when the database does not answer.
            return

    async def _admitted(self, batches: AsyncIterator[list[AuditRecord]]) -> AsyncIterator[list[AuditRecord]]:
        """
        Pass on what arrives as long as the reader may hear it.
        """
        due = time.monotonic() + self._pace.pulse
        async for events in batches:
            if time.monotonic() >= due:
                if not await still_admitted(self._request):
                    return
                due = time.monotonic() + self._pace.pulse
            yield events

    async def _arriving(
        self, listener: Listener, leaving: asyncio.Future[None], begin: Position
    ) -> AsyncIterator[list[AuditRecord]]:
        """
        Give what was missed, then what happens; nothing, after each pulse without any of it.
        """
        end = time.monotonic() + self._pace.life
        async for events in self._missed(begin, listener.begin):
            if leaving.done():
                return
            yield events
        while not (leaving.done() or listener.closed or time.monotonic() > end):
            yield await _unless(leaving, listener.take(self._pace.pulse))

    async def _missed(self, begin: Position, until: Position) -> AsyncIterator[list[AuditRecord]]:
        while begin < until:
            events = await self._reader.audit_after(self._organization_id, begin, limit=PAGE)
            missed = [event for event in events if event.position <= until]
            if not missed:
                return
            yield missed
            begin = missed[-1].position

    def _told(self, events: list[AuditRecord], sent: Position) -> str:
        told = "".join(
            f"id: {event_id(event)}\ndata: {orjson.dumps(audit_document(event)).decode()}\n\n"
            for event in events
            if admits(self._wanted, event)
        )
        # The reader learns how far it is, so that what it does not want is not gone through again.
        return told + self._mark(sent)

    def _mark(self, sent: Position) -> str:
        return f": alive\nid: {_place(self._organization_id, sent)}\n\n"

    async def _send(self, send: Send, text: str) -> None:
        async with asyncio.timeout(self._pace.send):
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _unless(leaving: asyncio.Future[None], taking: Coroutine[None, None, list[AuditRecord]]) -> list[AuditRecord]:
    """
    Return what comes, or nothing if the reader leaves before.
    """
    task = asyncio.ensure_future(taking)
    try:
        await asyncio.wait((leaving, task), return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else []
    finally:
        task.cancel()
