"""
Workers of one round, and everything that can befall them.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.brokers import BROKER, KAFKA
from tests.faults.process import AWAY
from tests.faults.proxy import Proxy
from tests.faults.servers import Servers
from tests.faults.workers import WorkerProcess, start_worker

from rooftree.settings import Settings

__all__ = ["FAULTS", "World"]


@dataclass(slots=True)
class World:
    """
    One round: workers at work, and a hand that disturbs them.

    Attributes:
        random: Decides everything.
        redeliver: Publishes some changes again that were published before.
        told: What has happened, with the seconds since the start, for whoever looks into a failure.
    """

    servers: Servers
    settings: Settings
    folder: Path
    random: Random
    redeliver: Callable[[], Awaitable[None]]
    told: list[str] = field(default_factory=list)
    workers: list[WorkerProcess] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _started: int = 0

    def tell(self, what: str) -> None:
        """
        Write down that something happened.
        """
        self.told.append(f"{time.monotonic() - self._began:6.2f} {what}")

    async def start(self, role: str) -> WorkerProcess:
        """
        Start another worker.
        """
        self._started += 1
        log_path = self.folder / f"{self._started:02d}-{role}.log"
        started = await start_worker(self.settings, role, log_path=log_path)
        self.workers.append(started)
        return started

    def some(self, role: str) -> WorkerProcess:
        """
        Return one of the workers of a role.
        """
        return self.random.choice([each for each in self.workers if each.roles == (role,)])

    async def tend(self) -> None:
        """
        Start whatever has ended anew, as whatever runs such workers would.
        """
        for ended in [each for each in self.workers if not each.running]:
            self.workers.remove(ended)
            [role] = ended.roles
            self.tell(f"{role} {ended.log_path.stem} had ended with {ended.status}, another starts")
            # Nobody ends by a mistake of its own, whatever befalls the servers.
            assert ended.status in (AWAY, -signal.SIGKILL)
            await self.start(role)

    async def end(self) -> None:
        """
        End all workers.
        """
        for each in self.workers:
            await each.kill()

    async def kill(self, role: str) -> None:
        """
        Kill a worker; another takes its place.
        """
        victim = self.some(role)
        await victim.kill()
        await self.tend()

    async def put_to_sleep(self, role: str) -> None:
        """
        Stop a worker for some time, which may be longer than its session lasts, and let it go on.
        """
        sleeper = self.some(role)
        sleeper.send(signal.SIGSTOP)
        await asyncio.sleep(self.random.choice((0.3, 1.0, 1.5 * self.settings.kafka_session_timeout)))
        sleeper.send(signal.SIGCONT)

    async def rebalance(self) -> None:
        """
        Let one more projector come, and later one go in good order.
        """
        await self.start("projector")
        await asyncio.sleep(self.random.uniform(0.5, 2.5))
        leaver = self.some("projector")
        status = await leaver.terminate()
        self.workers.remove(leaver)
        self.tell(f"projector {leaver.log_path.stem} left with {status}")
        assert status in (0, AWAY, -signal.SIGTERM)
        if not any(each.roles == ("projector",) for each in self.workers):
            await self.start("projector")

    async def interrupt(self, wire: Proxy | None) -> None:
        """
        Cut a wire, or hold back what goes through it, for some time.
        """
        assert wire is not None
        self.random.choice((wire.cut, wire.hold))()
        await asyncio.sleep(self.random.uniform(0.1, 2.5))
        wire.mend()

    async def befall(self, fault: str) -> None:
        """
        Let one of `FAULTS` happen; returns when it is over.
        """
        self.tell(fault)
        await _HAPPENINGS[fault](self)
        self.tell(f"{fault} is over")


async def _kill_postgres(world: World) -> None:
    await world.servers.restart_postgres(world.random.uniform(0, 1))


async def _kill_broker(world: World) -> None:
    await world.servers.restart_kafka(world.random.uniform(0, 1))


async def _redeliver(world: World) -> None:
    await world.redeliver()


_ANYWHERE: Mapping[str, Callable[[World], Awaitable[None]]] = {
    "projector killed": lambda world: world.kill("projector"),
    "projector asleep": lambda world: world.put_to_sleep("projector"),
    "relay killed": lambda world: world.kill("relay"),
    "relay asleep": lambda world: world.put_to_sleep("relay"),
    "PostgreSQL killed": _kill_postgres,
    "wire to PostgreSQL cut": lambda world: world.interrupt(world.servers.postgres_wire),
    "rebalance": lambda world: world.rebalance(),
    "changes delivered again": _redeliver,
}

_ON_KAFKA: Mapping[str, Callable[[World], Awaitable[None]]] = {
    "broker killed": _kill_broker,
    "wire to Kafka cut": lambda world: world.interrupt(world.servers.kafka_wire),
}

_HAPPENINGS = {**_ANYWHERE, **(_ON_KAFKA if BROKER == KAFKA else {})}

# Apache Kafka takes as long to start as everything else together.
FAULTS = {name: 1 if name == "broker killed" else 2 for name in _HAPPENINGS}
"""
What can happen on the broker that was chosen, with how often it does.
"""
