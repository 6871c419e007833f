"""
The view is made anew, from the facts or from the log, and is the same view.
"""

from __future__ import annotations

import json
from random import Random

import pytest
from tests.generators.histories import deliver, generate_history
from tests.integration.service import (
    ORGANIZATION,
    command,
    event,
    publish,
    read_topic,
    running,
    settled,
    snapshot,
    stored,
    view_of,
)

from rooftree.settings import Settings

pytestmark = pytest.mark.integration

SHOP = "222222222222"
ATTACHED = event(
    "attach", "policy.attached", "2026-01-02T00:00:00Z", policy_id="p-denyregions", target_id="ou-ab12-aaaaaaaa"
)
BROKEN = event("broken", "ou.renamed", "2026-01-03T00:00:00Z", ou_id="ou-ab12-aaaaaaaa", name=7)


async def test_dropped_tables_are_computed_anew_from_the_facts(settings: Settings) -> None:
    """
    Rows, summaries and verdicts are what they were, to the moment since when each row holds.
    """
    random = Random(41)
    history = generate_history(random, changes=60, principals=6)
    delivered = [each.to_bytes() for each in deliver(random, history.events)]
    await publish(settings, *delivered, key=history.organization_id)
    async with running(settings, relay=False):
        await settled(settings, records=len(delivered), relayed=False, seconds=60)
    before = await view_of(settings)
    services = await stored(settings, "select * from rooftree.action_verdicts order by 1, 2, 3, 4")
    for table in ("account", "permission_set", "chain"):
        await stored(settings, f"truncate rooftree.{table} cascade")
    broken = await command(settings, "verify")
    outcome = await command(settings, "rebuild", "--json")

    after = await view_of(settings)
    referred = {row["chain_id"] for row in before["accounts"]}
    assert (1, 0) == (broken.status, outcome.status)
    assert ([row["account_id"] for row in before["accounts"]], 0) == (
        outcome.json["organizations"][0]["mended"],
        outcome.json["organizations"][0]["audit_events"],
    )
    assert before["accounts"] == after["accounts"]
    assert (before["history"], before["audit"]) == (after["history"], after["audit"])
    assert [row for row in before["chains"] if row["chain_id"] in referred] == after["chains"]
    current = {row["permissions_id"] for row in before["accounts"]}
    assert [row for row in services if row["permissions_id"] in current] == await stored(
        settings, "select * from rooftree.action_verdicts order by 1, 2, 3, 4"
    )


