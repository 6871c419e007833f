"""
Workers side by side, until a signal or the end of one of them.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from rooftree.errors import RooftreeError
from rooftree.telemetry.logs import Action, log

__all__ = ["Worker", "collect_seldom", "stop_on_signals", "supervise"]

Worker: TypeAlias = Callable[[asyncio.Event], Awaitable[None]]


def collect_seldom() -> None:
    """
    Let Python look for cycles among objects less often than it would by itself.

    Views hold hundreds of objects for each account for as long as the process runs, and none of them is part of a
    cycle: with the usual thresholds a third of the time of a large change went into looking at all of them.
    """
    gc.set_threshold(200_000, 50, 100)


@contextmanager
def stop_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """
    Set *stop* at the first SIGTERM or SIGINT; a second one cancels the current task at once.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def handle(number: signal.Signals) -> None:
        log().info(Action.STOP_REQUESTED, signal=number.name)
        if stop.is_set() and task is not None:
            task.cancel()
        stop.set()

    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, handle, number)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def supervise(workers: Mapping[str, Worker], *, stop: asyncio.Event, drain_timeout: float) -> None:
    """
    Run workers until *stop* is set, then let each finish what it has in hand.

    The end of one, by whatever cause, stops the others. Who is not done in time is cancelled: nothing of value is
    only in memory.

    Raises:
        RooftreeError: Why the first worker failed, or any other error of its.
    """
    if stop.is_set():  # a signal came before there was anything to stop
        return
    tasks = [asyncio.create_task(_run(name, worker, stop), name=name) for name, worker in workers.items()]
    try:
        await stop.wait()
        _, late = await asyncio.wait(tasks, timeout=drain_timeout)
        if late:
            log().warning(Action.DRAIN_TIMED_OUT, workers=sorted(task.get_name() for task in late))
    finally:
        stop.set()
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


async def _run(name: str, worker: Worker, stop: asyncio.Event) -> None:
    log().info(Action.WORKER_STARTED, worker=name)
    try:
        await worker(stop)
    except asyncio.CancelledError:
        raise
    except RooftreeError as error:
        log().error(Action.WORKER_FAILED, worker=name, reason=str(error))
        raise
    except Exception:
        log().exception(Action.WORKER_FAILED, worker=name)
        raise
    finally:
        stop.set()
        log().info(Action.WORKER_STOPPED, worker=name)
