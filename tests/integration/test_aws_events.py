"""
Events of AWS through the broker into the view, and out again as audit events.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.generators.aws_events import Deliveries, as_log_file, bare
from tests.integration.service import (
    ORGANIZATION,
    command,
    eventually,
    publish,
    read_topic,
    running,
    settled,
    snapshot,
    stored,
)

from rooftree.bootstrap.reading import open_reader
from rooftree.contracts.rereads import answer_event
from rooftree.settings import Settings

pytestmark = pytest.mark.integration

MANAGEMENT, SHOP, UNIT = "111111111111", "222222222222", "ou-ab12-aaaaaaaa"
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
ATTACH = {"PolicyId": "p-denyregions", "TargetId": UNIT}


def encoded(event: Mapping[str, Any]) -> bytes:
    """
    An event as bytes.
    """
    return json.dumps(event).encode()


async def start(settings: Settings) -> None:
    """
    Bring the organization in.
    """
    await publish(settings, snapshot())

    async def is_there() -> bool:
        return bool(await stored(settings, "select from rooftree.organization"))

    await eventually(is_there)


async def test_an_audit_event_names_the_event_of_aws_and_who_called(settings: Settings) -> None:
    """
    It came by both roads, with keys of several partitions, and has one effect.
    """
    (attached,) = Deliveries(MANAGEMENT).of("AttachPolicy", ATTACH, None, time=NOON)
    async with running(settings):
        await start(settings)
        for key in ("some", "other", "third", "fourth"):
            await publish(settings, encoded(attached), encoded(as_log_file([attached])), key=key)
        await settled(settings, records=9)
    told = [json.loads(record.value) for record in await read_topic(settings, settings.audit_topic)]
    cause = {
        "event_id": attached["detail"]["eventID"],
        "event_type": "rooftree.policy.attached.v1",
        "time": "2026-01-02T12:00:00Z",
        "actor": f"arn:aws:sts::{MANAGEMENT}:assumed-role/Administrator/tests",
        "summary": "DenyRegions attached to Workloads",
        "names": {"p-denyregions": "DenyRegions", "ou-ab12-aaaaaaaa": "Workloads"},
    }

    assert [cause, cause] == [event["data"]["cause"] for event in told]
    assert {SHOP, "333333333333"} == {event["data"]["account_id"] for event in told}
    assert [] == await stored(settings, "select from rooftree.dead_letter")
    [row] = await stored(settings, "select count(*) from rooftree.seen_event")
    assert 2 == row["count"]


async def test_what_is_not_told_waits_for_being_read_anew(settings: Settings) -> None:
    """
    A new policy whose text is left out makes the organization incomplete until somebody has read it.
    """
    deliveries = Deliveries(MANAGEMENT)
    summary = {"Id": "p-newpolicy0", "Name": "New", "Type": "SERVICE_CONTROL_POLICY"}
    (created,) = deliveries.of("CreatePolicy", {"Name": "New"}, {"Policy": {"PolicySummary": summary}}, time=NOON)
    account = {"CreateAccountStatus": {"Id": "car-1", "State": "SUCCEEDED", "AccountId": "444444444444"}}
    opened = deliveries.of("CreateAccount", {"AccountName": "new"}, account, time=NOON)
    async with running(settings):
        await start(settings)
        await publish(settings, encoded(created), *map(encoded, opened))
        await settled(settings, records=5)
        async with open_reader(settings) as reader:
            [first] = await reader.rereads(ORGANIZATION, limit=1)
            [second] = await reader.rereads(ORGANIZATION, after=(first.since, *first.request.key))
        [before] = await stored(settings, "select incomplete_reason from rooftree.organization")
        for one in (first, second):
            read_at = one.asked_at + timedelta(seconds=1)
            answer = answer_event(ORGANIZATION, one.request.kind, one.request.object_id, read_at)
            await publish(settings, encoded(answer))
        await settled(settings, records=7)

    assert {("policy", "p-newpolicy0", True), ("account", "444444444444", False)} == {
        (*one.request.key, one.request.doubtful) for one in (first, second)
    }
    assert (
        "policy p-newpolicy0 is to be read again: its type or its content was not told" == before["incomplete_reason"]
    )
    assert [] == await stored(settings, "select from rooftree.rereads")
    [after] = await stored(settings, "select incomplete_since from rooftree.organization")
    assert after["incomplete_since"] is None
    types = [json.loads(record.value)["type"] for record in await read_topic(settings, settings.audit_topic)]
    assert ["rooftree.organization.incomplete.v1", "rooftree.organization.complete.v1"] == types


async def test_what_cannot_be_placed_is_kept_and_can_be_replayed(settings: Settings) -> None:
    """
    An event of an organization that is not known yet waits as a dead letter until it is.
    """
    (attached,) = Deliveries(MANAGEMENT).of("AttachPolicy", ATTACH, None, time=NOON)
    async with running(settings):
        await publish(settings, encoded(bare(attached)), key="whatever")
        await settled(settings, records=1)
        [letter] = await stored(settings, "select letter_id, organization_id, reason from rooftree.dead_letter")
        await start(settings)
        replayed = await command(settings, "dead-letter", "replay", letter["letter_id"])
        await settled(settings, records=3)

    assert ("", 0) == (letter["organization_id"], replayed.status)
    assert letter["reason"].startswith(f"account `{MANAGEMENT}` is in no organization that is known here")
    assert 2 == len(await read_topic(settings, settings.audit_topic))


async def test_events_of_aws_are_published_from_a_file(settings: Settings, tmp_path: Any) -> None:
    """
    Beside our own, and each record of a log file by itself.
    """
    deliveries = Deliveries(MANAGEMENT)
    attached = deliveries.of("AttachPolicy", ATTACH, None, time=NOON)
    detached = deliveries.of("DetachPolicy", ATTACH, None, time=NOON + timedelta(minutes=1))
    file = tmp_path / "events.ndjson"
    file.write_bytes(b"\n".join([snapshot(), encoded(as_log_file([*attached, *detached]))]))
    async with running(settings):
        published = await command(settings, "publish", file, "--organization", ORGANIZATION, "--json")
        await settled(settings, records=3)

    assert (0, 3) == (published.status, published.json["published"])
    verdicts = [json.loads(one.value)["data"]["verdict"] for one in await read_topic(settings, settings.audit_topic)]
    assert ["loosened", "loosened", "tightened", "tightened"] == sorted(verdicts)


async def test_one_organization_may_come_by_several_partitions(settings: Settings) -> None:
    """
    Keys that say nothing spread one organization over partitions; writers of it take turns, and nothing is lost.
    """
    deliveries = Deliveries(MANAGEMENT)
    events = [
        deliveries.of(f"{verb}Policy", ATTACH, None, time=NOON + timedelta(minutes=minute))[0]
        for minute, verb in enumerate(("Attach", "Detach") * 10)
    ]
    async with running(settings):
        await start(settings)
        await asyncio.gather(
            publish(settings, *map(encoded, events[::2]), key="some"),
            publish(settings, *map(encoded, events[1::2]), key="other"),
        )
        await settled(settings, records=21)
    facts = await stored(
        settings, "select value, event_id from rooftree.fact where kind = 'attachment' and attribute = 'p-denyregions'"
    )

    assert [{"value": False, "event_id": events[-1]["detail"]["eventID"]}] == facts
    assert [] == await stored(settings, "select from rooftree.dead_letter")
