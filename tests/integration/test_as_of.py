"""
What was so at a time, and what has changed between two.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random

import asyncpg
import pytest
from tests.generators.histories import generate_history
from tests.integration.service import command, event, publish, running, settled, snapshot, stored

from rooftree.bootstrap.reading import open_reader
from rooftree.contracts import decode_change
from rooftree.organization.timestamps import format_time
from rooftree.settings import Settings
from rooftree.view.projection import OrganizationView

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

SHOP, DEV = "222222222222", "333333333333"
STORY = (
    snapshot(),
    event("attach", "policy.attached", "2026-01-02T00:00:00Z", policy_id="p-denyregions", target_id="ou-ab12-aaaaaaaa"),
    event("move", "account.moved", "2026-01-03T00:00:00Z", account_id=DEV, parent_id="r-ab12"),
    event("leave", "account.removed", "2026-01-04T00:00:00Z", account_id=DEV),
    event("detach", "policy.detached", "2026-01-05T00:00:00Z", policy_id="p-denyregions", target_id="ou-ab12-aaaaaaaa"),
)


@pytest.fixture
async def told(settings: Settings) -> Settings:
    """
    A service to which a short story was told.
    """
    await publish(settings, *STORY)
    async with running(settings, relay=False):
        await settled(settings, records=len(STORY), relayed=False)
    return settings


@pytest.mark.parametrize("seed", range(3))
async def test_the_view_as_of_a_time_is_a_fold_of_the_changes_up_to_it(settings: Settings, seed: int) -> None:
    """
    Where nothing comes late, every account at every moment is what the changes until then say.
    """
    random = Random(seed)
    history = generate_history(random, changes=50)
    await publish(settings, *history.records, key=history.organization_id)
    async with running(settings, relay=False):
        await settled(settings, records=len(history.events), relayed=False, seconds=60)
    moments = sorted({each.time for each in history.events})
    chosen = [*random.sample(moments, 6), moments[0] - timedelta(seconds=1), moments[-1] + timedelta(days=1)]
    async with open_reader(settings) as reader:
        for moment in chosen:
            view = OrganizationView.load(history.organization_id)
            for each in history.events:
                if each.time <= moment:
                    view.apply(decode_change(each.to_bytes()))
            expected = [
                (row.account_id, row.name, row.status, row.path, row.chain_id, row.permissions_id)
                for _, row in sorted(view.accounts.items())
            ]
            assert expected == [
                (row.account_id, row.name, row.status, row.path, row.chain_id, row.permissions_id)
                for row in await reader.accounts(history.organization_id, at=moment)
            ], format_time(moment)


@pytest.mark.parametrize(
    ("since", "until", "verdict"),
    [
        ("2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z", "tightened"),
        ("2026-01-02T12:00:00Z", "2026-01-05T00:00:00Z", "loosened"),
        ("2026-01-01T12:00:00Z", None, None),
        ("2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z", None),
    ],
)
async def test_history_tells_which_decisions_differ_between_two_times(
    told: Settings, since: str, until: str | None, verdict: str | None
) -> None:
    """
    What was taken and given back in between is no difference; a start counts from its very moment.
    """
    times = ("--from", since, *(("--to", until) if until else ()))
    outcome = await command(told, "history", SHOP, *times, "--json")
    words = await command(told, "history", SHOP, *times)

    assert (0, verdict) == (outcome.status, outcome.json["verdict"])
    assert (verdict is None) == (outcome.json["changes"] == [])
    assert ("no decision differs" if verdict is None else f"decisions {verdict}:") in words.out


async def test_history_between_two_times_is_what_held_in_between(told: Settings) -> None:
    """
    Rows that ended before or began after are left out, and the change is the one that the audit event told.
    """
    outcome = await command(
        told, "history", SHOP, "--from", "2026-01-02T06:00:00Z", "--to", "2026-01-04T00:00:00Z", "--json"
    )
    changed = await command(
        told, "history", SHOP, "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-02T00:00:00Z", "--json"
    )
    [audit] = await stored(told, "select data from rooftree.audit_event where account_id = $1 and revision = 1", SHOP)

    assert ["attach"] == [row["cause_event_id"] for row in outcome.json["rows"]]
    assert audit["data"]["changes"] == changed.json["changes"]
    assert "us-east-1" not in str(outcome.json["changes"])


async def test_an_account_that_was_not_there_is_not_compared(told: Settings) -> None:
    """
    It had no decisions, so none of them has changed.
    """
    left = await command(told, "history", DEV, "--from", "2026-01-03T12:00:00Z")
    gone = await command(told, "history", DEV, "--from", "2026-01-05T00:00:00Z")
    joined = await command(told, "history", DEV, "--from", "2025-01-01T00:00:00Z", "--to", "2026-01-02T12:00:00Z")

    assert "not in the organization any more" in left.out
    assert (2, "rooftree: ACCOUNT: no account `333333333333` between these times\n") == (gone.status, gone.err)
    assert "not in the organization then" in joined.out


async def test_diff_compares_every_account_at_two_times(told: Settings) -> None:
    """
    One line an account, as for two snapshots, and accounts that are there at one time only are named.
    """
    some = await command(told, "diff", "--from", "2026-01-01T12:00:00Z", "--to", "2026-01-02T12:00:00Z", "--json")
    words = await command(told, "diff", "--from", "2026-01-01T12:00:00Z")
    none = await command(told, "diff", "--from", "2026-01-05T12:00:00Z", "--json")

    assert (1, [(SHOP, "tightened"), (DEV, "tightened")]) == (
        some.status,
        [(line["account_id"], line["verdict"]) for line in some.lines],
    )
    assert (0, "") == (none.status, none.out)
    assert "No decision differs in 2 accounts." in words.out
    assert f"only before, not compared: {DEV}" in words.out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["history", SHOP, "--to", "2026-01-01T00:00:00Z"], "--to: expected --from beside it"),
        (
            ["history", SHOP, "--from", "2026-01-02T00:00:00Z", "--to", "2026-01-01T00:00:00Z"],
            "--to: expected a time after that of --from",
        ),
        (["diff", "--from", "yesterday"], "--from: expected an RFC 3339 time"),
        (["diff"], "expected --before and --after, or --from"),
        (["diff", "--before", "a", "--from", "2026-01-02T00:00:00Z"], "expected --before and --after, or --from"),
    ],
)
async def test_times_that_make_no_sense_are_refused(settings: Settings, arguments: list[str], reason: str) -> None:
    """
    In one line, with status 2.
    """
    outcome = await command(settings, *arguments)

    assert 2 == outcome.status
    assert reason in outcome.err


@pytest.mark.parametrize(
    "statement",
    [
        "update rooftree.account_history set valid_to = valid_to + interval '1 s' where cause_event_id = 'attach'",
        "update rooftree.account_history set valid_from = valid_from - interval '1 s' where cause_event_id = 'detach'",
        "update rooftree.account_history set valid_to = null where cause_event_id = 'attach'",
        "update rooftree.account_history set valid_to = valid_from - interval '1 s' where cause_event_id = 'attach'",
        """
        insert into rooftree.account_history
        select
            organization_id, account_id, valid_from + interval '1 s', valid_to, name, email, status, parent_id, path,
            placed, chain_id, permissions_id, revision, complete, cause_event_id
        from rooftree.account_history where cause_event_id = 'attach'
        """,
    ],
)
async def test_the_database_itself_refuses_two_truths_at_one_time(told: Settings, statement: str) -> None:
    """
    Ranges of one account do not overlap, and none ends before it starts, whoever writes.
    """
    with pytest.raises(asyncpg.PostgresError) as caught:
        await stored(told, statement)

    assert isinstance(caught.value, asyncpg.ExclusionViolationError | asyncpg.UniqueViolationError | asyncpg.DataError)
