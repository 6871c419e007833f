"""
The roles of a deployment as the commands that an operator runs, each a process of its own.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
from tests.commands import COMMAND

from rooftree.benchmarks.processes import as_environment
from rooftree.settings import Settings

__all__ = ["ApiClient", "Role", "run_command", "start_role"]

READY = {
    "projector": "consumer.partitions_assigned",
    "relay": "worker.started",
    "api": "api.started",
}
START_SECONDS = 300.0
STOP_SECONDS = 120.0


@dataclass(slots=True)
class Role:
    """
    One running command.

    Attributes:
        log_path: Everything that it has printed.
    """

    name: str
    log_path: Path
    process: asyncio.subprocess.Process
    url: str

    def printed(self) -> str:
        """
        Return what it has printed.
        """
        return self.log_path.read_text("utf-8", "replace")

    async def terminate(self) -> int:
        """
        Ask it to end, and return its status.
        """
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), STOP_SECONDS)

    async def kill(self) -> None:
        """
        End it, if it still runs.
        """
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


async def start_role(name: str, settings: Settings, log_path: Path, *, port: int = 0) -> Role:
    """
    Start a role and wait until it works.
    """
    chosen = settings.model_copy(update={"http_port": port} if port else {})
    with log_path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, name, env=as_environment(chosen), stdout=log, stderr=asyncio.subprocess.STDOUT
        )
    role = Role(name, log_path, process, f"http://127.0.0.1:{port}")
    try:
        async with asyncio.timeout(START_SECONDS):
            while READY[name] not in role.printed():
                assert process.returncode is None, role.printed()[-3000:]
                await asyncio.sleep(0.1)
    except BaseException:
        await role.kill()
        raise
    return role


async def run_command(settings: Settings, *arguments: str) -> tuple[int, str]:
    """
    Run a command to its end; return its status and all that it has printed.
    """
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        env={**os.environ, **as_environment(settings)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode or 0, told.decode("utf-8", "replace")


class ApiClient:
    """
    Somebody who asks all the time, and asks the other instance where one does not answer.

    Attributes:
        answered: Requests that were answered.
        repeated: Attempts that were not.
        slowest: Seconds of the request that took longest, attempts included.
    """

    def __init__(self, addresses: Callable[[], list[str]], token: str) -> None:
        self._addresses = addresses
        self._headers = {"Authorization": f"Bearer {token}"}
        self.answered = 0
        self.repeated = 0
        self.slowest = 0.0
        self.stop = asyncio.Event()

    async def run(self) -> None:
        """
        Ask until told to stop; fails where no instance answers within seconds.
        """
        clock = asyncio.get_running_loop().time
        async with httpx.AsyncClient(headers=self._headers, timeout=5) as client:
            while not self.stop.is_set():
                began = clock()
                async with asyncio.timeout(10):
                    while not await self._ask(client):
                        self.repeated += 1
                        await asyncio.sleep(0.02)
                self.answered += 1
                self.slowest = max(self.slowest, clock() - began)
                await asyncio.sleep(0.05)

    async def _ask(self, client: httpx.AsyncClient) -> bool:
        addresses = self._addresses()
        # Turn by turn; after a failure the next one is another.
        address = addresses[(self.answered + self.repeated) % len(addresses)]
        try:
            answer = await client.get(f"{address}/api/v1/organizations")
        except httpx.TransportError:
            return False
        assert answer.status_code in {200, 503}, answer.text
        return answer.status_code == 200
