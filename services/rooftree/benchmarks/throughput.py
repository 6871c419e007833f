"""
How many changes a second get into the view, beside what it takes to put their bytes into a table.

Changes wait in the topic while the projectors sleep; then the time runs until the last is committed. The floor reads
the same records: consume, decode, COPY, commit.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import islice
from statistics import median

from rooftree.benchmarks.exchange import Exchange, open_exchange
from rooftree.benchmarks.measure import Measurement, summed_up
from rooftree.benchmarks.processes import Process, asleep, run_process, run_roles
from rooftree.benchmarks.stage import Servers
from rooftree.benchmarks.waiting import eventually
from rooftree.benchmarks.workload import change_stream
from rooftree.settings import Assignment, Settings
from rooftree.store.database import Connection, connect_database

__all__ = ["Load", "throughput_measurements"]

FLOOR = "consume, decode, COPY, commit"
AIM = 2.0
ACCOUNTS = 60
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Load:
    """
    One load to measure.

    Attributes:
        changes: How many wait at a time.
        runs: How often.
        accounts: Of each organization.
    """

    organizations: int
    projectors: int
    changes: int
    runs: int
    accounts: int = ACCOUNTS


async def throughput_measurements(
    servers: Servers, loads: Sequence[Load], *, scenario: str = "throughput"
) -> AsyncIterator[Measurement]:
    """
    Yield for each load the time of a change, and that of its floor.
    """
    for load in loads:
        shared = Assignment.GROUP if load.projectors > 1 else Assignment.ALL
        async with servers.stage(scenario, partition_assignment=shared) as settings, AsyncExitStack() as stack:
            looking = await connect_database(settings.postgres_dsn.get_secret_value())
            stack.push_async_callback(looking.close)
            exchange = await stack.enter_async_context(open_exchange(settings, settings.audit_topic))
            names = [f"projector{number}" for number in range(load.projectors)]
            roles = await stack.enter_async_context(run_roles(settings, [*names, "relay"], servers.folder))
            bare = await stack.enter_async_context(
                run_process("ingest", ["-m", "rooftree.benchmarks.bare", "ingest"], settings, servers.folder)
            )
            yield await _Measuring(settings, load, looking, exchange).measured(scenario, list(roles.values()), bare)


class _Measuring:
    def __init__(self, settings: Settings, load: Load, looking: Connection, exchange: Exchange) -> None:
        self._settings = settings
        self._load = load
        self._looking = looking
        self._exchange = exchange
        self._sent = 0
        self._changes = change_stream(load.organizations, accounts=load.accounts)

    async def measured(self, scenario: str, roles: Sequence[Process], bare: Process) -> Measurement:
        """
        Return the figures, after a warm-up that brings the organizations in.
        """
        load = self._load
        await self._round(load.organizations + load.changes, roles, bare)
        times, floor_times, sent = [], [], []
        busy = [process.cpu_seconds() for process in roles]
        for _ in range(load.runs):
            committed, relayed, copied = await self._round(load.changes, roles, bare)
            times.append(committed / load.changes)
            sent.append(relayed / load.changes)
            floor_times.append(copied / load.changes)
        used = sum(process.cpu_seconds() for process in roles) - sum(busy)
        name = f"a change of many, {_counted(load.organizations, 'organization')}"
        return summed_up(
            scenario, f"{name}, {_counted(load.projectors, 'projector')}", FLOOR, times, floor_times,
            size=load.organizations, aim=AIM,
            detail={"until_sent_seconds": median(sent), "cpu_seconds": used / load.runs / load.changes},
        )  # fmt: skip

    async def _round(self, count: int, roles: Sequence[Process], bare: Process) -> tuple[float, float, float]:
        """
        Return the seconds until so many changes are committed, until what follows is sent, and those of the floor.
        """
        with asleep([bare]):
            with asleep(roles):
                await self._publish(islice(self._changes, count))
            started = time.perf_counter()
            await self._until_read()
            committed = time.perf_counter() - started
            await self._until_sent()
            relayed = time.perf_counter() - started
        started = time.perf_counter()
        await self._until_ingested()
        return committed, relayed, time.perf_counter() - started

    async def _publish(self, changes: Iterator[tuple[str, bytes]]) -> None:
        while some := list(islice(changes, CHUNK)):
            await self._exchange.send(self._settings.changes_topic, some)
            self._sent += len(some)

    async def _until_read(self) -> None:
        query = "select coalesce(sum(next_offset), 0) >= $1 from rooftree.consumer_offset where consumer_group = $2"

        async def is_read() -> bool:
            return bool(await self._looking.fetchval(query, self._sent, self._settings.consumer_group))

        await eventually("the changes are read", is_read)

    async def _until_sent(self) -> None:
        async def is_sent() -> bool:
            return not await self._looking.fetchval("select exists (select from rooftree.outbox_waiting)")

        await eventually("what follows is sent", is_sent)

    async def _until_ingested(self) -> None:
        async def is_ingested() -> bool:
            if await self._looking.fetchval("select to_regclass('bare.ready')") is None:
                return False
            return bool(await self._looking.fetchval("select records >= $1 from bare.read", self._sent))

        await eventually("the floor has read the changes", is_ingested)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
