"""
Sustained load: how many changes a second one projector and one relay keep up with, for how long, and at what cost.

``python -m tests.benchmarks.load``, on the broker that ``ROOFTREE_TEST_BROKER`` names. First the service works off a
backlog, which fills its caches; then changes come for ten minutes, as fast as they can without more than a window of
them waiting, so that the rate is the highest that is kept up with, also on a machine whose speed varies. The figures
are ratios to floors that are measured in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import linear_regression, median

import psutil
from pydantic import SecretStr
from tests.benchmarks.floors import Floors, measure_floors
from tests.brokers import BROKER, run_broker
from tests.faults.workers import WorkerProcess, worker
from tests.integration.service import UNSENT, eventually

from rooftree.benchmarks.workload import change_stream
from rooftree.bootstrap.database import run_migrate
from rooftree.embedded import embedded_postgres
from rooftree.settings import Settings
from rooftree.store.database import Connection, connect_database
from rooftree.stream import KafkaPublisher, ensure_topics

__all__ = ["Plan", "measure_load"]

SAMPLE_SECONDS = 2.0
TICK_SECONDS = 0.05
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What is to be measured.

    Attributes:
        seconds: How long the load lasts.
        backlog: How many changes there are before.
        window: Most changes that may wait.
    """

    seconds: float = 600.0
    organizations: int = 12
    accounts: int = 60
    backlog: int = 10_000
    window: int = 500


@dataclass(frozen=True, slots=True)
class Sample:
    """
    One look at the service.
    """

    second: float
    sent: int
    read: int
    unsent_rows: int
    projector_bytes: int
    relay_bytes: int

    @property
    def lag(self) -> int:
        """
        Changes that were sent and are not in the view.
        """
        return self.sent - self.read


@asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[Settings]:
    """
    Run a PostgreSQL that keeps what is committed and a broker, and give the settings of a service on them.
    """
    async with embedded_postgres(folder / "pg") as postgres, run_broker(folder / "broker") as broker:
        settings = Settings(
            postgres_dsn=SecretStr(postgres.dsn),
            kafka_bootstrap=broker.bootstrap,
            kafka_idempotence=broker.idempotence,
            topic_partitions=3,
        )
        await run_migrate(settings)
        await ensure_topics(settings)
        yield settings


async def measure_load(settings: Settings, plan: Plan, folder: Path) -> dict[str, object]:
    """
    Measure, and return the figures.
    """
    changes = change_stream(plan.organizations, accounts=plan.accounts)
    looking = await connect_database(settings.postgres_dsn.get_secret_value())
    async with KafkaPublisher.open(settings) as publisher:
        for _ in range(0, plan.backlog, 500):
            await publisher.publish_changes(list(islice(changes, 500)))
        async with (
            worker(settings, "projector", log_path=folder / "projector.log") as projector,
            worker(settings, "relay", log_path=folder / "relay.log") as relay,
        ):
            rate = await work_off(looking, plan.backlog)
            before = await measure_floors(settings, records=plan.backlog, batch=settings.batch_max_records)
            say(f"a backlog of {plan.backlog} changes at {rate:.0f}/s; now {plan.seconds:.0f} s of load")
            samples = await sustain(looking, plan, publisher, changes, (projector, relay))
            ages = await event_ages(looking, plan.seconds)
        after = await measure_floors(settings, records=plan.backlog, batch=settings.batch_max_records)
    await looking.close()
    return figures(plan, rate, samples, ages, (before, after))


async def work_off(looking: Connection, records: int) -> float:
    """
    Wait until a backlog is in the view and what follows is sent; returns changes a second, from the first commit on.
    """

    async def has_begun() -> bool:
        return await read_records(looking) > 0

    async def is_read() -> bool:
        return await read_records(looking) >= records

    async def is_sent() -> bool:
        return not await unsent_rows(looking)

    await eventually(has_begun, seconds=60)
    first, started = await read_records(looking), time.perf_counter()
    await eventually(is_read, seconds=3600)
    rate = (await read_records(looking) - first) / (time.perf_counter() - started)
    await eventually(is_sent, seconds=3600)
    return rate


async def sustain(
    looking: Connection,
    plan: Plan,
    publisher: KafkaPublisher,
    changes: Iterator[tuple[str, bytes]],
    workers: tuple[WorkerProcess, WorkerProcess],
) -> list[Sample]:
    """
    Keep the window full and look at the service now and then, until the time is over.
    """
    processes = [psutil.Process(each.pid) for each in workers]
    samples: list[Sample] = []
    sent, looked, started = 0, 0.0, time.perf_counter()
    while (second := time.perf_counter() - started) < plan.seconds:
        read = await read_records(looking) - plan.backlog
        if (due := plan.window - (sent - read)) > 0:
            await publisher.publish_changes(list(islice(changes, due)))
            sent += due
        if second - looked >= SAMPLE_SECONDS:
            looked = second
            memory = [process.memory_info().rss for process in processes]
            samples.append(Sample(second, sent, read, await unsent_rows(looking), *memory))
        await asyncio.sleep(TICK_SECONDS)
    return samples


