"""
Processes under test, with what they say kept beside them.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.settings_variables import as_environment

from rooftree.settings import Settings

__all__ = ["WorkerProcess", "start_worker", "worker"]

SCRIPT = Path(__file__).with_name("process.py")
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
    process: asyncio.subprocess.Process

    @property
    def running(self) -> bool:
        """
        Whether it has not ended, asleep or not.
        """
        return self.process.returncode is None

    def send(self, number: signal.Signals) -> None:
        """
        Send a signal, if there is still somebody.
        """
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def kill(self) -> None:
        """
        End it in the middle of whatever it does.
        """
        self.send(signal.SIGKILL)
        await self.process.wait()

    async def terminate(self) -> int:
        """
        Ask it to stop, and return its status.
        """
        self.send(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), STOP_SECONDS)

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
    with log_path.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, SCRIPT, *roles, env=as_environment(settings), stderr=log
        )
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
