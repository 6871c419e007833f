"""
The topics, made where they are missing.
"""

from __future__ import annotations

import asyncio

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from rooftree.errors import UnavailableError
from rooftree.settings import Settings
from rooftree.stream.client import admin_client
from rooftree.telemetry.logs import Action, log

__all__ = ["ensure_topics"]

_ALREADY_EXISTS = 36
_USUAL_REPLICATION = 3
_FOREVER = "-1"
_LOOK_SECONDS = 0.05


async def ensure_topics(settings: Settings) -> list[str]:
    """
    Create the topics that do not exist; those that do are left as they are.

    Returns:
        The names of those created.

    Raises:
        UnavailableError: The broker does not answer, or a topic is missing and may not be created.
    """
    async with admin_client(settings) as admin:
        missing = sorted(set(settings.topics.values()) - set(await admin.list_topics()))
        if not missing:
            return []
        if not settings.create_topics:
            raise UnavailableError(f"Kafka has no topic {', '.join(f'`{name}`' for name in missing)}")
        replication = settings.topic_replication or await _usual_replication(admin)
        created = await _create(admin, [_new_topic(settings, name, replication) for name in missing])
        await _until_known(admin, missing, seconds=settings.kafka_request_timeout)
        return created


async def _until_known(admin: AIOKafkaAdminClient, names: list[str], *, seconds: float) -> None:
    # A broker that has taken the order may still say for a moment that there is no such topic.
    try:
        async with asyncio.timeout(seconds):
            while not set(names) <= set(await admin.list_topics()):  # noqa: ASYNC110 - a broker does not call back
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError as error:
        raise UnavailableError("Kafka was told to create topics, but does not say that it has them") from error


async def _usual_replication(admin: AIOKafkaAdminClient) -> int:
    cluster = await admin.describe_cluster()
    return min(_USUAL_REPLICATION, len(cluster["brokers"]) or 1)


def _new_topic(settings: Settings, name: str, replication: int) -> NewTopic:
    options = {"max.message.bytes": str(settings.kafka_max_message_bytes)}
    if name == settings.permissions_topic:
        options["cleanup.policy"] = "compact"
    else:
        # Changes are the source of the view, audit events and dead letters are evidence: an operator who wants
        # less than everything says so to Kafka.
        options |= {"cleanup.policy": "delete", "retention.ms": _FOREVER, "retention.bytes": _FOREVER}
    return NewTopic(name, settings.topic_partitions, replication, topic_configs=options)


async def _create(admin: AIOKafkaAdminClient, topics: list[NewTopic]) -> list[str]:
    answer = await admin.create_topics(topics)
    created = []
    for name, code, message in answer.topic_errors:
        if code == 0:
            created.append(name)
            log().info(Action.TOPIC_CREATED, topic=name)
        elif code != _ALREADY_EXISTS:  # another process may have been faster
            raise UnavailableError(f"Kafka has no topic `{name}` and does not let it be created: {message or code}")
    return created
