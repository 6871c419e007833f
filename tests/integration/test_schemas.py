"""
What really stands on the topics, held against the schemas that are published of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from aiokafka import ConsumerRecord
from tests.integration.service import ORGANIZATION, event, publish, read_topic, running, settled, snapshot
from tests.schemas import closed_validator

from rooftree.contracts.audit import AUDIT_DATA_MODELS
from rooftree.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

SHOP = "222222222222"
DEPLOY = f"arn:aws:iam::{SHOP}:role/deploy"
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}

# Each line brings out another kind of event.
STORY = (
    snapshot(),
    event(
        "roles",
        "principal.snapshot",
        "2026-01-02T00:00:00Z",
        account_id=SHOP,
        principals=[
            {"kind": "role", "name": "deploy", "trust_policy": TRUST, "inline_policies": {"main": ALLOW}},
            {"kind": "role", "name": "idle", "trust_policy": TRUST},
        ],
    ),
    event(
        "watch",
        "probe.set",
        "2026-01-03T00:00:00Z",
        name="no-vms",
        principal=DEPLOY,
        action="ec2:RunInstances",
        context={"aws:RequestedRegion": "us-east-1"},
        expect="deny",
    ),
    event(
        "attach",
        "policy.attached",
        "2026-01-04T00:00:00Z",
        policy_id="p-denyregions",
        target_id="ou-ab12-aaaaaaaa",
        actor="arn:aws:iam::111111111111:user/alice",
    ),
    event(
        "role",
        "principal.updated",
        "2026-01-05T00:00:00Z",
        account_id=SHOP,
        principal={"kind": "role", "name": "deploy", "inline_policies": {"main": None}},
    ),
    event(
        "other",
        "probe.set",
        "2026-01-06T00:00:00Z",
        name="closed",
        principal=f"arn:aws:iam::{SHOP}:role/idle",
        action="s3:GetObject",
        resource="arn:aws:s3:::shop/report",
        expect="deny",
    ),
    event(
        "idle",
        "principal.updated",
        "2026-01-07T00:00:00Z",
        account_id=SHOP,
        principal={
            "kind": "role",
            "name": "idle",
            "inline_policies": {"read": json.loads(json.dumps(ALLOW).replace("ec2", "s3"))},
        },
    ),
    event("broken", "account.moved", "2026-01-08T00:00:00Z", account_id=SHOP, parent_id="nowhere"),
    snapshot("again", "2026-01-09T00:00:00Z"),
    event("leaves", "account.removed", "2026-01-10T00:00:00Z", account_id="333333333333"),
)


async def test_what_is_sent_is_what_the_schemas_say(settings: Settings) -> None:
    """
    Every type of audit event, account states with a tombstone, and the headers of a dead letter.
    """
    await publish(settings, *STORY)
    async with running(settings):
        await settled(settings, records=len(STORY))

    audit = await read_topic(settings, settings.audit_topic)
    states = await read_topic(settings, settings.permissions_topic)
    [letter] = await read_topic(settings, settings.dead_letter_topic)

    assert AUDIT_DATA_MODELS.keys() == _hold(audit)
    assert {"rooftree.account.permissions.v1"} == _hold(record for record in states if record.value is not None)
    assert "333333333333" in {record.key.decode() for record in states if record.value is None}
    added = {name: value.decode() for name, value in letter.headers if name.startswith("rooftree-")}
    closed_validator("dead-letter-headers").validate(added)
    assert ("refused", ORGANIZATION) == (added["rooftree-disposition"], added["rooftree-organization"])


def _hold(records: Iterable[ConsumerRecord]) -> set[str]:
    """
    Hold each event against the schema of its type, and return the types.
    """
    events = [json.loads(record.value) for record in records]
    for one in events:
        closed_validator(one["type"]).validate(one)
    return {one["type"] for one in events}
