"""
Processes under test, with what they say kept beside them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tests.faults.process import run
from tests.forks import FORKS

from rooftree.benchmarks.processes import as_environment
from rooftree.settings import Settings

__all__ = ["WorkerProcess", "start_worker", "worker"]

STOP_SECONDS = 20


@dataclass(slots=True)
class WorkerProcess:
    """
    A process that runs workers.

    Attributes:
        roles: ``projector``, ``relay`` or both.
        log_path: Where its log lines are, as JSON.
    """

    roles: tuple[str, ...]
    log_path: Path
    process: BaseProcess

    @property
    def running(self) -> bool:
        """
        Whether it has not ended, asleep or not.
        """
        return self.status is None

    @property
    def status(self) -> int | None:
        """
        The status with which it ended, or the signal as a negative number; None while it runs.
        """
        return self.process.exitcode

    @property
    def pid(self) -> int:
        """
        The process id.
        """
        assert self.process.pid is not None
        return self.process.pid

    def send(self, number: signal.Signals) -> None:
        """
        Send a signal, if there is still somebody.
        """
        if self.running:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def kill(self) -> None:
        """
        End it in the middle of whatever it does.
        """
        self.send(signal.SIGKILL)
        await self.wait()

    async def terminate(self) -> int:
        """
        Ask it to stop, and return its status.
        """
        self.send(signal.SIGTERM)
        return await asyncio.wait_for(self.wait(), STOP_SECONDS)

    async def wait(self) -> int:
        """
        Wait until it has ended, and return its status.
        """
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self.process.sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self.process.sentinel)
        self.process.join()
        assert self.status is not None
        return self.status

    def lines(self) -> list[dict[str, Any]]:
        """
        Return what it has logged.
        """
        text = self.log_path.read_text("utf-8") if self.log_path.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]

    def actions(self) -> list[str]:
        """
        Return the words under which it has logged.
        """
        return [line["action"] for line in self.lines()]


async def start_worker(settings: Settings, *roles: str, log_path: Path) -> WorkerProcess:
    """
    Start a process.
    """
    process = FORKS.Process(target=run, args=(roles, as_environment(settings), log_path), daemon=True)
    process.start()
    return WorkerProcess(roles, log_path, process)


@asynccontextmanager
async def worker(settings: Settings, *roles: str, log_path: Path) -> AsyncIterator[WorkerProcess]:
    """
    Run a process while the context lasts.
    """
    started = await start_worker(settings, *roles, log_path=log_path)
    try:
        yield started
    finally:
        await started.kill()
