"""
Delays and turns.
"""

from __future__ import annotations

import asyncio
import time

import pytest
from tenacity import AsyncRetrying, stop_after_attempt

from rooftree.errors import UnavailableError
from rooftree.workers.pauses import Turn, pause, persistently


async def failing_for(stop: asyncio.Event, failures: int, *, longest: float = 0.001) -> int:
    """
    Make attempts of which so many fail; returns how many were made.
    """
    made = 0
    async for attempt in persistently("worker", stop, longest=longest):
        with attempt:
            made += 1
            if made <= failures:
                raise UnavailableError("away")
    return made


async def always(error: Exception, attempts: AsyncRetrying) -> None:
    """
    Fail at each attempt.
    """
    async for attempt in attempts:
        with attempt:
            raise error


async def test_attempts_go_on_while_a_server_is_away() -> None:
    """
    There is no number of failures after which a change is given up.
    """
    assert 51 == await failing_for(asyncio.Event(), 50)


async def test_pauses_grow_and_differ() -> None:
    """
    Many workers that lose a server at the same moment do not come back at the same moment.
    """
    waits = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    attempts = persistently("worker", asyncio.Event(), longest=1.0).copy(sleep=note, stop=stop_after_attempt(200))
    with pytest.raises(UnavailableError):
        await always(UnavailableError("away"), attempts)

    assert waits[0] <= 0.2
    assert 0.5 < max(waits) <= 1.0
    assert len(set(waits[10:])) > 100


async def test_a_stop_ends_the_attempts() -> None:
    """
    The pause is cut short, and the last error is told.
    """
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, stop.set)
    with pytest.raises(UnavailableError, match="away"):
        await failing_for(stop, 1_000_000, longest=60)

    assert stop.is_set()


async def test_who_has_no_hope_stops_trying() -> None:
    """
    The error goes out at once.
    """
    with pytest.raises(UnavailableError, match="for good"):
        await always(
            UnavailableError("for good"), persistently("worker", asyncio.Event(), longest=60, hopeless=lambda: True)
        )


async def test_other_errors_are_not_survived() -> None:
    """
    A mistake of ours is no server that is away.
    """
    with pytest.raises(KeyError):
        await always(KeyError("a mistake"), persistently("worker", asyncio.Event(), longest=60))


async def test_a_pause_ends_with_the_stop() -> None:
    """
    Nobody waits for a pause to end.
    """
    stop = asyncio.Event()
    stop.set()
    async with asyncio.timeout(60) as patience:
        await pause(24 * 3600, stop)

    assert not patience.expired()


async def test_long_work_lets_others_run() -> None:
    """
    After a while of work a waiting task gets its turn.
    """
    ran = []

    async def other() -> None:
        ran.append(True)

    waiting = asyncio.create_task(other())
    turn = Turn()
    await turn.give()
    before = list(ran)
    time.sleep(0.03)  # noqa: ASYNC251  # work of the processor
    await turn.give()
    await waiting

    assert ([], [True]) == (before, ran)
