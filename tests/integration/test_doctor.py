"""
The doctor before real servers that are really set wrongly.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from pydantic import SecretStr
from tests.databases import as_role
from tests.integration.service import command, event, fresh_database, publish, running, settled, snapshot, stored
from tests.kafka.broker import ApacheKafka

from rooftree.bootstrap.doctor import examine
from rooftree.diagnosis import Finding, Level
from rooftree.settings import Settings
from rooftree.store.database import connect_database
from rooftree.store.examination import DatabaseExamination
from rooftree.stream.client import admin_client, client_options

pytestmark = pytest.mark.integration

BROKEN = event("broken", "account.moved", "2026-01-02T00:00:00Z", account_id="222222222222", parent_id="nowhere")


@asynccontextmanager
async def connected_as(settings: Settings, *roles: str) -> AsyncIterator[None]:
    """
    Hold a connection to PostgreSQL under the name of each role, as its process does.
    """
    dsn = settings.postgres_dsn.get_secret_value()
    connections = [await connect_database(dsn, application_name=f"rooftree-{role}") for role in roles]
    try:
        yield
    finally:
        for connection in connections:
            await connection.close()


def by_check(findings: list[Finding]) -> dict[str, Finding]:
    """
    Return findings by what was looked at.
    """
    return {finding.check: finding for finding in findings}


def problems(findings: list[Finding]) -> set[str]:
    """
    Return what is wrong.
    """
    return {finding.check for finding in findings if finding.level is Level.PROBLEM}


async def test_nothing_is_wrong_where_all_is_well(settings: Settings) -> None:
    """
    Topics as the service makes them, changes processed, both workers there; everything has been looked at.
    """
    await publish(settings, snapshot())
    async with running(settings), connected_as(settings, "projector", "relay"):
        await settled(settings, records=1)
        findings = await examine(settings)

    # The server that the tests start gives up durability for speed, and the doctor sees it.
    assert problems(findings) <= {"postgres.durability"}, findings
    assert "clock.kafka" not in by_check(findings)
    assert {
        *(f"kafka.topic.{role}" for role in ("changes", "audit", "permissions", "dead_letter")),
        *("postgres.server", "postgres.schema", "postgres.rights", "postgres.transactions", "clock.postgres"),
        *("changes.log", "changes.lag", "changes.loss", "outbox", "dead_letters", "completeness", "workers.projector"),
    } <= {finding.check.removesuffix(".replicas") for finding in findings}
    assert all(finding.advice for finding in findings if finding.level is not Level.OK)


async def test_work_that_went_wrong_is_told(settings: Settings) -> None:
    """
    A dead letter and the organization that it leaves incomplete, and that nobody works; by the command, with its status.
    """
    await publish(settings, snapshot(), BROKEN)
    async with running(settings):
        await settled(settings, records=2)
    outcome = await command(settings, "doctor", "--json")

    found = {finding["check"]: finding for finding in outcome.json}
    assert 1 == outcome.status
    assert ("problem", "1 changes could not be processed: 1 of o-exampleorg") == (
        found["dead_letters"]["level"],
        found["dead_letters"]["found"],
    )
    assert "rooftree dead-letter replay" in found["dead_letters"]["advice"]
    assert "parent_id" in found["completeness"]["found"]
    assert "start `rooftree projector`" == found["workers.projector"]["advice"]
    assert "start `rooftree relay`" == found["workers.relay"]["advice"]


async def test_a_database_without_the_schema_is_told(settings: Settings) -> None:
    """
    With the command that brings it; what stands in the schema is not asked for then.
    """
    async with fresh_database(settings) as other:
        await stored(other, "drop schema rooftree cascade")
        found = by_check(await examine(other))

    assert Level.PROBLEM is found["postgres.schema"].level
    assert "0001_state.sql" in found["postgres.schema"].found
    assert "run `rooftree migrate`" == found["postgres.schema"].advice
    assert "dead_letters" not in found


async def test_a_user_without_rights_is_told(settings: Settings) -> None:
    """
    First none at all, then some that show it no row, then a role that it does not inherit from.
    """
    dsn = settings.postgres_dsn.get_secret_value()
    name = f"reader_{time.time_ns()}"
    await stored(settings, f"create role {name} login noinherit password 'reader'")
    try:
        host = dsn.rpartition("@")[2]
        reader = settings.model_copy(update={"postgres_dsn": SecretStr(f"postgresql://{name}:reader@{host}")})
        nothing = by_check(await examine(reader))["postgres.rights"]
        await stored(settings, f"grant usage on schema rooftree to {name}")
        await stored(settings, f"grant select on all tables in schema rooftree to {name}")
        rowless = by_check(await examine(reader))
        await stored(settings, f"grant rooftree_projector to {name}")
        lacking = by_check(await examine(reader))["postgres.rights"]
    finally:
        await stored(settings, f"drop owned by {name}")
        await stored(settings, f"drop role {name}")

    assert "may not read" in nothing.found
    assert "row-level security shows it no row" in rowless["postgres.rights"].found
    assert "dead_letters" not in rowless
    assert "though rooftree_projector may" in lacking.found
    assert {Level.PROBLEM} == {nothing.level, rowless["postgres.rights"].level, lacking.level}


@pytest.mark.parametrize("worker", ["projector", "relay", "reconciler", "api"])
async def test_a_worker_is_not_told_of_rights_that_it_rightly_lacks(settings: Settings, worker: str) -> None:
    """
    Its login finds nothing wrong with itself, and sees the work that it may see, of every organization.
    """
    seen = {
        "projector": {"changes.lag", "changes.loss", "outbox", "dead_letters", "completeness"},
        "relay": {"outbox", "dead_letters", "completeness"},
        "reconciler": {"changes.lag", "completeness"},
        "api": {"changes.lag", "changes.loss", "outbox", "dead_letters", "completeness"},
    }
    await publish(settings, snapshot(), BROKEN)
    async with running(settings):
        await settled(settings, records=2)
    found = by_check(await examine(as_role(settings, f"rooftree_{worker}")))

    assert Level.OK is found["postgres.rights"].level
    assert f"rooftree_{worker}" in found["postgres.rights"].found
    assert Level.OK is found["postgres.schema"].level
    assert seen[worker] == set.union(*seen.values()) & found.keys()
    assert Level.PROBLEM is found["completeness"].level
    assert {Level.PROBLEM} >= {found[check].level for check in {"dead_letters"} & found.keys()}


async def test_a_partition_that_is_not_read_on_is_told(settings: Settings) -> None:
    """
    With the reason for which projectors have stopped.
    """
    row = (settings.consumer_group, settings.changes_topic)
    await stored(settings, "insert into rooftree.log_loss values ($1, $2, 4, 'a', 'records 3 to 9 are gone')", *row)

    found = by_check(await examine(settings))["changes.loss"]

    assert Level.PROBLEM is found.level
    assert "partition 4: records 3 to 9 are gone" in found.found


async def test_the_oldest_transaction_is_named_with_whom_it_waits_for(settings: Settings) -> None:
    """
    By its process, the name of its client, and the process whose lock it waits for.
    """
    dsn = settings.postgres_dsn.get_secret_value()
    holder = await connect_database(dsn, application_name="a-report")
    waiter = await connect_database(dsn, application_name="rooftree-projector")
    try:
        lock = "lock table rooftree.organization in access exclusive mode"
        async with DatabaseExamination.open(dsn, connect_timeout=10) as examination:
            await waiter.execute("begin")
            await waiter.fetchval("select 1")
            await holder.execute("begin")
            await holder.execute(lock)
            waiting = asyncio.create_task(waiter.execute(lock))
            async with asyncio.timeout(10):
                while (oldest := (await examination.facts()).oldest) is None or oldest.waits_for is None:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        assert ("rooftree-projector", holder.get_server_pid()) == (oldest.application, oldest.waits_for)
    finally:
        await holder.close()
        await waiting
        await waiter.close()


async def test_servers_that_do_not_answer_are_findings(settings: Settings) -> None:
    """
    Both are told of at once, with the variables to look at.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"127.0.0.1:{free.getsockname()[1]}"
    lost = settings.model_copy(
        update={
            "kafka_bootstrap": nowhere,
            "kafka_request_timeout": 1.0,
            "postgres_dsn": SecretStr(f"postgresql://rooftree@{nowhere}/rooftree"),
        }
    )

    found = by_check(await examine(lost))

    assert {"kafka.connection", "postgres.connection"} == problems(list(found.values()))
    assert "ROOFTREE_POSTGRES_DSN" in found["postgres.connection"].advice
    outcome = await command(lost, "doctor")
    assert 1 == outcome.status
    assert "PROBLEM  postgres.connection" in outcome.out
    assert "" == outcome.err


