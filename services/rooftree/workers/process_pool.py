"""
Long questions, answered in processes of their own: the event loop goes on, and what takes too long can be ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, TypeAlias

import anyio
import anyio.to_process

from rooftree.errors import UnavailableError
from rooftree.inquiry.jobs import Job, Prepare

__all__ = ["ProcessPool", "RunJob"]

RunJob: TypeAlias = Callable[[Job, "frozenset[str] | None"], bytes]
"""Runs a job, on a view that is limited to some organizations; it is called in another process."""

WAITING: Final = 8
"""Jobs that wait for a process; whoever comes after them is asked to come again."""


class ProcessPool:
    """
    A few processes, started when they are needed, which end with this one.
    """

    def __init__(self, run: RunJob, *, processes: int, seconds: float) -> None:
        self._run = run
        self._places = anyio.CapacityLimiter(processes)
        self._seconds = seconds

    async def prepare(self, stop: asyncio.Event) -> None:
        """
        Start a process before anybody asks, which takes seconds; then wait for *stop*.
        """
        preparing = asyncio.ensure_future(self.run(Prepare(), None))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait((preparing, stopping), return_when=asyncio.FIRST_COMPLETED)
            if preparing.done():
                with suppress(UnavailableError):
                    await preparing
                await stopping
        finally:
            preparing.cancel()
            stopping.cancel()
            with suppress(UnavailableError, asyncio.CancelledError):
                await preparing

    async def run(self, job: Job, organizations: frozenset[str] | None) -> bytes:
        """
        Return the answer of a job.

        Raises:
            InputError: The job asks for something that is not so.
            UnavailableError: Too many jobs wait already, this one took too long, or its process died.
        """
        if self._places.statistics().tasks_waiting >= WAITING:
            raise UnavailableError(f"{WAITING} questions of this size wait already")
        work = partial(self._run, job, organizations)
        try:
            with anyio.fail_after(self._seconds):
                return await anyio.to_process.run_sync(work, cancellable=True, limiter=self._places)
        except TimeoutError as error:
            raise UnavailableError(f"the answer takes longer than {self._seconds:g} s") from error
        except anyio.BrokenWorkerProcess as error:
            raise UnavailableError("the process that worked out the answer has died") from error