async def test_resource_control_policies_are_computed_anew_too(settings: Settings) -> None:
    """
    Chains of both types are verified, and come back with the documents that they are made of.
    """
    statement = {"Sid": "Perimeter", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    perimeter = {
        "policy_id": "p-perimeter",
        "policy_type": "RESOURCE_CONTROL_POLICY",
        "name": "Perimeter",
        "content": {"Version": "2012-10-17", "Statement": statement},
    }
    story = (
        snapshot(),
        event("enable", "policy_type.enabled", "2026-01-02T00:00:00Z", policy_type="RESOURCE_CONTROL_POLICY"),
        event("create", "policy.created", "2026-01-02T00:00:01Z", **perimeter),
        event("hang", "policy.attached", "2026-01-02T00:00:02Z", policy_id="p-perimeter", target_id="ou-ab12-aaaaaaaa"),
    )
    await publish(settings, *story)
    async with running(settings, relay=False):
        await settled(settings, records=len(story), relayed=False)
    before = await view_of(settings)
    whole = await command(settings, "verify")
    for table in ("account", "permission_set", "chain", "policy_document"):
        await stored(settings, f"truncate rooftree.{table} cascade")
    outcome = await command(settings, "rebuild")
    after = await view_of(settings)

    assert any("resource_control" in (row["levels"] or ()) for row in before["chains"])
    assert (0, 0) == (whole.status, outcome.status)
    assert (before["accounts"], before["history"], before["audit"]) == (
        after["accounts"],
        after["history"],
        after["audit"],
    )


async def test_a_whole_view_is_left_as_it_is(settings: Settings) -> None:
    """
    Nothing is told, written or sent where nothing deviates.
    """
    await publish(settings, snapshot(), ATTACHED)
    async with running(settings):
        await settled(settings, records=2)
    before = await view_of(settings)
    outcome = await command(settings, "rebuild")

    assert f"{ORGANIZATION}: 3 accounts computed anew; each was what the facts say\n" == outcome.out
    assert before == await view_of(settings)
    assert [] == await stored(settings, "select from rooftree.outbox_waiting")


async def test_what_deviates_is_mended_and_told(settings: Settings) -> None:
    """
    Consumers who were told otherwise get a decision change; the past stays written, and a projector goes on from it.
    """
    await publish(settings, snapshot(), ATTACHED)
    async with running(settings):
        await settled(settings, records=2)
        [other] = await stored(settings, "select chain_id from rooftree.account where account_id = '111111111111'")
        for table in ("account", "account_history"):
            await stored(
                settings,
                f"update rooftree.{table} set chain_id = $1, name = 'x' where account_id = $2"
                + (" and valid_to is null" if table == "account_history" else ""),
                other["chain_id"],
                SHOP,
            )
        await stored(settings, "update rooftree.account set reported_chain_id = chain_id")
        broken = await command(settings, "verify")
        outcome = await command(settings, "rebuild", "--json")
        mended = await command(settings, "audit", "verify")
        await publish(
            settings,
            event(
                "detach",
                "policy.detached",
                "2026-01-04T00:00:00Z",
                policy_id="p-denyregions",
                target_id="ou-ab12-aaaaaaaa",
            ),
        )
        await settled(settings, records=3)

    audit = [json.loads(record.value) for record in await read_topic(settings, settings.audit_topic)]
    told = [each for each in audit if each["data"]["cause"]["event_type"] is None]
    [organization] = outcome.json["organizations"]

    assert (1, 0, 0) == (broken.status, outcome.status, mended.status)
    assert ([SHOP], 1) == (organization["mended"], organization["audit_events"])
    assert [(SHOP, "the view was computed anew from the facts", "tightened")] == [
        (each["subject"], each["data"]["cause"]["summary"], each["data"]["verdict"]) for each in told
    ]
    assert [1, 1, 2, 3, 3] == sorted(int(each["sequence"]) for each in audit)


async def test_an_account_that_should_not_be_there_goes(settings: Settings) -> None:
    """
    A row without facts ends, and one with facts but no row comes back.
    """
    await publish(settings, snapshot())
    async with running(settings, relay=False):
        await settled(settings, records=1, relayed=False)
    await stored(settings, "delete from rooftree.account where account_id = $1", SHOP)
    await stored(settings, "delete from rooftree.fact where subject = '333333333333'")
    outcome = await command(settings, "rebuild", "--json")
    rows = await stored(settings, "select account_id from rooftree.account order by 1")
    spans = await stored(settings, "select from rooftree.account_history where valid_to is null")

    assert ["333333333333"] == outcome.json["organizations"][0]["removed"]
    assert ["111111111111", SHOP] == [row["account_id"] for row in rows]
    assert 2 == len(spans)
    assert 0 == (await command(settings, "rebuild")).status


async def test_the_log_is_folded_into_the_same_view(settings: Settings) -> None:
    """
    From the topic all is made anew while the service runs, dead letters and replays included, under the same ids.
    """
    group = settings.model_copy(update={"consumer_group": "rooftree-projector"})
    history = generate_history(Random(43), changes=40, principals=6)
    await publish(group, *history.records, key=history.organization_id)
    await publish(group, snapshot(), BROKEN, ATTACHED)
    count = len(history.events) + 3
    async with running(group):
        await settled(group, records=count, seconds=60)
        await command(group, "dead-letter", "replay", "--all")
        before = await view_of(group)
        letters = await stored(group, "select record_offset, value, attempts, resolution from rooftree.dead_letter")
        outcome = await command(group, "rebuild", "--from-topic", "--yes", "--json")
        await settled(group, records=count + 1, seconds=60)
        after = await view_of(group)

    assert (0, {"records": count + 1}) == (outcome.status, outcome.json)
    assert before == after
    assert letters == await stored(group, "select record_offset, value, attempts, resolution from rooftree.dead_letter")
    audit = await read_topic(group, group.audit_topic)
    ids = [json.loads(record.value)["id"] for record in audit]
    assert 2 * len(set(ids)) == len(ids)


async def test_a_log_that_misses_something_is_not_folded(settings: Settings) -> None:
    """
    The view stays as it is where the broker has less than it was made from.
    """
    group = settings.model_copy(update={"consumer_group": "rooftree-projector"})
    await publish(group, snapshot(), ATTACHED)
    async with running(group, relay=False):
        await settled(group, records=2, relayed=False)
    await stored(group, "update rooftree.seen_event set log_id = 'another' where event_id = 'snapshot'")
    before = await view_of(group)
    outcome = await command(group, "rebuild", "--from-topic", "--yes")
    timid = await command(group, "rebuild", "--from-topic")

    assert (2, 2) == (outcome.status, timid.status)
    assert "no longer has 1 of the records" in outcome.err
    assert "--yes" in timid.err
    assert before == await view_of(group)
