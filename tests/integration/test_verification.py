"""
What is stored can be told from what was tampered with, and the place is named.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

import pytest
from tests.databases import as_role
from tests.generators.histories import deliver, generate_history
from tests.integration.service import (
    ORGANIZATION,
    command,
    event,
    fresh_database,
    publish,
    running,
    settled,
    snapshot,
    stored,
)
from tests.outcome import Outcome

from rooftree.cli import main
from rooftree.settings import Settings
from rooftree.store.database import connect_database, open_database
from rooftree.store.reader import DatabaseReader
from rooftree.store.restricted import RestrictedDatabase

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

SHOP = "222222222222"
TABLES = (
    *("organization", "fact", "account", "account_history", "chain", "policy_document"),
    *("permission_set", "permission_set_service", "audit_event"),
)
STORY = (
    snapshot(),
    event("attach", "policy.attached", "2026-01-02T00:00:00Z", policy_id="p-denyregions", target_id="ou-ab12-aaaaaaaa"),
    event("leave", "account.removed", "2026-01-03T00:00:00Z", account_id="333333333333"),
    event("return", "account.created", "2026-01-05T00:00:00Z", account_id="333333333333", parent_id="ou-ab12-aaaaaaaa"),
    event("rename", "account.updated", "2026-01-06T00:00:00Z", account_id=SHOP, name="shop"),
    event("detach", "policy.detached", "2026-01-07T00:00:00Z", policy_id="p-denyregions", target_id="ou-ab12-aaaaaaaa"),
)


@pytest.fixture
async def told(settings: Settings) -> Settings:
    """
    An organization to which a few things have happened.
    """
    await publish(settings, *STORY)
    async with running(settings, relay=False):
        await settled(settings, records=len(STORY), relayed=False)
    return settings


Run: TypeAlias = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def run(told: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """
    Run a command within this process, which is quicker where it is done often.
    """
    monkeypatch.setenv("ROOFTREE_POSTGRES_DSN", told.postgres_dsn.get_secret_value())

    async def run_command(*arguments: str) -> Outcome:
        capsys.readouterr()
        status = await asyncio.to_thread(main, arguments)
        return Outcome(status, *capsys.readouterr())

    return run_command


@asynccontextmanager
async def kept(settings: Settings) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """
    Remember what is stored; what is given brings it back.
    """
    connection = await connect_database(settings.postgres_dsn.get_secret_value())
    for table in TABLES:
        await connection.execute(f"create temporary table kept_{table} as table rooftree.{table}")

    async def restore() -> None:
        async with connection.transaction():
            for table in reversed(TABLES):
                await connection.execute(f"delete from rooftree.{table}")
            for table in TABLES:
                await connection.execute(f"insert into rooftree.{table} table kept_{table}")

    try:
        yield restore
    finally:
        await connection.close()


async def verify(settings: Settings) -> Outcome:
    """
    Run the command.
    """
    return await command(settings, "verify", "--json")


def places(outcome: Outcome) -> list[str]:
    """
    Return the places of the deviations.
    """
    [organization] = outcome.json["organizations"]
    return [deviation["place"] for deviation in organization["deviations"]]


async def test_what_the_projector_stored_is_verified(told: Settings) -> None:
    """
    Accounts, their history and the audit events are counted, and nothing deviates.
    """
    outcome = await verify(told)
    words = await command(told, "verify")

    [organization] = outcome.json["organizations"]
    assert (0, []) == (outcome.status, organization["deviations"])
    assert (3, 9, 4, True) == (
        organization["accounts"],
        organization["history_rows"],
        organization["audit"]["events"],
        organization["audit"]["whole"],
    )
    assert "3 accounts and 9 rows of history are what the facts say" in words.out


@pytest.mark.parametrize("seed", range(4))
async def test_any_history_in_any_order_is_verified(settings: Settings, seed: int) -> None:
    """
    Late, doubled and reordered changes, departures and returns, leave nothing that looks like tampering.
    """
    random = Random(seed)
    history = generate_history(random, changes=60, principals=6)
    delivered = [each.to_bytes() for each in deliver(random, history.events)]
    cut = settings.model_copy(update={"batch_max_records": random.choice((1, 7, 500))})
    await publish(cut, *delivered, key=history.organization_id)
    async with running(cut, relay=False):
        await settled(cut, records=len(delivered), relayed=False, seconds=60)

    outcome = await verify(settings)

    assert (0, []) == (outcome.status, places(outcome))


async def test_policies_that_mean_the_same_share_a_summary(settings: Settings) -> None:
    """
    It is worded as the first of them was, also when that one is written otherwise today.
    """

    def update(event_id: str, day: int, *resources: str) -> bytes:
        statement = {"Effect": "Deny", "Action": "s3:Get*", "Resource": list(resources)}
        content = {"Version": "2012-10-17", "Statement": statement}
        return event(
            event_id, "policy.updated", f"2026-01-0{day}T00:00:00Z", policy_id="p-denyregions", content=content
        )

    story = (
        *STORY[:2],
        update("long", 3, "arn:aws:s3:::a/*", "arn:aws:s3:::a/b*"),
        update("short", 4, "arn:aws:s3:::a/*"),
    )
    await publish(settings, *story)
    async with running(settings, relay=False):
        await settled(settings, records=len(story), relayed=False)
    outcome = await verify(settings)

    assert (0, []) == (outcome.status, places(outcome))


@dataclass(frozen=True)
class Tampering:
    """
    A change behind the back of the service, and where it is found.
    """

    statement: str
    place: str


VIEW = {
    "name": Tampering(f"update rooftree.account set name = 'x' where account_id = '{SHOP}'", f"account {SHOP} name"),
    "status": Tampering(
        f"update rooftree.account set status = 'x' where account_id = '{SHOP}'", f"account {SHOP} status"
    ),
    "path": Tampering(
        f"update rooftree.account set path = array['r-ab12', account_id] where account_id = '{SHOP}'",
        f"account {SHOP} path",
    ),
    "permissions": Tampering(
        f"update rooftree.account set permissions_id = 'x' where account_id = '{SHOP}'",
        f"account {SHOP} permissions_id",
    ),
    "chain": Tampering(
        f"update rooftree.account set chain_id = 'x' where account_id = '{SHOP}'", f"account {SHOP} chain_id"
    ),
    "reported chain": Tampering(
        f"update rooftree.account set reported_chain_id = 'x' where account_id = '{SHOP}'",
        f"account {SHOP} reported_chain_id",
    ),
    "a row that is gone": Tampering(f"delete from rooftree.account where account_id = '{SHOP}'", f"account {SHOP}"),
    "a row too many": Tampering(
        "insert into rooftree.account select organization_id, '444444444444', name, email, status, parent_id, path,"
        " placed, chain_id, permissions_id, reported_chain_id, revision, since, cause_event_id from rooftree.account"
        f" where account_id = '{SHOP}'",
        "account 444444444444",
    ),
    "the levels of a chain": Tampering(
        "update rooftree.chain set levels = jsonb_set(levels, '{0,target_id}', '\"r-zz99\"')", "chain "
    ),
    "a document": Tampering("update rooftree.policy_document set content = content || ' '", "policy_document "),
    "a document that is gone": Tampering("delete from rooftree.policy_document", "chain "),
    "a summary": Tampering(
        "update rooftree.permission_set set permissions = permissions || '{\"x\": 1}'", "permission_set "
    ),
    "a verdict": Tampering("update rooftree.permission_set set verdict = 'denied'", "permission_set "),
    "a permission set that is gone": Tampering("delete from rooftree.permission_set", "permission_set "),
    "a fact": Tampering(
        f"update rooftree.fact set value = '\"x\"' where subject = '{SHOP}' and attribute = 'name'",
        f"account {SHOP} name",
    ),
    "since": Tampering(
        f"update rooftree.account set since = since - interval '1 hour' where account_id = '{SHOP}'",
        f"account_history {SHOP} from 2026-01-07T00:00:00Z since",
    ),
}

HISTORY = {
    "a name in the past": Tampering(
        f"update rooftree.account_history set permissions_id = 'x' where account_id = '{SHOP}' and valid_from <= all"
        f" (select valid_from from rooftree.account_history where account_id = '{SHOP}')",
        f"account_history {SHOP} from 2026-01-01T00:00:00Z permissions_id",
    ),
    "the open row": Tampering(
        f"update rooftree.account_history set name = 'x' where account_id = '{SHOP}' and valid_to is null",
        f"account_history {SHOP} from 2026-01-07T00:00:00Z name",
    ),
    "a row in the middle that is gone": Tampering(
        f"delete from rooftree.account_history where account_id = '{SHOP}' and cause_event_id = 'attach'",
        f"account_history {SHOP} from 2026-01-06T00:00:00Z",
    ),
    "the open row that is gone": Tampering(
        f"delete from rooftree.account_history where account_id = '{SHOP}' and valid_to is null",
        f"account_history {SHOP}",
    ),
    "an end moved": Tampering(
        f"update rooftree.account_history set valid_to = valid_to - interval '1 hour'"
        f" where account_id = '{SHOP}' and cause_event_id = 'attach'",
        f"account_history {SHOP} from 2026-01-06T00:00:00Z",
    ),
    "an open row that was closed": Tampering(
        f"update rooftree.account_history set valid_to = '2026-06-01' where account_id = '{SHOP}' and valid_to is null",
        f"account_history {SHOP}",
    ),
    "a chain that is not there": Tampering(
        f"update rooftree.account_history set chain_id = 'x' where account_id = '{SHOP}' and cause_event_id = 'attach'",
        f"account_history {SHOP} from 2026-01-02T00:00:00Z chain_id",
    ),
}


async def test_tampering_is_found_with_its_place(told: Settings, run: Run) -> None:
    """
    The command exits with 1 and names what deviates, each time and only until it is mended.
    """
    async with kept(told) as restore:
        for name, tampering in {**VIEW, **HISTORY}.items():
            await stored(told, tampering.statement)
            found = await run("verify", "--json")
            await restore()

            assert 1 == found.status, name
            assert [] != [place for place in places(found) if place.startswith(tampering.place)], (name, places(found))
        assert 0 == (await run("verify")).status


AUDIT = {
    "data": ("update rooftree.audit_event set data = jsonb_set(data, '{account_name}', '\"x\"')", "it was altered"),
    "the seal": (
        "update rooftree.audit_event set data = jsonb_set(data, '{chain_hash,this}', '\"x\"')",
        "it was altered",
    ),
    "verdict": ("update rooftree.audit_event set verdict = 'loosened'", "its column verdict was altered"),
    "account": ("update rooftree.audit_event set account_id = '1'", "its column account_id was altered"),
    "type": ("update rooftree.audit_event set type = 'x'", "its column type was altered"),
    "time": ("update rooftree.audit_event set time = time + interval '1 s'", "its column time was altered"),
    "cause": ("update rooftree.audit_event set cause_event_id = 'x'", "its column cause_event_id was altered"),
    "id": ("update rooftree.audit_event set event_id = 'x'", "its column event_id was altered"),
    "parts": ("update rooftree.audit_event set parts = 3", "it says that its revision has 3 parts"),
}


async def test_an_altered_audit_event_is_found_with_its_place(told: Settings, run: Run) -> None:
    """
    Whatever column of a row was changed, the row is named.
    """
    async with kept(told) as restore:
        for name, (statement, fault) in AUDIT.items():
            await stored(told, f"{statement} where revision = 1 and part = 2")
            found = await run("audit", "verify")
            await restore()

            assert 1 == found.status, name
            assert f"{ORGANIZATION}: broken after 1 audit events: revision 1, part 2: {fault}" in found.out, name


async def test_what_a_verification_found_is_kept_for_whoever_asks(told: Settings, run: Run) -> None:
    """
    First nothing, then that all is whole, then the first fault and how far the events are whole; the next verification
    takes its place. Readers see it of their organizations alone.
    """

    async def seen(organization_id: str = ORGANIZATION) -> dict[str, tuple[object, ...]]:
        async with open_database(told.postgres_dsn.get_secret_value()) as database:
            reader = DatabaseReader(RestrictedDatabase(database, frozenset({organization_id})))
            found = await reader.verifications(ORGANIZATION)
        return {one.subject: (one.revision, one.part, one.checked, one.faults, one.fault) for one in found}

    before = await seen()
    await run("verify")
    whole, foreign = await seen(), await seen("o-anotherone1")
    async with kept(told) as restore:
        await stored(told, "update rooftree.audit_event set verdict = 'mixed' where revision = 2 and part = 1")
        await stored(told, "update rooftree.account set name = 'other' where account_id = $1", SHOP)
        await run("audit", "verify")
        altered = await seen()
        await run("verify")
        broken = await seen()
        await restore()
    await run("verify")

    assert ({}, {}) == (before, foreign)
    assert {"audit": (2, 2, 4, 0, None), "view": (2, 0, 12, 0, None)} == whole
    assert (1, 2, 2, 1, "revision 2, part 1: its column verdict was altered") == altered["audit"]
    assert whole["view"] == altered["view"]
    assert altered["audit"] == broken["audit"]
    assert f"account {SHOP} name: expected `shop`, found `other`" == broken["view"][-1]
    assert whole == await seen()


async def test_a_verification_needs_the_rights_of_its_role_alone(told: Settings) -> None:
    """
    It reads what is stored, and writes what it found and nothing else.
    """
    outcome = await command(as_role(told, "rooftree_verifier"), "verify", "--json")

    [organization] = outcome.json["organizations"]
    assert (0, True) == (outcome.status, organization["verified"])
    [row] = await stored(told, "select count(*) as kept from rooftree.verification where faults = 0")
    assert 2 == row["kept"]


REMOVALS = {
    "the first": ("revision = 1 and part = 1", "revision 1, part 2: events are missing after revision 0, part 0"),
    "a part": ("revision = 1 and part = 2", "revision 2, part 1: events are missing after revision 1, part 1"),
    "a revision": ("revision = 1", "revision 2, part 1: events are missing after revision 0, part 0"),
    "the last part": ("revision = 2 and part = 2", "events are missing after revision 2, part 1"),
    "the last revision": ("revision = 2", "the event of revision 2 with hash"),
    "all": ("true", "the event of revision 2 with hash"),
}


async def test_a_removed_audit_event_is_missed(told: Settings, run: Run) -> None:
    """
    The sequence shows where it was, at its end too.
    """
    async with kept(told) as restore:
        for name, (which, fault) in REMOVALS.items():
            await stored(told, f"delete from rooftree.audit_event where {which}")
            found, whole = await run("audit", "verify"), await run("verify")
            await restore()

            assert (1, 1) == (found.status, whole.status), name
            assert fault in found.out, name
            assert fault in whole.out, name


async def test_an_event_put_in_is_found(told: Settings) -> None:
    """
    A copy of a real event under a revision of its own is not sealed to the one before.
    """
    await stored(
        told,
        "insert into rooftree.audit_event (organization_id, revision, part, parts, event_id, type, account_id, time,"
        " verdict, cause_event_id, data) select organization_id, 3, 1, 1, 'x', type, account_id, time, verdict,"
        " cause_event_id, data from rooftree.audit_event where revision = 2 and part = 1",
    )
    await stored(told, "update rooftree.organization set revision = 3")
    outcome = await command(told, "audit", "verify")

    assert 1 == outcome.status
    assert "revision 3, part 1: it is not sealed to the event before" in outcome.out


async def test_the_view_at_any_revision_is_a_fold_of_the_log_up_to_it(settings: Settings) -> None:
    """
    The stored view at revision r equals a fold of the log up to r from nothing.
    """
    history = generate_history(Random(23), changes=40, principals=6)
    one = settings.model_copy(update={"batch_max_records": 1, "topic_partitions": 1})
    await publish(one, *history.records, key=history.organization_id)
    async with running(one, relay=False):
        await settled(one, records=len(history.events), relayed=False, seconds=60)
    moments = await stored(
        one,
        "select revision, max(record_offset) as upto from rooftree.seen_event group by revision order by revision",
    )
    assert 3 < len(moments)
    for moment in Random(23).sample(moments, 3):
        async with fresh_database(one) as other:
            prefix = history.records[: moment["upto"] + 1]
            told = other.model_copy(update={"changes_topic": f"{one.changes_topic}-{moment['upto']}"})
            await publish(told, *prefix, key=history.organization_id)
            async with running(told, relay=False):
                await settled(told, records=len(prefix), relayed=False, seconds=60)
            folded = await view_at(told, moment["revision"])
        assert folded == await view_at(one, moment["revision"])


async def view_at(settings: Settings, revision: int) -> dict[str, list[dict[str, object]]]:
    """
    Return the view as it was at a revision: what of the history and of the audit events was written by then.
    """
    columns = "account_id, valid_from, name, email, status, parent_id, path, placed, chain_id, permissions_id, revision"
    return {
        "history": await stored(
            settings,
            f"select {columns} from rooftree.account_history where revision <= $1 order by account_id, valid_from",
            revision,
        ),
        "audit": await stored(
            settings,
            "select event_id, revision, part, data from rooftree.audit_event where revision <= $1 order by 2, 3",
            revision,
        ),
    }
