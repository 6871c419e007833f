"""
Waiting that ends early when the work is to stop, and long work that lets others in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time

__all__ = ["Backoff", "Turn", "pause"]

_FIRST_DELAY = 0.1
_TURN_SECONDS = 0.02


class Turn:
    """
    Work of the processor that lets heartbeats and requests have their turn every few milliseconds.
    """

    def __init__(self) -> None:
        self._since = time.monotonic()

    async def give(self) -> None:
        """
        Let others run if this work has run for long enough.
        """
        if time.monotonic() - self._since > _TURN_SECONDS:
            await asyncio.sleep(0)
            self._since = time.monotonic()


async def pause(seconds: float, stop: asyncio.Event) -> None:
    """
    Wait so long, or until *stop* is set.
    """
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


class Backoff:
    """
    Delays that double up to a limit, each cut by up to half, so that many workers do not come back at once.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._delay = _FIRST_DELAY

    def next_delay(self) -> float:
        """
        Return how long to wait now.
        """
        delay = self._delay
        self._delay = min(self._limit, 2 * delay)
        return delay * (1 - secrets.randbelow(500) / 1000)

    def reset(self) -> None:
        """
        Start from the shortest delay again, after a success.
        """
        self._delay = _FIRST_DELAY
