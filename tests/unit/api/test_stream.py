"""
The live feed as its readers hear it, who come and go, lag behind, and lose their right to hear.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from starlette.requests import Request
from tests.unit.api.fake_backing import OwnPace
from tests.unit.api.fake_reader import ORGANIZATION, FakeReader, event

from rooftree.access.caller import ADMIN_TOKEN
from rooftree.api.access import Credential
from rooftree.api.callers import admit
from rooftree.api.feed import BUFFER, AuditFeed, Listener
from rooftree.api.stream import AuditStream, Pace, event_id, read_event_id
from rooftree.errors import UnavailableError
from rooftree.reading.outline import AuditFilter

EVENTS = BUFFER + 1500
READERS = 3
LIVELY = Pace(pulse=0.05)


class Browser:
    """
    Reads the stream as browsers do: frame by frame, going on from the last id that came whole.

    Attributes:
        heard: The ids of all events.
        last: The id to go on from.
        admitted: Whether whoever reads may go on to do so.
        away: Whether nobody can tell.
        closed: How often the service ended what was read.
    """

    def __init__(self, random: Random, last: str | None = None) -> None:
        self.heard: list[str] = []
        self.last = last
        self.admitted = True
        self.away = False
        self.closed = 0
        self._random = random

    async def connect(self, feed: AuditFeed, reader: FakeReader, *, messages: int, pace: Pace = LIVELY) -> None:
        """
        Read so many messages, or until the service has enough; what comes last may be cut off anywhere.
        """
        leaving, received = asyncio.Event(), list[str]()

        async def receive() -> dict[str, str]:
            await leaving.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            received.append(message.get("body", b"").decode())
            await asyncio.sleep(self._random.choice((0, 0, 0.001, 0.02)))
            if len(received) > messages:
                leaving.set()

        scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}
        admit(scope, Credential(ADMIN_TOKEN, None), reader, self._recheck)
        stream = AuditStream(
            feed,
            Request(scope),
            organization_id=ORGANIZATION,
            wanted=AuditFilter(),
            after=None if self.last is None else read_event_id(self.last, ORGANIZATION),
            pace=pace,
        )
        await stream(scope, receive, send)
        self.closed += not leaving.is_set()
        cut = self._random.randrange(len(received[-1]) + 1)
        self._read("".join([*received[:-1], received[-1][:cut]]))

    async def _recheck(self) -> bool:
        if self.away:
            raise UnavailableError("PostgreSQL: it is away")
        return self.admitted

    def _read(self, text: str) -> None:
        for frame in text.split("\n\n")[:-1]:
            fields = dict(line.partition(": ")[::2] for line in frame.splitlines())
            self.last = fields.get("id", self.last)
            if "data" in fields:
                self.heard.append(str(self.last))


@asynccontextmanager
async def running(reader: FakeReader) -> AsyncIterator[AuditFeed]:
    """
    Run a feed over a reader for the time of the context.
    """
    feed, stop = AuditFeed(reader, OwnPace()), asyncio.Event()
    task = asyncio.create_task(feed.run(stop))
    try:
        yield feed
    finally:
        stop.set()
        await task


async def write(reader: FakeReader, random: Random) -> None:
    """
    Let events happen, some by some, and sometimes more at once than anybody is kept waiting for.
    """
    while len(reader.events) < EVENTS:
        count = min(random.choice((1, 3, 40, 700, BUFFER + 500)), EVENTS - len(reader.events))
        reader.events += [event(len(reader.events) + number + 1) for number in range(count)]
        await asyncio.sleep(random.choice((0, 0.005, 0.05)))


@pytest.mark.parametrize("seed", range(3))
async def test_whoever_comes_and_goes_hears_every_event_once_and_in_order(seed: int) -> None:
    """
    Under load, with answers that are cut off in the middle, and readers who are let go since they lag behind.
    """
    random, reader = Random(seed), FakeReader()
    browsers = [Browser(Random(f"{seed} {number}"), f"{ORGANIZATION}:0:0") for number in range(READERS)]

    async def listen(browser: Browser) -> None:
        while len(browser.heard) < EVENTS:
            await browser.connect(feed, reader, messages=random.choice((0, 2, 6, 30)))

    async with running(reader) as feed, asyncio.timeout(60):
        await asyncio.gather(write(reader, random), *map(listen, browsers))

    expected = [event_id(one) for one in reader.events]
    assert [expected] * READERS == [browser.heard for browser in browsers]


async def test_whoever_lost_the_right_to_hear_hears_no_more() -> None:
    """
    The stream of a token that was revoked ends by itself, though nothing happens.
    """
    browser, reader = Browser(Random(0)), FakeReader(events=[event(1)])
    async with running(reader) as feed, asyncio.timeout(20):
        listening = asyncio.create_task(browser.connect(feed, reader, messages=10_000))
        await asyncio.sleep(0.3)
        heard_on = not listening.done()
        browser.admitted = False
        await listening

    assert heard_on
    assert 1 == browser.closed


async def test_whoever_lost_the_right_to_hear_is_told_no_more_of_the_past() -> None:
    """
    A reader who comes back from far behind is asked anew while it catches up.
    """
    browser = Browser(Random(0), f"{ORGANIZATION}:0:0")
    browser.admitted = False
    reader = FakeReader(events=[event(number + 1) for number in range(EVENTS)])
    async with running(reader) as feed, asyncio.timeout(20):
        await browser.connect(feed, reader, messages=10_000, pace=Pace(pulse=0))

    assert 1 == browser.closed
    assert [] == browser.heard


async def test_a_stream_ends_when_the_database_is_away() -> None:
    """
    Its reader comes back, and is told what is the matter with a status that says so.
    """
    browser, reader = Browser(Random(0)), FakeReader(events=[event(1)])
    browser.away = True
    async with running(reader) as feed, asyncio.timeout(20):
        await browser.connect(feed, reader, messages=10_000)

    assert 1 == browser.closed


async def test_a_listener_who_has_missed_one_event_is_given_none_after_it() -> None:
    """
    Even if there is room again: a gap would never be filled, since the reader goes on from the last id.
    """
    listener = Listener((0, 0))
    for number in range(BUFFER + 1):
        listener.put(event(number + 1))
    before = await listener.take(0)
    listener.put(event(BUFFER + 2))

    assert listener.closed
    assert list(range(1, BUFFER + 1)) == [one.revision for one in before]
    assert [] == await listener.take(0)
