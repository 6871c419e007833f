"""
What is measured, as processes of their own, and what they use of the machine.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from enum import Enum
from pathlib import Path

from pydantic import SecretStr

from rooftree.embedded.child import tail
from rooftree.errors import UnavailableError
from rooftree.settings import PREFIX, Settings

__all__ = ["Process", "as_environment", "asleep", "run_process", "run_roles"]

_STOP_SECONDS = 20.0
_TICKS = os.sysconf("SC_CLK_TCK")
_COMMAND = "from rooftree.cli import main; main()"


class Process:
    """
    A running process.
    """

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self._process = process
        self.name = name

    @property
    def pid(self) -> int:
        """
        The process id.
        """
        return self._process.pid

    @property
    def running(self) -> bool:
        """
        Whether it has not ended yet.
        """
        return self._process.returncode is None

    def send(self, number: signal.Signals) -> None:
        """
        Send it a signal.
        """
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def cpu_seconds(self) -> float:
        """
        Return for how long it has kept a processor busy so far.
        """
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_bytes(self) -> int:
        """
        Return how much memory it has now.
        """
        return self._status("VmRSS")

    def peak_bytes(self) -> int:
        """
        Return how much memory it has had at the most since `forget_peak`.
        """
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        """
        Let the peak be what it has now.

        https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html
        """
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
        raise UnavailableError(f"the process `{self.name}` has ended")

    async def cancel_at_end(self, task: asyncio.Task[object]) -> None:
        """
        Wait for its end, and then cancel a task that may be waiting for what will never come.
        """
        await self._process.wait()
        task.cancel()

    async def stop(self) -> None:
        """
        Let it finish what it has in hand.
        """
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        except TimeoutError:
            self.send(signal.SIGKILL)
            await self._process.wait()


@asynccontextmanager
async def run_process(name: str, arguments: Sequence[str], settings: Settings, folder: Path) -> AsyncIterator[Process]:
    """
    Run a Python process with these settings; what it says goes into the folder.

    Raises:
        UnavailableError: It has ended by itself, while the block was waiting for what it does.
    """
    path = folder / f"{name}.log"
    with path.open("ab") as output:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=as_environment(settings),
        )
    process, task = Process(child, name), asyncio.current_task()
    assert task is not None, "a context is entered by a task"
    watching = asyncio.create_task(process.cancel_at_end(task))
    try:
        yield process
    except asyncio.CancelledError:
        if process.running:
            raise
        task.uncancel()
        raise UnavailableError(f"the process `{name}` has ended: {tail(path)}") from None
    finally:
        watching.cancel()
        await process.stop()


@asynccontextmanager
async def run_roles(settings: Settings, roles: Sequence[str], folder: Path) -> AsyncIterator[dict[str, Process]]:
    """
    Run roles of the service, such as ``projector`` and ``relay``; a name may be had several times by a number after it.
    """
    async with AsyncExitStack() as stack:
        yield {
            role: await stack.enter_async_context(
                run_process(role, ["-c", _COMMAND, role.rstrip("0123456789")], settings, folder)
            )
            for role in roles
        }


@contextmanager
def asleep(processes: Sequence[Process]) -> Iterator[None]:
    """
    Stop processes for the time of the block.
    """
    for process in processes:
        process.send(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send(signal.SIGCONT)


def as_environment(settings: Settings) -> dict[str, str]:
    """
    Return the variables of this process, and those that make these settings.
    """
    shown = {
        name: value.get_secret_value()
        if isinstance(value, SecretStr)
        else value.value
        if isinstance(value, Enum)
        else value
        for name, value in settings
        if value is not None
    }
    return {**os.environ, **{f"{PREFIX}{name.upper()}": str(value) for name, value in shown.items()}}
