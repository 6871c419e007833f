"""
A service with two organizations in it, of which somebody may see one alone.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.brokers import Broker, own_names
from tests.databases import own_database
from tests.integration.service import ORGANIZATION, event, publish, running, settled, snapshot

from rooftree.settings import Assignment, Settings
from rooftree.stream import ensure_topics

__all__ = ["FOREIGN", "FOREIGN_MARKS", "OWN", "tenants"]

OWN = ORGANIZATION
FOREIGN = "o-foreignorg"

RENAMED = {
    OWN: FOREIGN,
    "111111111111": "911111111119",
    "222222222222": "922222222229",
    "333333333333": "933333333339",
    "ou-ab12-aaaaaaaa": "ou-zz99-zzzzzzzz",
    "r-ab12": "r-zz99",
    "p-denyregions": "p-xyzzypolicy",
    "DenyRegions": "XyzzyRegions",
    "shop-": "xyzzy-",
    "Workloads": "XyzzyUnits",
    "example.com": "xyzzy.example",
    "eu-west-1": "ap-xyzzy-1",
    "no-abroad": "no-xyzzy",
    "deploy": "xyzzykeeper",
}
"""Everything by which the second organization could be known, in place of what the first one has."""

FOREIGN_MARKS = (*RENAMED.values(), "xyzzy")

SHOP = "222222222222"
ROLE = f"arn:aws:iam::{SHOP}:role/deploy"

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
GRANT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}


def _changes() -> list[bytes]:
    return [
        snapshot(),
        event(
            "principal",
            "principal.updated",
            "2026-01-01T01:00:00Z",
            account_id=SHOP,
            principal={
                "kind": "role",
                "name": "deploy",
                "arn": ROLE,
                "trust_policy": TRUST,
                "inline_policies": {"main": GRANT},
            },
        ),
        event(
            "probe",
            "probe.set",
            "2026-01-01T02:00:00Z",
            name="no-abroad",
            principal=ROLE,
            action="ec2:RunInstances",
            expect="deny",
        ),
        event(
            "attach",
            "policy.attached",
            "2026-01-02T00:00:00Z",
            policy_id="p-denyregions",
            target_id="ou-ab12-aaaaaaaa",
        ),
        event("broken", "account.moved", "2026-01-03T00:00:00Z", account_id=SHOP, parent_id="Workloads"),
    ]


def _foreign(change: bytes) -> bytes:
    text = change.decode()
    for own, foreign in RENAMED.items():
        text = text.replace(own, foreign)
    return json.dumps({**json.loads(text), "source": "xyzzy"}).encode()


@asynccontextmanager
async def tenants(server: str, template: str, broker: Broker) -> AsyncIterator[Settings]:
    """
    Give a database of its own with both organizations, each with accounts, principals, a probe, audit events and a
    dead letter.
    """
    async with own_database(server, template=template) as dsn:
        chosen = Settings(
            postgres_dsn=dsn,
            kafka_bootstrap=broker.bootstrap,
            kafka_idempotence=broker.idempotence,
            partition_assignment=Assignment.ALL,
            **own_names(),
            topic_partitions=1,
            batch_max_wait=0.02,
            relay_poll_interval=0.05,
            drain_timeout=5,
            admin_token="the-token-of-the-admin",
            http_rate_limit=0,
            http_sign_in_limit=0,
        )
        await ensure_topics(chosen)
        own = _changes()
        await publish(chosen, *own)
        await publish(chosen, *(_foreign(change) for change in own), key=FOREIGN)
        async with running(chosen):
            await settled(chosen, records=2 * len(own))
        yield chosen
