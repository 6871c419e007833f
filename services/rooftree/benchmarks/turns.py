"""
Timing by turns of what waits for a server: by the clock, and not by the time of the processor.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

__all__ = ["by_turns"]

WARM_UP = 2


async def by_turns(
    subject: Callable[[], Awaitable[object]],
    floor: Callable[[], Awaitable[object]],
    *,
    runs: int,
    prepare: Callable[[], object] = lambda: None,
) -> tuple[list[float], list[float]]:
    """
    Return the seconds of each run of a subject and of its floor, after a warm-up.

    Args:
        subject: What is measured.
        floor: What it is held against.
        runs: How often.
        prepare: Runs before each time of the subject, and is not counted.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(WARM_UP + runs):
        for taken, run in zip(times, (subject, floor), strict=True):
            if run is subject:
                prepare()
            started = time.perf_counter()
            await run()
            if number >= WARM_UP:
                taken.append(time.perf_counter() - started)
    return times
