"""
Workers side by side: stops, failures and deadlines.
"""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from rooftree.errors import UnavailableError
from rooftree.workers.supervisor import stop_on_signals, supervise

DAY = 24 * 3600


async def until_stopped(stop: asyncio.Event) -> None:
    """
    Do nothing until the stop.
    """
    await stop.wait()


async def fail(_: asyncio.Event) -> None:
    """
    Fail at once.
    """
    raise UnavailableError("no server")


async def test_a_worker_that_fails_stops_the_others_and_tells_why() -> None:
    """
    The others finish in their own time.
    """
    finished = []

    async def finish(stop: asyncio.Event) -> None:
        await stop.wait()
        await asyncio.sleep(0.01)
        finished.append(True)

    with pytest.raises(UnavailableError, match="no server"):
        await supervise({"finish": finish, "fail": fail}, stop=asyncio.Event(), drain_timeout=5)

    assert [True] == finished


async def test_a_worker_that_does_not_end_is_cancelled_after_the_deadline() -> None:
    """
    A stop lasts no longer than the drain timeout.
    """
    stop, cancelled = asyncio.Event(), asyncio.Event()

    async def deaf(_stop: asyncio.Event) -> None:
        try:
            await asyncio.sleep(DAY)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    asyncio.get_running_loop().call_later(0.01, stop.set)
    async with asyncio.timeout(60):
        await supervise({"deaf": deaf}, stop=stop, drain_timeout=0.05)

    assert cancelled.is_set()


async def test_the_end_of_one_worker_is_the_end_of_all() -> None:
    """
    A service with a part missing is not left running.
    """

    async def leave(_: asyncio.Event) -> None:
        return

    stop = asyncio.Event()
    await asyncio.wait_for(supervise({"leave": leave, "stay": until_stopped}, stop=stop, drain_timeout=5), 5)

    assert stop.is_set()


async def test_nothing_starts_after_a_stop() -> None:
    """
    A signal during the start is not forgotten.
    """
    stop = asyncio.Event()
    stop.set()
    await supervise({"fail": fail}, stop=stop, drain_timeout=5)

    assert stop.is_set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_asks_for_a_stop(number: signal.Signals) -> None:
    """
    The workers are drained, and nothing is raised.
    """
    stop = asyncio.Event()
    with stop_on_signals(stop):
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.wait(), 5)

    assert stop.is_set()


async def test_a_second_signal_ends_at_once() -> None:
    """
    Whoever is impatient does not wait for the drain.
    """
    stop = asyncio.Event()

    async def impatient() -> None:
        with stop_on_signals(stop):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(60)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(impatient())

    assert stop.is_set()
