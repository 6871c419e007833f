"""
What pages read of the view, held against what the same view says row by row.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import pytest
from tests.integration.service import ORGANIZATION, event, publish, running, settled, snapshot

from rooftree.bootstrap.reading import open_reader
from rooftree.organization.facts import FactKind
from rooftree.organization.identifiers import is_account
from rooftree.reading.outline import AuditFilter
from rooftree.reading.reader import Reader
from rooftree.settings import Settings
from rooftree.store.database import connect_database
from rooftree.store.queries import query

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

UNIT: Final = "ou-ab12-aaaaaaaa"
SHOP: Final = "222222222222"
MANAGEMENT: Final = "111111111111"
NO_DELETING: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "NoDeleting", "Effect": "Deny", "Action": ["s3:Delete*", "sqs:*"], "Resource": "*"},
        {
            "Sid": "OnlyHere",
            "Effect": "Deny",
            "Action": "kms:*",
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}},
        },
    ],
}
CHANGES: Final = (
    ("policy.attached", {"policy_id": "p-denyregions", "target_id": UNIT}),
    ("policy.created", {"policy_id": "p-nodeleting", "policy_type": "SERVICE_CONTROL_POLICY", "name": "NoDeleting"}),
    ("policy.attached", {"policy_id": "p-nodeleting", "target_id": SHOP}),
    ("policy.detached", {"policy_id": "p-denyregions", "target_id": UNIT}),
    ("account.created", {"account_id": "444444444444", "name": "Lost", "parent_id": "ou-ab12-nobodyknows"}),
    ("policy.attached", {"policy_id": "p-nodeleting", "target_id": "r-ab12"}),
)
EARLIER_LOG: Final = """
insert into rooftree.consumer_offset (consumer_group, log_id, topic, partition_id, next_offset, updated_at)
select consumer_group, 'gone/topic', topic, partition_id, 7, updated_at - interval '1 day' from rooftree.consumer_offset
"""
MANY_EVENTS: Final = """
insert into rooftree.audit_event
    (organization_id, revision, part, parts, event_id, type, account_id, time, verdict, cause_event_id, data)
select
    $1, 1000 + n / 100, 1 + n % 100, 100, 'made-' || n, 'rooftree.decision.changed.v1',
    (500000000000 + n % 1000)::text, now(), 'tightened', 'made', '{}'
