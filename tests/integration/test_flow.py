"""
From a change on one topic to the view, and to audit events on another.
"""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random

import pytest
from tests.generators.histories import deliver, generate_history
from tests.integration.service import (
    ORGANIZATION,
    event,
    ids,
    publish,
    read_topic,
    running,
    settled,
    snapshot,
    stored,
    view_of,
)

from rooftree.settings import Settings
from rooftree.telemetry.metrics import METRICS_REGISTRY

pytestmark = pytest.mark.integration

ATTACHED = event(
    "attach",
    "policy.attached",
    "2026-01-02T00:00:00Z",
    policy_id="p-denyregions",
    target_id="ou-ab12-aaaaaaaa",
    actor="arn:aws:iam::111111111111:user/alice",
)


async def test_an_attached_policy_becomes_one_audit_event_an_account(settings: Settings) -> None:
    """
    Two accounts stand below the unit, so two events leave, by account, with the revision and who did it.
    """
    await publish(settings, snapshot(), ATTACHED)
    async with running(settings):
        await settled(settings, records=2)

    events = [json.loads(record.value) for record in await read_topic(settings, settings.audit_topic)]
    events.sort(key=lambda each: each["part"])

    assert ["222222222222", "333333333333"] == [each["subject"] for each in events]
    assert [("00000000000000000001", 1, 2), ("00000000000000000001", 2, 2)] == [
        (each["sequence"], each["part"], each["parts"]) for each in events
    ]
    assert ["tightened", "tightened"] == [each["data"]["verdict"] for each in events]
    assert "arn:aws:iam::111111111111:user/alice" == events[0]["data"]["cause"]["actor"]
    assert "DenyRegions attached to Workloads" == events[0]["data"]["cause"]["summary"]


async def test_the_time_from_a_change_to_its_audit_events_is_measured(settings: Settings) -> None:
    """
    Of each event that tells of a change, from when the broker took that, however many rows are written at once; the
    header by which the relay knows it does not leave.
    """
    measured = "rooftree_audit_age_seconds_count"
    before = METRICS_REGISTRY.get_sample_value(measured) or 0
    await publish(settings, snapshot())
    async with running(settings):
        await settled(settings, records=1)
        await publish(settings, ATTACHED)
        await settled(settings, records=2)
    kept = await stored(
        settings,
        """
        select o.aggregatetype, o.headers ->> 'received_at' is not null as is_known,
            (o.headers ->> 'received_at')::timestamptz = s.record_time as is_that_of_the_change
        from rooftree.outbox as o, rooftree.seen_event as s
        where s.event_id = 'attach'
        """,
    )
    sent = await read_topic(settings, settings.audit_topic)

    assert 2 == METRICS_REGISTRY.get_sample_value(measured) - before
    assert [True, True] == [row["is_that_of_the_change"] for row in kept if row["aggregatetype"] == "audit"]
    assert {False} == {row["is_known"] for row in kept if row["aggregatetype"] == "permissions"}
    assert {"id", "content-type"} == {name for record in sent for name, _ in record.headers}


PERIMETER = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "OwnOrganization",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {
                "StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION},
                "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
            },
        }
    ],
}


async def test_a_resource_control_policy_becomes_audit_events_of_its_own_kind(settings: Settings) -> None:
    """
    Once the type is enabled, a policy on the root tells for each member what outsiders may not do any more; a worker
    that starts anew finds the same state and detaches it again.
    """
    perimeter = {"policy_id": "p-perimeter", "policy_type": "RESOURCE_CONTROL_POLICY", "name": "Perimeter"}
    hanging = {"policy_id": "p-perimeter", "target_id": "r-ab12"}
    await publish(
        settings,
        snapshot(),
        event("enable", "policy_type.enabled", "2026-01-02T00:00:00Z", policy_type="RESOURCE_CONTROL_POLICY"),
        event("create", "policy.created", "2026-01-03T00:00:00Z", **perimeter, content=PERIMETER),
        event("attach", "policy.attached", "2026-01-04T00:00:00Z", **hanging),
    )
    async with running(settings):
        await settled(settings, records=4)
    await publish(settings, event("detach", "policy.detached", "2026-01-05T00:00:00Z", **hanging))
    async with running(settings):
        await settled(settings, records=5)

    events = [json.loads(record.value)["data"] for record in await read_topic(settings, settings.audit_topic)]
    told = sorted((each["account_id"], each["organization_revision"], each["verdict"]) for each in events)
    changes = [change for each in events for change in each["changes"]]

    assert [
        ("222222222222", 1, "tightened"),
        ("222222222222", 2, "loosened"),
        ("333333333333", 1, "tightened"),
        ("333333333333", 2, "loosened"),
    ] == told
    assert {"resource_control"} == {change["policy_type"] for change in changes}
    assert {"o-otherorg00"} == {change["witness"]["context"]["aws:PrincipalOrgID"] for change in changes}
    assert {"Perimeter attached to the root", "Perimeter detached from the root"} == {
        each["cause"]["summary"] for each in events
    }


async def test_records_are_keyed_by_account_and_name_their_event(settings: Settings) -> None:
    """
    Key and id header are what a consumer partitions and deduplicates by.
    """
    await publish(settings, snapshot(), ATTACHED)
    async with running(settings):
        await settled(settings, records=2)

    records = await read_topic(settings, settings.audit_topic)

    assert {b"222222222222", b"333333333333"} == {record.key for record in records}
    assert ids(records) == [dict(record.headers)["id"].decode() for record in records]


