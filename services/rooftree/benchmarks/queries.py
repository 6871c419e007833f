"""
What people and programs ask of the stored view, each beside the indexed query that it cannot do without.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Final

from rooftree.benchmarks.measure import Measurement, summed_up
from rooftree.benchmarks.seeding import seeded
from rooftree.benchmarks.stage import Servers
from rooftree.benchmarks.turns import by_turns
from rooftree.inquiry.deciding import check, find_maximum, who_can
from rooftree.inquiry.question import Question
from rooftree.inquiry.sources import LiveSource
from rooftree.store.database import Database, open_database
from rooftree.store.reader import DatabaseReader

__all__ = ["query_measurements"]

AIM: Final = 3.0
PAGE: Final = 100

Run = Callable[[], Awaitable[object]]

_AUDIT_ROWS: Final = """
insert into rooftree.audit_event
    (organization_id, revision, part, parts, event_id, type, account_id, time, verdict, cause_event_id, data)
select
    $1, 1000 + n / 100, 1 + n % 100, 100, 'made-' || n, 'rooftree.decision.changed.v1',
    (100000000000 + n % $2::bigint)::text, timestamptz '2026-02-01' + make_interval(secs => n), 'tightened',
    'made-' || n / 100, jsonb_build_object('account_name', 'account-' || n % $2::bigint, 'verdict', 'tightened')
from generate_series(0, $3::bigint - 1) as n
"""


async def query_measurements(
    servers: Servers, *, accounts: int, audit_rows: int, runs: int, scenario: str = "queries"
) -> AsyncIterator[Measurement]:
    """
    Yield the time of each question.
    """
    async with servers.stage(scenario) as settings:
        stream = await seeded(settings, accounts=accounts)
        async with open_database(settings.postgres_dsn.get_secret_value(), command_timeout=3600) as database:
            async with database.connection() as connection:
                await connection.execute(_AUDIT_ROWS, stream.name, accounts, audit_rows)
                await connection.execute("vacuum (analyze) rooftree.audit_event")
            account_id = stream.account_ids()[accounts // 2]
            for name, subject, floor in _questions(database, stream.name, account_id):
                times, floor_times = await by_turns(subject, floor, runs=runs)
                yield summed_up(
                    scenario, name, "the bare query", times, floor_times,
                    size=accounts, aim=AIM, detail={"audit_rows": audit_rows},
                )  # fmt: skip


def _questions(database: Database, organization_id: str, account_id: str) -> Iterator[tuple[str, Run, Run]]:
    reader = DatabaseReader(database)
    source = LiveSource(reader, organization_id)
    question = Question.of("ec2:RunInstances", "*", {"aws:RequestedRegion": ["us-east-1"]}, None)
    moment = datetime(2026, 6, 1, tzinfo=UTC)

    def bare(statement: str, *values: object) -> Run:
        async def run() -> None:
            async with database.connection() as connection:
                assert await connection.fetch(statement, *values), "there is something to find"

        return run

    one = bare(
        """
        select a.*, p.permissions, c.levels
        from rooftree.account as a
        left join rooftree.permission_set as p using (organization_id, permissions_id)
        left join rooftree.chain as c using (organization_id, chain_id)
        where a.organization_id = $1 and a.account_id = $2
        """,
        organization_id, account_id,
    )  # fmt: skip

    async def asked() -> None:
        account = await source.account(account_id, at=None)
        assert account is not None
        await check(source, account, question)

    async def permitted() -> None:
        account = await source.account(account_id, at=None)
        assert account is not None
        await find_maximum(source, account)

    yield "check one request of an account", asked, one
    yield "the maximum permissions of an account", permitted, one
    yield (
        "who can, over all accounts",
        lambda: who_can(source, question, at=None),
        bare("select * from rooftree.account where organization_id = $1 order by account_id", organization_id),
    )
    yield (
        "an account at a moment",
        lambda: reader.account(organization_id, account_id, at=moment),
        bare(
            "select * from rooftree.account_history where organization_id = $1 and account_id = $2 "
            "and valid_from <= $3 and (valid_to is null or $3 < valid_to)",
            organization_id, account_id, moment,
        ),
    )  # fmt: skip
    yield (
        "a page of the audit log",
        lambda: reader.audit(organization_id, limit=PAGE),
        bare(
            "select * from rooftree.audit_event where organization_id = $1 order by revision desc, part desc limit $2",
            organization_id, PAGE,
        ),
    )  # fmt: skip
    yield (
        "a page of the audit log of an account",
        lambda: reader.audit(organization_id, account_id=account_id, limit=PAGE),
        bare(
            "select * from rooftree.audit_event where organization_id = $1 and account_id = $2 "
            "order by revision desc, part desc limit $3",
            organization_id, account_id, PAGE,
        ),
    )  # fmt: skip
