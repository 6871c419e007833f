"""
Waiting that ends early when the work is to stop, and long work that lets others in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from rooftree.errors import UnavailableError
from rooftree.telemetry.logs import Action, log
from rooftree.telemetry.metrics import Metrics

__all__ = ["Turn", "pause", "persistently"]

_FIRST_DELAY = 0.2
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


def persistently(
    worker: str, stop: asyncio.Event, *, longest: float, hopeless: Callable[[], bool] = lambda: False
) -> AsyncRetrying:
    """
    Return attempts at what needs a server: while that is away they go on, with pauses that grow and are drawn by lot,
    so that many workers do not come back at once.

    They end with the first that succeeds, or with the error of the server once *stop* is set or it is hopeless.

    Args:
        worker: Whose attempts they are, for the log.
        stop: Also ends a pause.
        longest: Seconds that a pause takes at most.
        hopeless: Asked after each failure.
    """

    def tell(state: RetryCallState) -> None:
        assert state.outcome is not None
        Metrics.failures.labels(Action.SERVER_AWAY.value).inc()
        reason, delay = str(state.outcome.exception()), round(state.upcoming_sleep, 3)
        log().warning(Action.SERVER_AWAY, worker=worker, reason=reason, attempt=state.attempt_number, retry_in=delay)

    return AsyncRetrying(
        retry=retry_if_exception_type(UnavailableError),
        stop=lambda _: stop.is_set() or hopeless(),
        wait=wait_random_exponential(multiplier=_FIRST_DELAY, max=longest),
        sleep=lambda seconds: pause(seconds, stop),
        before_sleep=tell,
        reraise=True,
    )
