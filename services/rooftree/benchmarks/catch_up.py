"""
From the beginning of a long topic to its end: a service that starts with nothing.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import islice

from rooftree.benchmarks.exchange import open_exchange
from rooftree.benchmarks.measure import Measurement, summed_up
from rooftree.benchmarks.processes import run_process, run_roles
from rooftree.benchmarks.stage import Servers
from rooftree.benchmarks.throughput import ACCOUNTS, CHUNK, FLOOR
from rooftree.benchmarks.waiting import eventually
from rooftree.benchmarks.workload import change_stream
from rooftree.store.database import connect_database

__all__ = ["catch_up_measurements"]


async def catch_up_measurements(
    servers: Servers, *, changes: int, organizations: int = 10, scenario: str = "catch-up"
) -> AsyncIterator[Measurement]:
    """
    Yield the time of a change, of as many as the topic has, starts of the processes included; then that of the floor.
    """
    async with servers.stage(scenario) as settings, AsyncExitStack() as stack:
        looking = await connect_database(settings.postgres_dsn.get_secret_value())
        stack.push_async_callback(looking.close)
        exchange = await stack.enter_async_context(open_exchange(settings, settings.audit_topic))
        stream = islice(change_stream(organizations, accounts=ACCOUNTS), changes)
        while some := list(islice(stream, CHUNK)):
            await exchange.send(settings.changes_topic, some)

        async def is_read() -> bool:
            return bool(
                await looking.fetchval(
                    "select coalesce(sum(next_offset), 0) >= $1 from rooftree.consumer_offset", changes
                )
            )

        async def is_ingested() -> bool:
            if await looking.fetchval("select to_regclass('bare.ready')") is None:
                return False
            return bool(await looking.fetchval("select records >= $1 from bare.read", changes))

        seconds = []
        for name, has_come in (("projector", is_read), ("ingest", is_ingested)):
            started = time.perf_counter()
            async with AsyncExitStack() as running:
                if name == "projector":
                    await running.enter_async_context(run_roles(settings, ["projector", "relay"], servers.folder))
                else:
                    arguments = ["-m", "rooftree.benchmarks.bare", name]
                    await running.enter_async_context(run_process(name, arguments, settings, servers.folder))
                await eventually(f"the {name} reads {changes:,} changes", has_come, seconds=24 * 3600)
                seconds.append(time.perf_counter() - started)
        yield summed_up(
            scenario, f"a change of {changes:,} from the beginning", FLOOR,
            [seconds[0] / changes], [seconds[1] / changes], size=organizations,
        )  # fmt: skip
