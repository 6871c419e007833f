"""
A server as a child process that never outlives this one.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rooftree.errors import UnavailableError
from rooftree.telemetry.logs import Action, log

__all__ = ["Child", "free_port", "start_child", "tail"]

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def free_port() -> int:
    """
    Return a TCP port of 127.0.0.1 that nothing listens on at this moment.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tail(path: Path, *, lines: int = 3) -> str:
    """
    Return the last lines of a log in one line, for an error message.
    """
    with contextlib.suppress(OSError):
        kept = path.read_text(errors="replace").strip().splitlines()[-lines:]
        return " | ".join(line.strip() for line in kept)
    return ""


class Child:
    """
    A running child process.

    Attributes:
        name: What it is, for messages.
        log_path: Where its output goes.
    """

    def __init__(self, process: asyncio.subprocess.Process, name: str, log_path: Path) -> None:
        self.name = name
        self.log_path = log_path
        self._process = process
        self._stopping = False

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

    async def watch(self) -> None:
        """
        Wait until the child is stopped on purpose.

        Raises:
            UnavailableError: It ended by itself.
        """
        status = await self._process.wait()
        if not self._stopping:
            log().error(Action.EMBEDDED_DIED, server=self.name, status=status)
            raise UnavailableError(f"the embedded {self.name} ended with status {status}: {tail(self.log_path)}")

    async def finish(self) -> None:
        """
        Wait for the end of a program that ends by itself.

        Raises:
            UnavailableError: It failed.
        """
        if status := await self._process.wait():
            raise UnavailableError(f"the embedded {self.name} ended with status {status}: {tail(self.log_path)}")

    async def stop(self, *signals: tuple[signal.Signals, float]) -> None:
        """
        Send each signal in turn, waiting its seconds for the end, and at last kill.

        Returns only when the process is gone, also when cancelled meanwhile.
        """
        self._stopping = True
        for number, seconds in signals:
            if await self._ended_after(number, seconds):
                return
        await self._ended_after(signal.SIGKILL, 5)

    async def _ended_after(self, number: signal.Signals, seconds: float) -> bool:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
        try:
            await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            return False
        return True


async def start_child(
    arguments: Sequence[str | Path],
    *,
    name: str,
    log_path: Path,
    death_signal: signal.Signals,
    account: tuple[int, int] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Child:
    """
    Start a server.

    It runs in a process group of its own, so that Ctrl-C reaches this process alone and work in hand can be
    finished while the server still answers.

    Args:
        arguments: The program and what it is told.
        name: What it is, for messages.
        log_path: Where its output goes; what is there stays above.
        death_signal: What the kernel sends it when this process dies.
        account: User and group id to run as; needs root.
        environment: Variables besides the path, the locale and the time zone.

    Raises:
        UnavailableError: The program cannot be started.
    """
    user, group = account if account is not None else (None, None)
    try:
        descriptor = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            process = await asyncio.create_subprocess_exec(
                *map(str, arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", **(environment or {})},
                cwd="/",
                user=user,
                group=group,
                extra_groups=[] if account else None,
                process_group=0,
                preexec_fn=_dies_with(os.getpid(), death_signal),
            )
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UnavailableError(f"the embedded {name} cannot be started: {error}") from error
    return Child(process, name, log_path)


def _dies_with(parent: int, death_signal: signal.Signals) -> Callable[[], None]:
    # Runs between fork and exec, after the change of user, which would clear the setting. It only makes
    # two system calls by what was loaded before the fork, so it is safe beside threads.
    def arrange() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:
            os._exit(1)

    return arrange
