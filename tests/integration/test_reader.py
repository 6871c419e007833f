"""
What readers are told of the view, by the port, by the API's documents and by the commands.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest
from pydantic import SecretStr
from tests.databases import database_dsn
from tests.integration.service import (
    ORGANIZATION,
    event,
    publish,
    read_topic,
    running,
    settled,
    snapshot,
)

from rooftree.bootstrap.database import open_store
from rooftree.bootstrap.reading import open_reader
from rooftree.errors import UnavailableError
from rooftree.inquiry.auditing import admits, search_audit
from rooftree.inquiry.documents import audit_document
from rooftree.reading.outline import AuditFilter
from rooftree.reading.reader import BoundAccount, Reader
from rooftree.settings import Settings
from rooftree.store.reader import DatabaseReader
from rooftree.store.restricted import RestrictedDatabase

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

SHOP = "222222222222"
ATTACHED = event(
    "attach", "policy.attached", "2026-01-02T00:00:00Z", policy_id="p-denyregions", target_id="ou-ab12-aaaaaaaa"
)
DETACHED = event(
    "detach", "policy.detached", "2026-01-03T00:00:00Z", policy_id="p-denyregions", target_id="ou-ab12-aaaaaaaa"
)


@pytest.fixture
async def told(settings: Settings) -> Settings:
    """
    Let the service process an organization, an attachment and a detachment.
    """
    await publish(settings, snapshot(), ATTACHED, DETACHED)
    async with running(settings):
        await settled(settings, records=3)
    return settings


@pytest.fixture
async def reader(told: Settings) -> AsyncIterator[Reader]:
    """
    Open the view for reading.
    """
    async with open_reader(told) as opened:
        yield opened


async def test_an_organization_stands_at_its_last_revision(reader: Reader) -> None:
    """
    Both changes put something on the audit topic; nothing is missing.
    """
    [organization] = await reader.organizations()

    assert (ORGANIZATION, 2, True) == (organization.organization_id, organization.revision, organization.complete)
    assert 3 == await reader.count_accounts(ORGANIZATION)


async def test_a_policy_binds_since_the_first_account_had_it(reader: Reader) -> None:
    """
    That it was taken off again does not alter since when there is this document.
    """
    [version] = await reader.policy_versions(ORGANIZATION, "p-denyregions")
    [unlimited] = await reader.policy_versions(ORGANIZATION, "p-FullAWSAccess")

    assert (datetime(2026, 1, 2, tzinfo=UTC), "Deny") == (
        version.since,
        json.loads(version.content)["Statement"][0]["Effect"],
    )
    assert datetime(2026, 1, 1, tzinfo=UTC) == unlimited.since
    assert [] == await reader.policy_versions(ORGANIZATION, "p-nothing00")


FILTERS = (
    AuditFilter(verdict="tightened"),
    AuditFilter(verdict="loosened"),
    AuditFilter(verdict="mixed"),
    AuditFilter(verdict="loosened", direction="denied"),
    AuditFilter(direction="denied", service="ec2"),
    AuditFilter(node_id="ou-ab12-aaaaaaaa", policy_id="p-denyregions"),
    AuditFilter(since=datetime(2026, 1, 2, 12, tzinfo=UTC)),
)


async def test_a_filter_finds_in_the_database_what_it_admits_at_hand(reader: Reader) -> None:
    """
    The list asks the database, the stream looks at what comes: both mean the same events.
    """
    everything = await reader.audit(ORGANIZATION)
    found = [await search_audit(reader, ORGANIZATION, wanted, before=None, limit=50) for wanted in FILTERS]

    assert {"tightened", "loosened"} == {one.verdict for one in everything}
    assert [[event.event_id for event in each.events] for each in found] == [
        [event.event_id for event in everything if admits(wanted, event)] for wanted in FILTERS
    ]
    assert all(each.events for each in found[:2])


async def test_accounts_are_paged_by_id_now_and_then(reader: Reader) -> None:
    """
    A page starts after an id and ends at its limit, at any time.
    """
    then = datetime(2026, 1, 2, 12, tzinfo=UTC)

    for at in (None, then):
        first = await reader.accounts(ORGANIZATION, limit=2, at=at)
        rest = await reader.accounts(ORGANIZATION, after=first[-1].account_id, limit=2, at=at)

        assert ["111111111111", SHOP, "333333333333"] == [one.account_id for one in (*first, *rest)]
    assert [] == await reader.accounts(ORGANIZATION, at=datetime(2025, 12, 31, tzinfo=UTC))


async def test_an_account_has_a_past(reader: Reader) -> None:
    """
    Three rows, the latest first, without a gap; the chain of each can be put together again.
    """
    rows = await reader.history(ORGANIZATION, SHOP)
    chains = await reader.chains(ORGANIZATION, {row.chain_id for row in rows if row.chain_id})
    then = await reader.account(ORGANIZATION, SHOP, at=datetime(2026, 1, 2, tzinfo=UTC))

    assert ["detach", "attach", "snapshot"] == [row.cause_event_id for row in rows]
    assert [row.since for row in rows[:-1]] == [row.until for row in rows[1:]]
    assert rows[1] == then
    assert rows[0].chain_id == rows[2].chain_id
    digests = {policy.digest for chain in chains.values() for level in chain.levels or () for policy in level.policies}
    assert digests == set(await reader.documents(ORGANIZATION, digests))
    assert rows[1:] == await reader.history(ORGANIZATION, SHOP, before=rows[0].since)


async def test_an_account_comes_with_what_binds_it(reader: Reader) -> None:
    """
    In one statement what three would say, now and then.
    """
    then = datetime(2026, 1, 2, tzinfo=UTC)

    for at in (None, then):
        account = await reader.account(ORGANIZATION, SHOP, at=at)
        bound = await reader.bound_account(ORGANIZATION, SHOP, at=at)

        assert account is not None
        assert account.chain_id is not None
        assert bound == BoundAccount(account, (await reader.chains(ORGANIZATION, [account.chain_id]))[account.chain_id])
    assert await reader.bound_account(ORGANIZATION, "999999999999") is None


async def test_a_chain_that_is_not_stored_is_not_taken_for_one_that_limits_nothing(
    told: Settings, reader: Reader
) -> None:
    """
    A row without levels says that nothing limits; that there is no row says nothing.
    """
    connection = await asyncpg.connect(told.postgres_dsn.get_secret_value())
    try:
        await connection.execute("delete from rooftree.chain")
    finally:
        await connection.close()

    bound = await reader.bound_account(ORGANIZATION, SHOP)

    assert bound is not None
    assert bound.record.chain_id is not None
    assert bound.chain is None


async def test_reads_of_one_moment_see_nothing_that_comes_between_them(told: Settings) -> None:
    """
    As those who read for somebody do; afterwards the same reader sees it.
    """
    async with open_store(told, "rooftree-test") as database:
        reader = DatabaseReader(RestrictedDatabase(database, frozenset({ORGANIZATION})))
        async with reader.moment():
            first = await reader.organizations()
            async with database.connection() as connection:
                await connection.execute("update rooftree.organization set revision = revision + 1")
            meanwhile = await reader.organizations()
        afterwards = await reader.organizations()

    assert first == meanwhile
    assert [1] == [later.revision - before.revision for before, later in zip(first, afterwards, strict=True)]


async def test_audit_events_are_read_in_both_directions(reader: Reader) -> None:
    """
    Backwards from a position and forwards from one: the same events, all of them or of one account.
    """
    forwards = await reader.audit_after(ORGANIZATION, (0, 0))
    backwards = await reader.audit(ORGANIZATION)

    assert [(1, 1), (1, 2), (2, 1), (2, 2)] == [one.position for one in forwards]
    assert forwards == backwards[::-1]
    assert forwards[2:] == await reader.audit_after(ORGANIZATION, (1, 2))
    assert backwards[3:] == await reader.audit(ORGANIZATION, before=(1, 2))
    assert [one for one in forwards if one.account_id == SHOP] == await reader.audit_after(
        ORGANIZATION, (0, 0), account_id=SHOP
    )
    assert [one for one in backwards if one.account_id == SHOP] == await reader.audit(ORGANIZATION, account_id=SHOP)


async def test_events_are_counted_once_they_are_in_the_view(reader: Reader) -> None:
    """
    What was processed is counted, what was not is not.
    """
    assert 2 == await reader.count_seen(ORGANIZATION, "test", ["attach", "detach", "never"])
    assert 0 == await reader.count_seen(ORGANIZATION, "elsewhere", ["attach"])


async def test_an_account_leads_to_its_organization(reader: Reader) -> None:
    """
    Whoever knows an account id alone finds where it belongs.
    """
    assert [ORGANIZATION] == await reader.organizations_of(SHOP)
    assert [] == await reader.organizations_of("999999999999")


async def test_names_are_those_of_units_and_policies(reader: Reader) -> None:
    """
    Words for the ids in events.
    """
    assert {"ou-ab12-aaaaaaaa": "Workloads", "p-denyregions": "DenyRegions"} == await reader.names(ORGANIZATION)


async def test_the_api_shows_the_events_of_the_topic(told: Settings, reader: Reader) -> None:
    """
    The document of an audit event is the record that consumers get, field by field.
    """
    sent = [json.loads(record.value) for record in await read_topic(told, told.audit_topic)]
    shown = [audit_document(record) for record in await reader.audit_after(ORGANIZATION, (0, 0))]

    def by_id(document: dict[str, object]) -> str:
        return str(document["id"])

    assert sorted(sent, key=by_id) == sorted(shown, key=by_id)


async def test_a_database_without_the_schema_is_said_to_lack_it(postgres_server: str) -> None:
    """
    Reading before the migration names the command that helps.
    """
    bare = Settings(postgres_dsn=SecretStr(database_dsn(postgres_server, "postgres")))
    async with open_reader(bare) as reader:
        with pytest.raises(UnavailableError, match="rooftree migrate"):
            await reader.check()
