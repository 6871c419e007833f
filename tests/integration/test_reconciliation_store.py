"""
What reconcilers write down, who may work when, and what readers are told of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from rooftree.bootstrap.database import open_store
from rooftree.settings import Settings
from rooftree.store.reader import DatabaseReader
from rooftree.store.reconciling import PostgresReconciliation

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

ORGANIZATION = "o-exampleorg"
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DIFFERENCE = {"event_id": "1", "type": "rooftree.account.moved.v1", "data": {"account_id": "222222222222"}}


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[tuple[PostgresReconciliation, DatabaseReader]]:
    """
    Open a database for a reconciler and for a reader.
    """
    async with open_store(settings, "rooftree-test") as database:
        dsn = settings.postgres_dsn.get_secret_value()
        yield PostgresReconciliation(database, dsn), DatabaseReader(database)


async def test_readers_are_told_how_each_round_ended(
    store: tuple[PostgresReconciliation, DatabaseReader],
) -> None:
    """
    A round that is done tells what it found, one that failed why, one that runs neither; the latest stands first.
    """
    rounds, reader = store
    done = await rounds.begin(ORGANIZATION, "schedule")
    failed = await rounds.begin(ORGANIZATION, "reread")
    await rounds.begin(ORGANIZATION, "schedule")
    kinds = {"rooftree.account.moved.v1": 1}
    await rounds.finish(
        ORGANIZATION, done, moment=MOMENT, accounts=3, postponed=2, by_kind=kinds, differences=[DIFFERENCE]
    )
    await rounds.fail(ORGANIZATION, failed, "AWS: access denied")

    latest, second, first = await reader.reconciliations(ORGANIZATION)
    earlier = await reader.reconciliations(ORGANIZATION, before=second.reconciliation_id)

    assert [first] == earlier
    assert ("running", None, None) == (latest.result, latest.finished_at, latest.moment)
    assert ("failed", "AWS: access denied", "reread") == (second.result, second.reason, second.occasion)
    assert ("done", MOMENT, 3, 1, 2) == (first.result, first.moment, first.accounts, first.found, first.postponed)
    assert (kinds, [DIFFERENCE]) == (first.by_kind, list(first.differences))
    assert [] == await reader.reconciliations("o-anotherone")


async def test_one_reconciler_an_organization(store: tuple[PostgresReconciliation, DatabaseReader]) -> None:
    """
    Who comes second is told so; another organization is free, and so is this one once the first is done.
    """
    rounds, _ = store
    async with (
        rounds.claim(ORGANIZATION) as first,
        rounds.claim(ORGANIZATION) as second,
        rounds.claim("o-anotherone") as elsewhere,
    ):
        assert (True, False, True) == (first, second, elsewhere)
    async with rounds.claim(ORGANIZATION) as again:
        assert again


async def test_a_round_whose_reconciler_is_gone_counts_as_failed(
    store: tuple[PostgresReconciliation, DatabaseReader],
) -> None:
    """
    The next reconciler closes what the last one left open.
    """
    rounds, reader = store
    await rounds.begin(ORGANIZATION, "schedule")

    async with rounds.claim(ORGANIZATION):
        [left] = await reader.reconciliations(ORGANIZATION)

    assert ("failed", "its reconciler ended before it did") == (left.result, left.reason)