async def read_records(looking: Connection) -> int:
    """
    Return how many changes are in the view.
    """
    return int(await looking.fetchval("select coalesce(sum(next_offset), 0) from rooftree.consumer_offset"))


async def unsent_rows(looking: Connection) -> int:
    """
    Return how many records wait to be sent.
    """
    return int(await looking.fetchval(UNSENT))


async def event_ages(looking: Connection, seconds: float) -> dict[str, float]:
    """
    Return how old a change was when its commit began, by the broker's clock and the database's, which are one here.
    """
    ages = await looking.fetchval(
        """
        select percentile_cont(array[0.5, 0.99, 1]) within group (
            order by extract(epoch from recorded_at - record_time)
        )
        from rooftree.seen_event
        where recorded_at > now() - make_interval(secs => $1)
        """,
        seconds,
    )
    return dict(zip(("p50", "p99", "max"), ages, strict=True))


def figures(
    plan: Plan, rate: float, samples: list[Sample], ages: dict[str, float], floors: tuple[Floors, Floors]
) -> dict[str, object]:
    """
    Return what was measured, for people and programs.
    """
    floor = sum(each.together for each in floors) / len(floors)
    sustained = samples[-1].read / samples[-1].second
    return {
        "broker": BROKER,
        "plan": asdict(plan),
        "backlog_rate": rate,
        "sustained_rate": sustained,
        "rate_by_minute": rates(samples),
        "changes": samples[-1].read,
        "lag_records_max": max(each.lag for each in samples),
        "unsent_rows": {
            "p50": median(each.unsent_rows for each in samples),
            "max": max(each.unsent_rows for each in samples),
        },
        "age_seconds": ages,
        "memory_megabytes": {name: memory(samples, f"{name}_bytes") for name in ("projector", "relay")},
        "floors_before": {**asdict(floors[0]), "together": floors[0].together},
        "floors_after": {**asdict(floors[1]), "together": floors[1].together},
        "seconds_per_change": 1 / sustained,
        "ratio_to_floor": 1 / sustained / floor,
    }


def rates(samples: list[Sample]) -> list[float]:
    """
    Return how many changes a second were read, minute by minute.
    """
    found, before = [], samples[0]
    for sample in samples:
        if sample.second - before.second >= 60:
            found.append((sample.read - before.read) / (sample.second - before.second))
            before = sample
    return found


def memory(samples: list[Sample], name: str) -> dict[str, float]:
    """
    Return where memory stood, and by how much it grows in a minute: in all, and in the second half.
    """
    return {
        "first": getattr(samples[0], name) / MEGABYTE,
        "half": getattr(samples[len(samples) // 2], name) / MEGABYTE,
        "last": getattr(samples[-1], name) / MEGABYTE,
        "growth_per_minute": growth(samples, name) / MEGABYTE,
        "growth_per_minute_of_second_half": growth(samples[len(samples) // 2 :], name) / MEGABYTE,
    }


def growth(samples: list[Sample], name: str) -> float:
    """
    Return by how much something grows in a minute.
    """
    seconds, values = [each.second for each in samples], [float(getattr(each, name)) for each in samples]
    return linear_regression(seconds, values).slope * 60


def say(line: str) -> None:
    """
    Tell how far it has come.
    """
    print(line, file=sys.stderr, flush=True)  # noqa: T201


async def main(plan: Plan, folder: Path) -> None:
    """
    Measure, and print the figures as JSON.
    """
    async with servers(folder) as settings:
        print(json.dumps(await measure_load(settings, plan, folder), indent=1))  # noqa: T201


def chosen_plan() -> Plan:
    """
    Return what the command line asks for.
    """
    options = argparse.ArgumentParser(description=__doc__)
    for name, default in asdict(Plan()).items():
        options.add_argument(f"--{name}", type=type(default), default=default)
    return Plan(**vars(options.parse_args()))


if __name__ == "__main__":
    own = Path(tempfile.mkdtemp(prefix="rooftree-load-"))
    own.chmod(0o711)
    try:
        asyncio.run(main(chosen_plan(), own))
    finally:
        shutil.rmtree(own, ignore_errors=True)
