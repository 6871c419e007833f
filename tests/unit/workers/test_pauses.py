"""
Delays and turns.
"""

from __future__ import annotations

import asyncio
import time

from rooftree.workers.pauses import Backoff, Turn, pause


def test_delays_grow_to_a_limit() -> None:
    """
    Each lies between half of its bound and the bound.
    """
    backoff = Backoff(1.0)
    delays = [backoff.next_delay() for _ in range(8)]
    bounds = [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0]

    assert all(bound / 2 <= delay <= bound for delay, bound in zip(delays, bounds, strict=True))


def test_a_success_starts_over() -> None:
    """
    The next failure waits briefly again.
    """
    backoff = Backoff(10.0)
    for _ in range(5):
        backoff.next_delay()
    backoff.reset()

    assert backoff.next_delay() <= 0.1


async def test_a_pause_ends_with_the_stop() -> None:
    """
    Nobody waits for a pause to end.
    """
    stop = asyncio.Event()
    stop.set()
    started = time.monotonic()
    await pause(60, stop)

    assert time.monotonic() - started < 5


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
