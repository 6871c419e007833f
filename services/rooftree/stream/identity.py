"""
Which log a topic is: a cluster that was made anew has another id, and so has a topic that was deleted and made again.

aiokafka speaks an older version of the request that tells; the newer one is described here in its terms.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from io import BytesIO

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from rooftree.settings import Settings
from rooftree.stream.client import client_options, stop_quietly, translated_errors

__all__ = ["TopicIdentity", "topic_identity", "topic_operations"]

_METADATA = 3
_UUID_BYTES = 16
_UNKNOWN_TOPIC = 3

# What a broker says of operations if it was not asked.
_UNTOLD = -(2**31)


@dataclass(frozen=True, slots=True)
class TopicIdentity:
    """
    What tells one log from another of the same name.

    Attributes:
        cluster_id: The id of the cluster.
        topic_id: The id of the topic; empty if the broker does not tell (Kafka before 3.1) or there is no such topic.
        partitions: The numbers of its partitions; empty if there is no such topic.
    """

    cluster_id: str
    topic_id: str
    partitions: tuple[int, ...]

    @property
    def log_id(self) -> str:
        """
        Both ids in one.
        """
        return f"{self.cluster_id}/{self.topic_id}" if self.topic_id else self.cluster_id


async def topic_identity(settings: Settings, topic: str) -> TopicIdentity:
    """
    Ask the broker which log *topic* is at this moment.

    Raises:
        UnavailableError: The broker does not answer.
    """
    client = AIOKafkaClient(**client_options(settings))
    try:
        with translated_errors():
            await client.bootstrap()
            return await _asked(client, topic)
    finally:
        await stop_quietly(client.close)


async def topic_operations(settings: Settings, topic: str) -> int | None:
    """
    Return what this client may do with *topic*, as bits by the codes of Kafka's ACL operations; None if it is not told.

    Raises:
        UnavailableError: The broker does not answer.
    """
    client = AIOKafkaClient(**client_options(settings))
    try:
        with translated_errors():
            await client.bootstrap()
            try:
                answer = await client.send(client.get_random_node(), _TopicMetadataRequest(topic, operations=True))
            except NotImplementedError:
                return None
    finally:
        await stop_quietly(client.close)
    [(*_, operations, _)] = answer.topics
    return None if operations == _UNTOLD else int(operations)


async def _asked(client: AIOKafkaClient, topic: str) -> TopicIdentity:
    node = client.get_random_node()
    try:
        answer = await client.send(node, _TopicMetadataRequest(topic))
    except NotImplementedError:
        return _older(await client.send(node, MetadataRequest([topic], allow_auto_topic_creation=False)))
    [(code, _, topic_id, _, partitions, *_)] = answer.topics
    return TopicIdentity(str(answer.cluster_id or "unnamed"), topic_id, _numbers(code, partitions))


def _older(answer: Response) -> TopicIdentity:
    [(code, _, *_, partitions)] = answer.topics
    return TopicIdentity(str(getattr(answer, "cluster_id", None) or "unnamed"), "", _numbers(code, partitions))


def _numbers(code: int, partitions: list[tuple[int, ...]]) -> tuple[int, ...]:
    if code == _UNKNOWN_TOPIC:
        return ()
    if code:
        raise for_code(code)
    return tuple(sorted(partition[1] for partition in partitions))


class _Uuid(AbstractType[str]):  # type: ignore[misc]  # aiokafka has no types
    @classmethod
    def encode(cls, value: str) -> bytes:
        return uuid.UUID(value or "0" * 32).bytes

    @classmethod
    def decode(cls, data: BytesIO) -> str:
        told = data.read(_UUID_BYTES)
        return uuid.UUID(bytes=told).hex if any(told) else ""


class _TopicMetadataResponse(Response):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = _METADATA
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _TopicMetadataStruct(RequestStruct):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = _METADATA
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _TopicMetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _TopicMetadataRequest(Request[_TopicMetadataStruct]):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = _METADATA

    def __init__(self, topic: str, *, operations: bool = False) -> None:
        self._topic, self._operations = topic, operations

    def build(self, request_struct_class: type[_TopicMetadataStruct]) -> _TopicMetadataStruct:
        return request_struct_class([("", self._topic, {})], False, self._operations, {})
