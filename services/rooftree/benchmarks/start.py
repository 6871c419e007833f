"""
From nothing in memory to the first change that is worked out, with the organization in PostgreSQL.

Starting Python and importing the service, about a second, is no part of it. The floor fetches the same rows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Final

from rooftree.benchmarks.measure import Measurement, summed_up
from rooftree.benchmarks.seeding import seeded
from rooftree.benchmarks.stage import Servers
from rooftree.benchmarks.turns import by_turns
from rooftree.permissions import forget_results
from rooftree.ports.change_log import Batch, LogPartition, LogRecord
from rooftree.store.database import open_database
from rooftree.store.projection import PostgresProjection
from rooftree.workers.planning import Planner

__all__ = ["start_measurements"]

AIM: Final = 3.0
_TABLES: Final = (
    "select kind, subject, attribute, value, time, sequence, rank, event_id from rooftree.fact",
    "select * from rooftree.account",
    "select * from rooftree.chain",
    "select * from rooftree.policy_document",
)


async def start_measurements(
    servers: Servers, sizes: Sequence[int], *, runs: int, scenario: str = "start"
) -> AsyncIterator[Measurement]:
    """
    Yield for each number of accounts how long a projector takes until its first plan.
    """
    for accounts in sizes:
        async with servers.stage(scenario) as settings:
            stream = await seeded(settings, accounts=accounts)
            name = stream.account_ids()[1]
            record = LogRecord(0, datetime.now(UTC), stream.name.encode(), stream.hang(name, "p-00000001"))
            batch = Batch(LogPartition("bench", settings.changes_topic, 0), 0, 1, (record,))
            async with open_database(settings.postgres_dsn.get_secret_value()) as database:
                store = PostgresProjection(database, consumer_group="bench", permissions_topic="bench")

                async def subject(store: PostgresProjection = store, batch: Batch = batch) -> None:
                    plan = await Planner(store, cache_size=1, max_rows=20_000).plan(batch)
                    assert plan.audit_events == 1, "the change touches one account"

                async def floor() -> None:
                    async with database.transaction(read_only=True) as connection:
                        for table in _TABLES:
                            await connection.fetch(table)

                times, floor_times = await by_turns(subject, floor, runs=runs, prepare=forget_results)
            yield summed_up(
                scenario, f"load and plan a first change, {accounts:,} accounts", "fetch the same rows",
                times, floor_times, size=accounts, aim=AIM,
            )  # fmt: skip
