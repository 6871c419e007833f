"""
A service under test: its workers, what goes in, and what comes out.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from pydantic import SecretStr
from tests.commands import run_command
from tests.databases import as_role, own_database
from tests.outcome import Outcome

from rooftree.bootstrap.database import open_store, run_migrate
from rooftree.bootstrap.publishing import open_publisher
from rooftree.bootstrap.workers import open_projector, open_relay
from rooftree.settings import Settings
from rooftree.store.address import database_address
from rooftree.store.database import connect_database
from rooftree.stream.client import client_options
from rooftree.stream.identity import topic_identity
from rooftree.workers.supervisor import supervise

__all__ = [
    "DENY_REGIONS",
    "ORGANIZATION",
    "command",
    "event",
    "eventually",
    "fresh_database",
    "ids",
    "publish",
    "read_topic",
    "running",
    "settled",
    "snapshot",
    "stored",
    "view_of",
]

ORGANIZATION = "o-exampleorg"
DENY_REGIONS = {
    "Version": "2012-10-17",
    "Statement": {
        "Sid": "DenyRegions",
        "Effect": "Deny",
        "Action": "ec2:*",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}},
    },
}


def event(event_id: str, event_type: str, event_time: str, **data: object) -> bytes:
    """
    Return a change event as it is published.
    """
    organization = {} if "organization" in data else {"organization_id": ORGANIZATION}
    return json.dumps(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": "test",
            "type": f"rooftree.{event_type}.v1",
            "time": event_time,
            "data": {**organization, **data},
        }
    ).encode()


def snapshot(
    event_id: str = "snapshot", event_time: str = "2026-01-01T00:00:00Z", *, organization: str = ORGANIZATION
) -> bytes:
    """
    Return a snapshot of an organization with a unit, two accounts in it, and a policy that hangs nowhere.
    """
    return event(
        event_id,
        "organization.snapshot",
        event_time,
        organization={"id": organization, "management_account_id": "111111111111", "feature_set": "ALL"},
        root={"id": "r-ab12", "policy_types": ["SERVICE_CONTROL_POLICY"]},
        organizational_units=[{"id": "ou-ab12-aaaaaaaa", "name": "Workloads", "parent_id": "r-ab12"}],
        accounts=[
            {
                "id": "111111111111",
                "name": "management",
                "email": "a@example.com",
                "parent_id": "r-ab12",
                "status": "ACTIVE",
            },
            *(
                {
                    "id": account_id,
                    "name": name,
                    "email": "b@example.com",
                    "parent_id": "ou-ab12-aaaaaaaa",
                    "status": "ACTIVE",
                }
                for account_id, name in (("222222222222", "shop-prod"), ("333333333333", "shop-dev"))
            ),
        ],
        policies=[
            {"id": "p-denyregions", "name": "DenyRegions", "type": "SERVICE_CONTROL_POLICY", "content": DENY_REGIONS}
        ],
        attachments=[
            {"policy_id": "p-FullAWSAccess", "target_id": target}
            for target in ("r-ab12", "ou-ab12-aaaaaaaa", "111111111111", "222222222222", "333333333333")
        ],
    )


@asynccontextmanager
async def running(
    settings: Settings, *, projector: bool = True, relay: bool = True, forgetful: bool = False
) -> AsyncIterator[asyncio.Task[None]]:
    """
    Run the workers while the context lasts, as a task; what makes one fail is raised at its end.

    Each may do in PostgreSQL what its role may, and nothing else.
    """
    stop = asyncio.Event()
    projecting, relaying = as_role(settings, "rooftree_projector"), as_role(settings, "rooftree_relay")
    async with (
        open_store(projecting, "rooftree-test") as projected,
        open_store(relaying, "rooftree-test") as relayed,
        open_projector(projecting, projected, forgetful=forgetful) as run_projector,
        open_relay(relaying, relayed) as run_relay,
    ):
        workers = {**({"projector": run_projector} if projector else {}), **({"relay": run_relay} if relay else {})}
        task = asyncio.create_task(supervise(workers, stop=stop, drain_timeout=settings.drain_timeout))
        try:
            yield task
        finally:
            stop.set()
            await task


async def publish(settings: Settings, *values: bytes, key: str = ORGANIZATION) -> None:
    """
    Send records to the changes topic.
    """
    async with open_publisher(settings) as publisher:
        await publisher.publish_changes([(key, value) for value in values])


async def stored(settings: Settings, statement: str, *arguments: object) -> list[dict[str, Any]]:
    """
    Return rows out of the database.
    """
    connection = await connect_database(database_address(settings))
    try:
        return [dict(row) for row in await connection.fetch(statement, *arguments)]
    finally:
        await connection.close()


async def eventually(condition: Callable[[], Awaitable[bool]], *, seconds: float = 60) -> None:
    """
    Wait until *condition* holds, and fail if it does not in time.
    """
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        await asyncio.sleep(0.01)


UNSENT: Final = """
    select count(*) as rows
    from rooftree.outbox_waiting as first
    join rooftree.outbox as o on o.organization_id = first.organization_id and o.position >= first.position