from generate_series(0, 49999) as n
"""
"""So many that reading all of them costs more than an index."""

FILTERS: Final = (
    AuditFilter(),
    AuditFilter(account_id=SHOP),
    AuditFilter(node_id=UNIT),
    AuditFilter(policy_id="p-nodeleting"),
    AuditFilter(direction="denied", service="sqs"),
    AuditFilter(verdict="tightened", account_id=SHOP),
)


@pytest.fixture
async def told(settings: Settings) -> Settings:
    """
    Let the service process an organization and what becomes of it: policies come and go, one account is not placed.
    """
    events = [
        event(
            f"change-{number}",
            kind,
            f"2026-01-{number + 2:02}T00:00:00Z",
            **data,
            **({"content": NO_DELETING} if kind == "policy.created" else {}),
        )
        for number, (kind, data) in enumerate(CHANGES)
    ]
    await publish(settings, snapshot(), *events)
    async with running(settings):
        await settled(settings, records=1 + len(events))
    return settings


@pytest.fixture
async def reader(told: Settings) -> AsyncIterator[Reader]:
    """
    Open the view for reading.
    """
    async with open_reader(told) as opened:
        yield opened


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """
    Open a connection of our own.
    """
    connection = await connect_database(settings.postgres_dsn.get_secret_value())
    try:
        yield connection
    finally:
        await connection.close()


async def test_the_frame_has_everything_but_accounts(reader: Reader) -> None:
    """
    Of accounts it has what hangs on them, apart from what AWS hangs on all of them.
    """
    facts = await reader.facts(ORGANIZATION)
    wanted = {
        fact.key
        for fact in facts
        if fact.kind != FactKind.ACCOUNT
        and not (is_account(fact.subject) and fact.attribute == "p-FullAWSAccess" and fact.kind == FactKind.ATTACHMENT)
    }

    frame = await reader.frame(ORGANIZATION)

    assert wanted == {fact.key for fact in frame}
    assert (FactKind.ATTACHMENT, SHOP, "p-nodeleting") in wanted
    assert len(wanted) < len(facts)


async def test_accounts_are_gathered_and_listed_where_they_stand(reader: Reader) -> None:
    """
    Each account under its parent, and one whose parent nobody has told under no node.
    """
    accounts = await reader.accounts(ORGANIZATION)
    standing = Counter(one.path[-2] if one.placed else "" for one in accounts)

    gathered = {one.node_id: one.count for one in await reader.gatherings(ORGANIZATION)}
    listed = {node: await reader.accounts_in(ORGANIZATION, node, limit=10) for node in gathered}

    assert {"r-ab12": 1, UNIT: 2, "": 1} == standing == gathered
    assert {one.account_id for one in accounts} == {row.account_id for rows in listed.values() for row in rows}
    assert ["shop-dev", "shop-prod"] == [row.name for row in listed[UNIT]]
    first = listed[UNIT][0]
    after = await reader.accounts_in(ORGANIZATION, UNIT, after=(first.name, first.account_id), limit=10)
    assert listed[UNIT][1:] == after


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("SHOP", ["shop-dev", "shop-prod"]),
        ("prod", ["shop-prod"]),
        ("3333", ["shop-dev"]),
        ("%", []),
        ("a", ["management"]),
    ],
)
async def test_accounts_are_found_by_a_part_of_what_names_them(reader: Reader, text: str, names: list[str]) -> None:
    """
    In any case, by name or id, and never as a pattern.
    """
    assert names == [row.name for row in await reader.find_accounts(ORGANIZATION, text, limit=10)]


async def test_services_are_counted_as_their_actions_are_decided(told: Settings, reader: Reader) -> None:
    """
    The count by service is that of the view which lists every action, for every set of permissions there is.
    """
    async with opened(told) as connection:
        rows = await connection.fetch("select permissions_id, service, verdict from rooftree.action_verdicts")
    listed = Counter((row["permissions_id"], row["service"], row["verdict"]) for row in rows)
    sets = {row["permissions_id"] for row in rows}

    counted: Counter[tuple[str, str, str]] = Counter()
    for permissions_id in sets:
        for one in await reader.service_verdicts(ORGANIZATION, permissions_id):
            told_counts = {"allowed": one.allowed, "conditional": one.conditional, "denied": one.denied}
            counted.update({(permissions_id, one.service, verdict): count for verdict, count in told_counts.items()})

    assert listed == +counted
    assert len(sets) > 2
    mixed = {(permissions_id, service) for permissions_id, service, _ in listed if service == "s3"}
    assert len(mixed) < sum(service == "s3" for _, service, _ in listed)


async def test_revisions_come_with_the_first_of_their_events(reader: Reader) -> None:
    """
    The latest first, as the list of events has them.
    """
    events = sorted(await reader.audit(ORGANIZATION), key=lambda one: (-one.revision, one.part))
    grouped = {revision: list(some) for revision, some in itertools.groupby(events, key=lambda one: one.revision)}

    rows = await reader.audit_revisions(ORGANIZATION, limit=2, shown=1)
    older = await reader.audit_revisions(ORGANIZATION, before=rows[-1].revision, limit=10, shown=1)

    assert list(grouped) == [row.revision for row in (*rows, *older)]
    assert [some[0].event_id for some in grouped.values()] == [row.events[0]["event_id"] for row in (*rows, *older)]
    assert [some[0].parts for some in grouped.values()] == [row.found for row in (*rows, *older)]


@pytest.mark.parametrize("wanted", FILTERS)
async def test_of_the_wanted_events_no_more_revisions_come_than_are_asked_for(
    reader: Reader, wanted: AuditFilter
) -> None:
    """
    The latest of them, each as it is without that limit; how far was looked stays the same.
    """
    everything = await reader.find_audit(ORGANIZATION, wanted, scan=100, shown=10)
    some = await reader.find_audit(ORGANIZATION, wanted, scan=100, shown=10, revisions=2)

    assert list(everything.rows[:2]) == list(some.rows)
    assert (everything.looked_at, everything.oldest, everything.more) == (some.looked_at, some.oldest, some.more)
    assert len(everything.rows) >= 2


@pytest.mark.parametrize("role", [None, "rooftree_reader"])
async def test_the_events_of_an_account_are_found_by_their_index(told: Settings, role: str | None) -> None:
    """
    Also by a plan that does not know what is asked for: it would read every event of an organization otherwise.
    """
    types = "text, bigint, integer, text, integer, text, text, text, text, text, timestamptz, timestamptz, text, bigint, bigint"
    values = f"'{ORGANIZATION}', 9, 9, '{SHOP}', 100, {', '.join(['null'] * 8)}, 10, 10"
    async with opened(told) as connection, connection.transaction():
        await connection.execute(MANY_EVENTS, ORGANIZATION)
        await connection.execute("analyze rooftree.audit_event")
        await connection.execute("set local plan_cache_mode = force_generic_plan")
        if role:
            await connection.execute(f"set local role {role}")
            await connection.execute(f"set local rooftree.organizations = '{ORGANIZATION}'")
        await connection.execute(f"prepare found({types}) as {query('outline_find_audit').rstrip('; ')}")
        lines = [row[0] for row in await connection.fetch(f"explain (analyze, costs off) execute found({values})")]

    [by_account] = [number for number, line in enumerate(lines) if "audit_event_by_account" in line]
    assert "account_id = $4" in lines[by_account + 1]
    [gate] = [number for number, line in enumerate(lines) if "One-Time Filter: ($4 IS NULL)" in line]
    assert any("never executed" in line for line in lines[gate : gate + 4])


async def test_a_page_about_operations_reads_how_far_changes_have_come(reader: Reader) -> None:
    """
    Everything is sent, and reading goes on behind the last change.
    """
    delivery, positions = await reader.delivery(ORGANIZATION), await reader.positions()

    assert (0, None) == (delivery.unsent, delivery.unsent_since)
    assert delivery.writes > 0
    assert 1 + len(CHANGES) == sum(position.next_offset for position in positions)
    assert all(position.current for position in positions)


async def test_a_topic_that_was_made_anew_is_read_on_and_the_one_before_is_past(told: Settings, reader: Reader) -> None:
    """
    Both have its name; only where the latest records were read are further ones to come.
    """
    [now] = await reader.positions()
    async with opened(told) as connection:
        await connection.execute(EARLIER_LOG)
    positions = await reader.positions()

    assert [(now.log_id, True), ("gone/topic", False)] == [(one.log_id, one.current) for one in positions]