async def test_a_missing_topic_is_told(settings: Settings) -> None:
    """
    As a problem only where nobody makes it.
    """
    changed = {"audit_topic": f"{settings.audit_topic}-other"}
    made = by_check(await examine(settings.model_copy(update=changed)))
    awaited = by_check(await examine(settings.model_copy(update={**changed, "create_topics": False})))

    assert Level.WARNING is made["kafka.topic.audit"].level
    assert Level.PROBLEM is awaited["kafka.topic.audit"].level


async def test_topics_that_are_set_wrongly_are_told(settings: Settings, kafka: ApacheKafka) -> None:
    """
    Audit events that are compacted, states that are not, changes that are kept for a day, records that are too large.
    """
    wrong = {
        settings.audit_topic: {"cleanup.policy": "compact", "max.message.bytes": "100000"},
        settings.permissions_topic: {"cleanup.policy": "delete"},
        settings.changes_topic: {"cleanup.policy": "delete", "retention.ms": "86400000"},
    }
    async with admin_client(settings) as admin:
        await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name, configs=configs) for name, configs in wrong.items()]
        )
        async with asyncio.timeout(20):
            while "kafka.topic.audit.cleanup" not in (found := by_check(await examine(settings))):  # noqa: ASYNC110
                await asyncio.sleep(0.2)

    assert Level.PROBLEM is found["kafka.topic.audit.cleanup"].level
    assert "cleanup.policy=compact" in found["kafka.topic.audit.cleanup"].found
    assert Level.PROBLEM is found["kafka.topic.permissions.cleanup"].level
    assert "retention.ms=86400000" in found["kafka.topic.changes.retention"].found
    assert "records of 100000 bytes" in found["kafka.topic.audit.message_bytes"].found
    assert "kafka.topic_ids" not in found


async def test_a_clock_that_is_ahead_is_told(settings: Settings, kafka: ApacheKafka) -> None:
    """
    By a record of half an hour from now; Kafka itself refuses those of more than an hour.
    """
    producer = AIOKafkaProducer(**client_options(settings))
    await producer.start()
    try:
        await producer.send_and_wait(settings.changes_topic, snapshot(), timestamp_ms=int((time.time() + 1_800) * 1000))
    finally:
        await producer.stop()

    found = by_check(await examine(settings))

    assert Level.WARNING is found["clock.kafka"].level
    assert settings.changes_topic in found["clock.kafka"].found


async def test_a_log_that_was_cut_is_told(settings: Settings) -> None:
    """
    The stored offset is behind its end.
    """
    await publish(settings, snapshot())
    async with running(settings):
        await settled(settings, records=1)
    await stored(settings, "update rooftree.consumer_offset set next_offset = next_offset + 1000")

    found = by_check(await examine(settings))

    assert Level.PROBLEM is found["changes.log"].level
    assert "no longer holds" in found["changes.log"].found