"""
"""How many rows of the outbox do not count as sent."""


async def settled(settings: Settings, *, records: int, relayed: bool = True, seconds: float = 60) -> None:
    """
    Wait until so many records of the changes topic are processed and everything that follows is sent.
    """

    async def is_settled() -> bool:
        [row] = await stored(
            settings,
            """
            select
                (select coalesce(sum(next_offset), 0) from rooftree.consumer_offset where consumer_group = $1) as read,
                (select count(*) from rooftree.outbox_waiting)
                + (select count(*) from rooftree.dead_letter where sent_at is null) as unsent
            """,
            settings.consumer_group,
        )
        return row["read"] >= records and (not relayed or row["unsent"] == 0)

    await eventually(is_settled, seconds=seconds)


async def read_topic(settings: Settings, topic: str) -> list[ConsumerRecord]:
    """
    Return every record of a topic.
    """
    consumer = AIOKafkaConsumer(**client_options(settings), fetch_max_wait_ms=10)
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in (await topic_identity(settings, topic)).partitions]
        consumer.assign(places)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(places)
        records: list[ConsumerRecord] = []
        while True:
            fetched = await consumer.getmany(timeout_ms=100)
            records += [record for some in fetched.values() for record in some]
            # The embedded broker understates ends, so silence has to confirm them.
            if not fetched and len(records) >= sum(ends.values()):
                return records
    finally:
        await consumer.stop()


async def view_of(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """
    Return all that follows from the log, without what depends on when it was processed.
    """
    return {
        "accounts": await stored(settings, "select * from rooftree.account order by organization_id, account_id"),
        "history": await stored(
            settings, "select * from rooftree.account_history order by organization_id, account_id, valid_from"
        ),
        "facts": await stored(
            settings, "select * from rooftree.fact order by organization_id, kind, subject, attribute"
        ),
        "principal_facts": await stored(
            settings,
            "select * from rooftree.principal_fact order by organization_id, account_id, subject, attribute",
        ),
        "principals": await stored(
            settings, "select * from rooftree.principal order by organization_id, account_id, kind, name"
        ),
        "principal_documents": await stored(
            settings, "select * from rooftree.principal_document order by organization_id, digest"
        ),
        "probes": await stored(settings, "select * from rooftree.probe order by organization_id, name"),
        "chains": await stored(settings, "select * from rooftree.chain order by organization_id, chain_id"),
        "permissions": await stored(
            settings,
            "select organization_id, permissions_id, verdict from rooftree.permission_set order by 1, 2",
        ),
        "audit": await stored(
            settings,
            """
            select organization_id, revision, part, parts, event_id, type, account_id, time, verdict, data
            from rooftree.audit_event
            order by organization_id, revision, part
            """,
        ),
        "organizations": await stored(
            settings,
            """
            select organization_id, revision, chain_hash, incomplete_since, incomplete_reason
            from rooftree.organization
            order by organization_id
            """,
        ),
    }


def ids(records: Iterable[ConsumerRecord]) -> list[str]:
    """
    Return the ids of events, in the order of *records*.
    """
    return [json.loads(record.value)["id"] for record in records]


async def command(settings: Settings, *arguments: object) -> Outcome:
    """
    Run ``rooftree`` as an operator would, against the servers of *settings*.
    """
    names = ("kafka_bootstrap", "changes_topic", "audit_topic", "permissions_topic", "dead_letter_topic")
    variables = {name: str(getattr(settings, name)) for name in names}
    variables |= {"postgres_dsn": settings.postgres_dsn.get_secret_value(), "kafka_idempotence": "false"}
    environment = {**os.environ, **{f"ROOFTREE_{name.upper()}": value for name, value in variables.items()}}
    return await run_command([str(argument) for argument in arguments], environment)


@asynccontextmanager
async def fresh_database(settings: Settings) -> AsyncIterator[Settings]:
    """
    Give the settings another database, so that the same log can be read from the start.
    """
    async with own_database(settings.postgres_dsn.get_secret_value()) as dsn:
        chosen = settings.model_copy(update={"postgres_dsn": SecretStr(dsn)})
        await run_migrate(chosen)
        yield chosen
