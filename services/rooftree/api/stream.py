"""
Audit events as server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Coroutine
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rooftree.api.callers import reader_of, still_admitted
from rooftree.api.feed import AuditFeed, Position
from rooftree.errors import InputError
from rooftree.inquiry.auditing import admits
from rooftree.inquiry.documents import audit_document
from rooftree.reading.outline import AuditFilter
from rooftree.reading.reader import AuditRecord

__all__ = ["EVENT_STREAM", "AuditStream", "event_id", "read_event_id"]

EVENT_STREAM: Final = "text/event-stream"

HEARTBEAT_SECONDS: Final = 15.0
SEND_SECONDS: Final = 20.0
"""A reader that takes nothing for so long is gone, or might as well be."""

RECHECK_SECONDS: Final = 30.0
"""How long a token that was revoked goes on to hear."""

LIFE_SECONDS: Final = 1800.0
"""After that the reader comes again, and shows anew that it may."""

RETRY_MILLISECONDS: Final = 2000
PAGE: Final = 200

_EVENT_ID: Final = re.compile(r"(o-[a-z0-9]{10,32}):([0-9]{1,18}):([0-9]{1,9})\Z", re.ASCII)


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
    An answer that goes on until the reader leaves, falls behind, or the service stops.
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
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._feed = feed
        self._reader = reader_of(request)
        self._organization_id = organization_id
        self._wanted = wanted
        self._after = after
        self._request = request

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
            begin = listener.begin if self._after is None else self._after
            sent = begin
            end = time.monotonic() + LIFE_SECONDS
            recheck = time.monotonic() + RECHECK_SECONDS
            try:
                await self._send(send, f"retry: {RETRY_MILLISECONDS}\n{self._mark(sent)}")
                async for events in self._missed(begin, listener.begin):
                    sent = events[-1].position
                    await self._send(send, self._told(events, sent))
                while not (leaving.done() or listener.closed or time.monotonic() > end):
                    if time.monotonic() > recheck:
                        if not await still_admitted(self._request):
                            break
                        recheck = time.monotonic() + RECHECK_SECONDS
                    arrived = await _unless(leaving, listener.take(HEARTBEAT_SECONDS))
                    # A reader may know more than the feed had seen when it came.
                    events = [event for event in arrived if event.position > sent]
                    sent = events[-1].position if events else sent
                    await self._send(send, self._told(events, sent))
                await send({"type": "http.response.body", "body": b""})
            except TimeoutError:
                # Nothing reaches this reader; the server closes the connection of an answer without an end.
                return
            finally:
                leaving.cancel()

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
        async with asyncio.timeout(SEND_SECONDS):
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
