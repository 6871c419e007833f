"""
Workers as a process of their own, to be killed.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from tests.databases import as_role

from rooftree.bootstrap.database import open_store
from rooftree.bootstrap.workers import open_projector, open_relay
from rooftree.errors import UnavailableError
from rooftree.settings import load_settings
from rooftree.telemetry.logs import configure_logging
from rooftree.workers.supervisor import Worker, stop_on_signals, supervise

AWAY = 3
PR_SET_PDEATHSIG = 1


async def main(*roles: str) -> None:
    """
    Run the workers until a signal.
    """
    settings = load_settings()
    configure_logging(level=settings.log_level, style="json")
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(stop_on_signals(stop))
        openers = {"projector": open_projector, "relay": open_relay}
        workers: dict[str, Worker] = {}
        for role in roles:
            limited = as_role(settings, f"rooftree_{role}")
            database = await stack.enter_async_context(open_store(limited, f"rooftree-{role}"))
            workers[role] = await stack.enter_async_context(openers[role](limited, database))
        await supervise(workers, stop=stop, drain_timeout=settings.drain_timeout)


def run(roles: tuple[str, ...], environment: dict[str, str], log_path: Path) -> None:
    """
    Be such a process, with its log lines in a file.
    """
    # It ends with the tests, however those end.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.environ.clear()
    os.environ.update(environment)
    descriptor = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, sys.stderr.fileno())
    try:
        asyncio.run(main(*roles))
    except UnavailableError:
        sys.exit(AWAY)  # like the command: whoever started it may start it again
