"""
What a cluster says of itself and of the topics, for a diagnosis.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from rooftree.diagnosis import KafkaFacts, PartitionFacts, TopicFacts, TopicRole
from rooftree.settings import Settings
from rooftree.stream.client import admin_client, client_options, stop_quietly, translated_errors
from rooftree.stream.identity import topic_identity, topic_operations

__all__ = ["Extents", "examine_cluster", "measure_changes"]

Extents = Mapping[int, tuple[int, int]]
"""The first and the next offset of each partition."""

# https://kafka.apache.org/protocol: the codes of AclOperation
OPERATIONS: Final = {3: "READ", 4: "WRITE", 5: "CREATE", 7: "ALTER", 8: "DESCRIBE", 10: "DESCRIBE_CONFIGS"}

FUTURE_MS: Final = 60_000
LOOK_MS: Final = 250


async def examine_cluster(settings: Settings) -> KafkaFacts:
    """
    Ask the cluster about itself and the four topics; nothing is changed.

    Raises:
        UnavailableError: It does not answer, or does not let this client ask.
    """
    async with admin_client(settings) as admin:
        roles = {TopicRole(role): name for role, name in settings.topics.items()}
        there = set(await admin.list_topics())
        names = [name for name in roles.values() if name in there]
        cluster = await admin.describe_cluster()
        described = {topic["topic"]: topic for topic in (await admin.describe_topics(names) if names else [])}
        configured = await _configurations(admin, names)
    identities = [await topic_identity(settings, name) for name in names[:1]]
    ahead = await _ahead(settings, {name: _numbers(described[name]) for name in names})
    topics = [
        TopicFacts(
            name=name,
            role=role,
            partitions=[_partition(partition) for partition in described[name]["partitions"]],
            settings=configured.get(name, {}),
            operations=_operations(await topic_operations(settings, name)),
            ahead=name in ahead,
        )
        for role, name in roles.items()
        if name in there
    ]
    return KafkaFacts(
        brokers=len(cluster["brokers"]),
        topics=topics,
        missing={role: name for role, name in roles.items() if name not in there},
        tells_topic_ids=all(identity.topic_id for identity in identities),
    )


async def measure_changes(settings: Settings) -> tuple[str, Extents]:
    """
    Return the id of the log of changes and how far each partition reaches; nothing if there is no such topic.

    Raises:
        UnavailableError: The broker does not answer.
    """
    topic = settings.changes_topic
    identity = await topic_identity(settings, topic)
    places = [TopicPartition(topic, number) for number in identity.partitions]
    consumer = AIOKafkaConsumer(**client_options(settings), enable_auto_commit=False, fetch_max_wait_ms=10)
    try:
        with translated_errors():
            await consumer.start()
            consumer.assign(places)
            firsts = await consumer.beginning_offsets(places) if places else {}
            ends = await consumer.end_offsets(places) if places else {}
            for place in places:
                # What a fetch says is right; asked alone, the embedded broker counts its last batch as one record.
                if ends[place] > firsts[place]:
                    consumer.seek(place, ends[place] - 1)
                    await consumer.getmany(place, timeout_ms=LOOK_MS)
                    ends[place] = max(ends[place], consumer.highwater(place) or 0)
    finally:
        await stop_quietly(consumer.stop)
    return identity.log_id, {place.partition: (firsts[place], ends[place]) for place in places}


async def _configurations(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    wanted = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    try:
        answers = await admin.describe_configs(wanted)
    except (KafkaError, NotImplementedError):
        # A broker that does not tell, or a client that may not ask: nothing is judged then.
        return {}
    return {
        name: {entry[0]: entry[1] for entry in entries if entry[1] is not None}
        for answer in answers
        for code, _, _, name, entries in answer.resources
        if code == 0
    }


def _numbers(topic: Mapping[str, Any]) -> list[int]:
    return [partition["partition"] for partition in topic["partitions"]]


def _partition(told: Mapping[str, Any]) -> PartitionFacts:
    return PartitionFacts(len(told["replicas"]), len(told["isr"]), has_leader=told["leader"] >= 0)


def _operations(bits: int | None) -> frozenset[str] | None:
    if bits is None:
        return None
    return frozenset(name for code, name in OPERATIONS.items() if bits >> code & 1)


async def _ahead(settings: Settings, partitions: Mapping[str, Sequence[int]]) -> set[str]:
    """
    Return the topics that hold records from the future: brokers do not tell their time, records do.
    """
    moment = int(time.time() * 1000) + FUTURE_MS
    asked = {TopicPartition(name, number): moment for name, numbers in partitions.items() for number in numbers}
    consumer = AIOKafkaConsumer(**client_options(settings), enable_auto_commit=False, fetch_max_wait_ms=10)
    try:
        with translated_errors():
            await consumer.start()
            found = await consumer.offsets_for_times(asked) if asked else {}
            places = {place: told.offset for place, told in found.items() if told is not None}
            consumer.assign(list(places))
            for place, offset in places.items():
                consumer.seek(place, offset)
            # Not every broker answers the question as it is meant: the records themselves decide.
            fetched = await consumer.getmany(timeout_ms=LOOK_MS) if places else {}
    finally:
        await stop_quietly(consumer.stop)
    return {place.topic for place, records in fetched.items() if any(one.timestamp > moment for one in records)}
