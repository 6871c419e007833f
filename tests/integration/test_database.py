"""
Connections: what is seen of them from outside.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
import structlog
from structlog.testing import capture_logs

from rooftree.errors import UnavailableError
from rooftree.store.database import open_database
from rooftree.store.queries import query
from rooftree.telemetry.logs import Action
from rooftree.telemetry.metrics import METRICS_REGISTRY

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]


def measured(name: str, **labels: str) -> float:
    """
    Return a metric as it stands.
    """
    return METRICS_REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_pool_that_is_exhausted_is_seen(postgres_dsn: str) -> None:
    """
    Who waits in vain gets an error that another attempt may mend, and both gauge and counter show why.
    """
    timeouts = measured("rooftree_postgres_pool_timeouts_total")
    in_use = measured("rooftree_postgres_pool_connections_in_use")
    async with open_database(postgres_dsn, size=2, connect_timeout=0.5) as database, AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(database.connection())
        lent = measured("rooftree_postgres_pool_connections_in_use")
        with pytest.raises(UnavailableError, match="no connection within"):
            await stack.enter_async_context(database.connection())

    assert 2 == lent - in_use
    assert in_use == measured("rooftree_postgres_pool_connections_in_use")
    assert 1 == measured("rooftree_postgres_pool_timeouts_total") - timeouts


async def test_statements_are_timed_by_their_names(postgres_dsn: str) -> None:
    """
    The names are those of the files of SQL, and what they are given is nowhere.
    """
    labels = {"statement": "all_organizations"}
    before = measured("rooftree_postgres_statement_seconds_count", **labels)
    async with open_database(postgres_dsn) as database:
        for _ in range(3):
            async with database.connection() as connection:
                await connection.fetch(query("all_organizations"))
    await asyncio.sleep(0)

    assert 3 == measured("rooftree_postgres_statement_seconds_count", **labels) - before


async def test_a_slow_statement_is_told_of(postgres_dsn: str) -> None:
    """
    In the log, and as a metric.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    before = measured("rooftree_postgres_slow_statements_total", statement="unnamed")
    async with open_database(postgres_dsn, slow_statement=0.1) as database:
        with capture_logs() as lines:
            async with database.connection() as connection:
                await connection.fetchval("select pg_sleep(0.15)")
                await connection.fetchval("select 1")
            await asyncio.sleep(0)

    assert [Action.SLOW_STATEMENT] == [line["event"] for line in lines]
    assert lines[0]["ms"] >= 150
    assert 1 == measured("rooftree_postgres_slow_statements_total", statement="unnamed") - before


async def test_a_lock_that_another_holds_is_not_waited_for_for_ever(postgres_dsn: str) -> None:
    """
    The statement fails in time, with an error that another attempt may mend.
    """
    async with open_database(postgres_dsn, lock_timeout=0.2) as database:

        async def lock() -> None:
            async with database.transaction() as connection:
                await connection.execute("lock table rooftree.organization in exclusive mode")

        async with database.transaction() as holder:
            await holder.execute("lock table rooftree.organization in exclusive mode")
            with pytest.raises(UnavailableError, match="lock timeout"):
                await lock()
        await lock()


async def test_a_transaction_that_falls_silent_is_ended(postgres_dsn: str) -> None:
    """
    Its locks are free again, and its next statement finds that out.
    """
    async with open_database(postgres_dsn, idle_timeout=0.2) as database:

        async def be_silent() -> None:
            async with database.transaction() as connection:
                await connection.execute("lock table rooftree.organization in exclusive mode")
                await asyncio.sleep(0.6)
                await connection.execute("select 1")

        with pytest.raises(UnavailableError):
            await be_silent()
        async with database.transaction() as connection:
            await connection.execute("lock table rooftree.organization in exclusive mode nowait")