async def test_the_view_holds_each_account_now_and_since_when(settings: Settings) -> None:
    """
    The row of the view and the open row of the history tell the same.
    """
    await publish(settings, snapshot(), ATTACHED)
    async with running(settings):
        await settled(settings, records=2)

    [row] = await stored(settings, "select * from rooftree.account_permissions where account_id = '222222222222'")
    history = await stored(
        settings,
        "select * from rooftree.account_permissions_history where account_id = '222222222222' order by valid_from",
    )

    assert ["r-ab12", "ou-ab12-aaaaaaaa", "222222222222"] == row["path"]
    assert (1, True, "attach") == (row["revision"], row["complete"], row["cause_event_id"])
    assert [history[1]["valid_from"], None] == [each["valid_to"] for each in history]
    assert row["permissions"] == history[1]["permissions"]
    assert row["permissions"] != history[0]["permissions"]


async def test_verdicts_by_action_can_be_asked_in_sql(settings: Settings) -> None:
    """
    A denied region makes ec2 conditional and leaves the rest allowed.
    """
    await publish(settings, snapshot(), ATTACHED)
    async with running(settings):
        await settled(settings, records=2)

    rows = await stored(
        settings,
        """
        select v.service, v.action, v.verdict
        from rooftree.account_permissions as a
        join rooftree.action_verdicts as v using (organization_id, permissions_id)
        where a.account_id = '222222222222'
        """,
    )
    verdicts = {(row["service"], row["action"]): row["verdict"] for row in rows}

    assert "conditional" == verdicts["ec2", "RunInstances"]
    assert "allowed" == verdicts["s3", "GetObject"]


async def test_an_event_that_is_delivered_again_does_nothing(settings: Settings) -> None:
    """
    The second delivery leaves no trace but the offset.
    """
    await publish(settings, snapshot(), ATTACHED)
    async with running(settings):
        await settled(settings, records=2)
        before = await view_of(settings)
        await publish(settings, ATTACHED, snapshot())
        await settled(settings, records=4)

    assert before == await view_of(settings)
    assert 2 == len(await read_topic(settings, settings.audit_topic))


async def test_a_change_of_text_alone_is_silent(settings: Settings) -> None:
    """
    A policy rewritten to the same effect changes no decision, so nobody is told of any.
    """
    rewritten = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "SameButLonger",
                "Effect": "Deny",
                "Action": ["ec2:*", "ec2:RunInstances"],
                "Resource": ["*"],
                "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}},
            }
        ],
    }
    update = event("update", "policy.updated", "2026-01-03T00:00:00Z", policy_id="p-denyregions", content=rewritten)
    await publish(settings, snapshot(), ATTACHED, update)
    async with running(settings):
        await settled(settings, records=3)

    assert {1} == {row["revision"] for row in await stored(settings, "select revision from rooftree.audit_events")}
    assert 2 == len(await read_topic(settings, settings.audit_topic))


async def test_disorder_and_repetition_end_in_the_same_state(settings: Settings) -> None:
    """
    Two organizations live through the same history, one in order, one in any; in the end they are equal.
    """
    random = Random(7)
    history = generate_history(random, changes=60, principals=6)
    other = "o-shuffledorg"
    shuffled = [
        replace(each, data=json.loads(json.dumps(each.data).replace(history.organization_id, other)))
        for each in deliver(random, history.events)
    ]
    await publish(settings, *history.records, key=history.organization_id)
    await publish(settings, *(each.to_bytes() for each in shuffled), key=other)
    async with running(settings):
        await settled(settings, records=len(history.events) + len(shuffled), seconds=60)

    columns = "account_id, name, email, status, parent_id, path, placed"
    rows = {
        organization: await stored(
            settings, f"select {columns} from rooftree.account where organization_id = $1 order by 1", organization
        )
        for organization in (history.organization_id, other)
    }

    assert rows[history.organization_id]
    assert rows[history.organization_id] == rows[other]


async def test_revisions_leave_in_order_and_without_a_gap(settings: Settings) -> None:
    """
    A consumer that sees every partition sees every revision, each with all of its parts, and by account in order.
    """
    history = generate_history(Random(11), changes=80)
    await publish(settings, *history.records)
    async with running(settings):
        await settled(settings, records=len(history.events), seconds=60)

    events = [json.loads(record.value) for record in await read_topic(settings, settings.audit_topic)]
    parts = sorted((int(each["sequence"]), each["part"]) for each in events)
    [head] = await stored(settings, "select revision from rooftree.organization")
    expected = [
        (revision, part)
        for revision in range(1, head["revision"] + 1)
        for part in range(1, max(each["parts"] for each in events if int(each["sequence"]) == revision) + 1)
    ]

    assert expected == parts
    for account in {each["subject"] for each in events}:
        revisions = [int(each["sequence"]) for each in events if each["subject"] == account]
        assert sorted(revisions) == revisions


async def test_the_permissions_topic_ends_with_the_state_of_each_account(settings: Settings) -> None:
    """
    Its last record by key is the row of the view, and a tombstone for an account that has left.
    """
    removal = event("removal", "account.removed", "2026-01-04T00:00:00Z", account_id="333333333333")
    await publish(settings, snapshot(), ATTACHED, removal)
    async with running(settings):
        await settled(settings, records=3)

    last = {record.key: record.value for record in await read_topic(settings, settings.permissions_topic)}
    [row] = await stored(settings, "select * from rooftree.account where account_id = '222222222222'")
    told = json.loads(last[b"222222222222"])["data"]

    assert last[b"333333333333"] is None
    assert (row["permissions_id"], row["path"], row["revision"]) == (
        told["permissions_id"],
        told["path"],
        told["revision"],
    )
    assert ORGANIZATION == told["organization_id"]
