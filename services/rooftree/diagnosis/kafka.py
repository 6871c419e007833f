"""
The broker and its topics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from rooftree.diagnosis.finding import Finding

__all__ = ["KafkaFacts", "PartitionFacts", "TopicFacts", "TopicRole", "judge_kafka"]

FOREVER: Final = "-1"

SAFE_REPLICAS: Final = 3


class TopicRole(StrEnum):
    """
    What a topic is for.
    """

    CHANGES = "changes"
    AUDIT = "audit"
    PERMISSIONS = "permissions"
    DEAD_LETTER = "dead_letter"


@dataclass(frozen=True, slots=True)
class PartitionFacts:
    """
    One partition.

    Attributes:
        replicas: On how many brokers it should be.
        in_sync: On how many it is up to date.
        has_leader: Whether anybody can read or write it.
    """

    replicas: int
    in_sync: int
    has_leader: bool


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """
    One topic.

    Attributes:
        settings: Its configuration by Kafka's names; empty where the broker does not tell.
        operations: What this client may do with it, by Kafka's names of operations; None where the broker does not tell.
        ahead: Whether it holds records from the future by this machine's clock.
    """

    name: str
    role: TopicRole
    partitions: Sequence[PartitionFacts]
    settings: Mapping[str, str] = field(default_factory=dict)
    operations: frozenset[str] | None = None
    ahead: bool = False


@dataclass(frozen=True, slots=True)
class KafkaFacts:
    """
    What a cluster says of itself.

    Attributes:
        missing: Topics that are needed and not there, by role.
        tells_topic_ids: Whether a topic that was made anew can be told from the one before.
    """

    brokers: int
    topics: Sequence[TopicFacts]
    missing: Mapping[TopicRole, str]
    tells_topic_ids: bool


def judge_kafka(facts: KafkaFacts, *, create_topics: bool, message_bytes: int) -> Iterator[Finding]:
    """
    Yield what there is to say about a cluster.

    Args:
        facts: What it says.
        create_topics: Whether the service makes missing topics.
        message_bytes: The largest record that the service sends.
    """
    yield Finding.ok("kafka.cluster", f"{facts.brokers} broker{'s' if facts.brokers != 1 else ''}")
    if not facts.tells_topic_ids:
        yield Finding.warning(
            "kafka.topic_ids",
            "the broker does not tell the ids of topics",
            "a topic that was deleted and made again is known only by its offsets; Apache Kafka 3.1 or newer tells them",
        )
    for role, name in facts.missing.items():
        yield _missing(role, name, create_topics=create_topics)
    for topic in facts.topics:
        faults = [
            *_partitions(topic, facts.brokers),
            *_settings(topic, message_bytes=message_bytes),
            *_rights(topic),
            *_clock(topic),
        ]
        yield from faults
        if not faults:
            count = len(topic.partitions)
            yield Finding.ok(f"kafka.topic.{topic.role}", f"`{topic.name}`: {count} partitions, set as they should be")


def _missing(role: TopicRole, name: str, *, create_topics: bool) -> Finding:
    check = f"kafka.topic.{role}"
    if create_topics:
        return Finding.warning(check, f"`{name}` is not there", "the next role that starts makes it")
    return Finding.problem(
        check, f"`{name}` is not there", "make it as docs/reference/topics.md says, or set ROOFTREE_CREATE_TOPICS=true"
    )


def _partitions(topic: TopicFacts, brokers: int) -> Iterator[Finding]:
    check = f"kafka.topic.{topic.role}.replicas"
    leaderless = sum(not partition.has_leader for partition in topic.partitions)
    behind = sum(partition.in_sync < partition.replicas for partition in topic.partitions)
    fewest = min((partition.replicas for partition in topic.partitions), default=0)
    needed = int(topic.settings.get("min.insync.replicas", "1"))
    if leaderless:
        yield Finding.problem(
            check, f"`{topic.name}`: {leaderless} partitions have no leader", "bring the brokers back"
        )
    elif any(partition.in_sync < needed for partition in topic.partitions):
        yield Finding.problem(
            check,
            f"`{topic.name}`: fewer replicas are in sync than min.insync.replicas={needed} asks for",
            "nothing can be written until the brokers are back",
        )
    elif behind:
        yield Finding.warning(check, f"`{topic.name}`: {behind} partitions lack a replica", "look after the brokers")
    if fewest < min(SAFE_REPLICAS, brokers):
        yield Finding.warning(
            check,
            f"`{topic.name}` has {fewest} replica{'s' if fewest != 1 else ''} on {brokers} brokers",
            "a broker that is lost takes its records with it: reassign the partitions with three replicas",
        )
    elif fewest > 1 and needed < 2:
        yield Finding.warning(
            f"kafka.topic.{topic.role}.min_insync",
            f"`{topic.name}` has min.insync.replicas={needed} with {fewest} replicas",
            "a record may be confirmed by one broker alone and be lost with it: set min.insync.replicas=2",
        )


def _settings(topic: TopicFacts, *, message_bytes: int) -> Iterator[Finding]:
    if not topic.settings:
        return
    policies = {policy.strip() for policy in topic.settings.get("cleanup.policy", "delete").split(",")}
    check = f"kafka.topic.{topic.role}.cleanup"
    if topic.role is TopicRole.PERMISSIONS:
        if policies != {"compact"}:
            yield Finding.problem(
                check,
                f"`{topic.name}` has cleanup.policy={topic.settings['cleanup.policy']}",
                "states of accounts that do not change would be deleted: set cleanup.policy=compact",
            )
    elif "compact" in policies:
        yield Finding.problem(
            check,
            f"`{topic.name}` has cleanup.policy={topic.settings['cleanup.policy']}",
            "all records of a key but the last would be deleted: set cleanup.policy=delete",
        )
    else:
        yield from _retention(topic)
    largest = int(topic.settings.get("max.message.bytes", message_bytes))
    if largest < message_bytes and topic.role is not TopicRole.CHANGES:
        yield Finding.warning(
            f"kafka.topic.{topic.role}.message_bytes",
            f"`{topic.name}` takes records of {largest} bytes, and up to {message_bytes} may be sent",
            f"set max.message.bytes={message_bytes}, or lower ROOFTREE_KAFKA_MAX_MESSAGE_BYTES",
        )
    if topic.role is TopicRole.CHANGES and topic.settings.get("unclean.leader.election.enable") == "true":
        yield Finding.warning(
            f"kafka.topic.{topic.role}.unclean",
            f"`{topic.name}` lets a broker that is behind become leader",
            "changes would be lost unread: set unclean.leader.election.enable=false",
        )


def _retention(topic: TopicFacts) -> Iterator[Finding]:
    kept = {name: topic.settings.get(name, FOREVER) for name in ("retention.ms", "retention.bytes")}
    limits = ", ".join(f"{name}={value}" for name, value in kept.items() if value != FOREVER)
    if not limits:
        return
    why = {
        TopicRole.CHANGES: "`rooftree rebuild --from-topic` then needs a snapshot to begin with",
        TopicRole.AUDIT: "audit events older than that are in PostgreSQL alone",
        TopicRole.DEAD_LETTER: "letters older than that are in PostgreSQL alone",
    }[topic.role]
    yield Finding.warning(
        f"kafka.topic.{topic.role}.retention",
        f"`{topic.name}` has {limits}",
        f"{why}; set both to -1 to keep everything",
    )


def _rights(topic: TopicFacts) -> Iterator[Finding]:
    if topic.operations is None:
        return
    needed = {"READ", "DESCRIBE"} if topic.role is TopicRole.CHANGES else {"WRITE", "DESCRIBE"}
    lacking = sorted(needed - topic.operations)
    if lacking:
        who = "a projector" if topic.role is TopicRole.CHANGES else "a relay"
        yield Finding.problem(
            f"kafka.topic.{topic.role}.rights",
            f"this client may not {' or '.join(lacking)} `{topic.name}`",
            f"{who} needs it: kafka-acls --add --allow-principal … --topic {topic.name}"
            f" {' '.join(f'--operation {name.capitalize()}' for name in lacking)}",
        )


def _clock(topic: TopicFacts) -> Iterator[Finding]:
    if topic.ahead:
        yield Finding.warning(
            "clock.kafka",
            f"`{topic.name}` holds records that are more than a minute in the future",
            "the clock of this machine, of a producer or of a broker is wrong: compare them with NTP",
        )
