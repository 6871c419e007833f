"""
A look at an installation from where this command runs: its settings, its servers, and the work in hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from ipaddress import ip_address

from rooftree.diagnosis import Finding, ProgressFacts, judge_kafka, judge_postgres, judge_progress
from rooftree.errors import RooftreeError, UsageError
from rooftree.settings import SecurityProtocol, Settings
from rooftree.store.address import database_address
from rooftree.store.examination import DatabaseExamination
from rooftree.stream.examination import Extents, examine_cluster, measure_changes

__all__ = ["examine"]


async def examine(settings: Settings) -> list[Finding]:
    """
    Return what there is to say about an installation; a server that does not answer is one of the findings.
    """
    found = [*_configuration(settings)]
    log = None
    try:
        async with asyncio.timeout(4 * settings.kafka_request_timeout):
            cluster = await examine_cluster(settings)
            found += judge_kafka(
                cluster, create_topics=settings.create_topics, message_bytes=settings.kafka_max_message_bytes
            )
            log = await measure_changes(settings)
    except (RooftreeError, TimeoutError) as error:
        found.append(_away("kafka.connection", error, "ROOFTREE_KAFKA_BOOTSTRAP and ROOFTREE_KAFKA_S*"))
    try:
        async with asyncio.timeout(settings.postgres_command_timeout):
            found += await _database(settings, log)
    except (RooftreeError, TimeoutError) as error:
        found.append(_away("postgres.connection", error, "ROOFTREE_POSTGRES_DSN and ROOFTREE_POSTGRES_S*"))
    return found


async def _database(settings: Settings, log: tuple[str, Extents] | None) -> list[Finding]:
    address = database_address(settings)
    async with DatabaseExamination.open(address, connect_timeout=settings.postgres_connect_timeout) as examination:
        facts = await examination.facts()
        found = list(judge_postgres(facts))
        if facts.missing_steps or facts.unreadable or not (facts.sees_all or facts.roles):
            return found
        log_id, ends = log or ("", None)
        work = await examination.work(
            consumer_group=settings.consumer_group, log_id=log_id, topic=settings.changes_topic
        )
    progress = ProgressFacts(
        ends=ends,
        read=work.read,
        losses=work.losses,
        letters=work.letters,
        incomplete=work.incomplete,
        unsent=work.unsent,
        roles=work.roles,
    )
    return [*found, *judge_progress(progress)]


def _configuration(settings: Settings) -> Iterator[Finding]:
    faults = [*_exposed(settings)]
    yield from faults
    if not faults:
        yield Finding.ok("configuration", "every setting is valid")


def _exposed(settings: Settings) -> Iterator[Finding]:
    protocol = settings.kafka_security_protocol
    servers = [server.strip().rpartition(":")[0] for server in settings.kafka_bootstrap.split(",")]
    if not all(map(_is_here, servers)) and protocol in {SecurityProtocol.PLAINTEXT, SecurityProtocol.SASL_PLAINTEXT}:
        yield Finding.warning(
            "configuration.kafka",
            f"what goes to Kafka on other machines is not encrypted ({protocol})",
            "set ROOFTREE_KAFKA_SECURITY_PROTOCOL to SSL or SASL_SSL",
        )


def _is_here(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _away(check: str, error: Exception, variables: str) -> Finding:
    reason = str(error) or "did not answer in time"
    if isinstance(error, UsageError):
        return Finding.problem(check, reason, f"see {variables}")
    return Finding.problem(check, reason, f"is the server up, and are {variables} right?")
