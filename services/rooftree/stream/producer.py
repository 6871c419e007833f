"""
The topics that are written.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import TypeAlias

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from rooftree.errors import RecordTooLargeError
from rooftree.ports.publishing import OutgoingRecord, RecordKind
from rooftree.settings import Settings
from rooftree.stream.client import client_options, stop_quietly, translated_errors
from rooftree.stream.identity import topic_identity
from rooftree.telemetry.spans import TRACEPARENT, current_traceparent, is_traced, sending

__all__ = ["KafkaPublisher"]

_Addressed: TypeAlias = tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]

_BATCH_BYTES = 256 * 1024

_PARTITIONER = DefaultPartitioner()


class KafkaPublisher:
    """
    The port `Publisher` on Kafka.

    A producer that failed is not trusted again: an idempotent one may never recover from a lost broker. The next call
    makes another, and what was not confirmed is sent again by the caller, with the same ids.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topics = {
            RecordKind.CHANGE: settings.changes_topic,
            RecordKind.AUDIT: settings.audit_topic,
            RecordKind.PERMISSIONS: settings.permissions_topic,
            RecordKind.DEAD_LETTER: settings.dead_letter_topic,
        }
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncIterator[KafkaPublisher]:
        """
        Make a publisher for the time of the context; it connects when there is something to send.
        """
        publisher = cls(settings)
        try:
            yield publisher
        finally:
            await publisher.close()

    async def log_id(self) -> str:
        """
        Return which log the topic of account states is at this moment.

        Raises:
            UnavailableError: The broker does not answer.
        """
        return (await topic_identity(self._settings, self._settings.permissions_topic)).log_id

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        """
        Send records; on return the broker has all of them, in the order given for each key.
        """
        await self._send(
            [(self._topics[record.kind], record.key, record.value, list(record.headers)) for record in records]
        )

    async def publish_changes(self, changes: Sequence[tuple[str, bytes]]) -> None:
        """
        Send change events, each with the id of its organization, in the order given for each organization.

        Raises:
            RecordTooLargeError: A change is too large for the broker.
            UnavailableError: The broker does not answer.
        """
        headers = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
        if (traceparent := current_traceparent()) is not None:
            headers.append((TRACEPARENT, traceparent.encode()))
        await self._send([(self._settings.changes_topic, key.encode(), value, headers) for key, value in changes])

    async def _send(self, records: Sequence[_Addressed]) -> None:
        with (
            sending([(topic, headers) for topic, _, _, headers in records] if is_traced() else ()),
            translated_errors(),
        ):
            producer = await self._started()
            try:
                # Twice: aiokafka retries within the one, and waits for room in its buffer in the other.
                async with asyncio.timeout(2 * self._settings.kafka_request_timeout):
                    await _send_all(producer, records, largest=self._settings.kafka_max_message_bytes)
            except (MessageSizeTooLargeError, RecordListTooLargeError) as error:
                await self.close()
                raise RecordTooLargeError(f"Kafka does not take a record of this size: {error}") from error
            except BaseException:
                await self.close()
                raise

    async def close(self) -> None:
        """
        Drop the connections.
        """
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_quietly(producer.stop)

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **client_options(self._settings),
                    acks="all",
                    enable_idempotence=self._settings.kafka_idempotence,
                    max_request_size=self._settings.kafka_max_message_bytes,
                    max_batch_size=_BATCH_BYTES,
                )
                try:
                    await producer.start()
                except BaseException:
                    await stop_quietly(producer.stop)
                    raise
                self._producer = producer
            return self._producer


async def _send_all(producer: AIOKafkaProducer, records: Sequence[_Addressed], *, largest: int) -> None:
    """
    Send records in batches that are made here, by partition: to hand over one record after the other takes longer than
    all the rest.
    """
    by_partition: defaultdict[tuple[str, int], list[_Addressed]] = defaultdict(list)
    partitions: dict[str, list[int]] = {}
    for record in records:
        topic, key, value, headers = record
        _check_size(key, value, headers, largest)
        if topic not in partitions:
            partitions[topic] = sorted(await producer.partitions_for(topic))
        by_partition[topic, _partition(key, len(partitions[topic]))].append(record)
    sending = (
        _send_in_order(producer, topic, partitions[topic][index], some) for (topic, index), some in by_partition.items()
    )
    outcomes = await asyncio.gather(*sending, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _send_in_order(producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[_Addressed]) -> None:
    confirmations: list[asyncio.Future[object]] = []
    try:
        batch = producer.create_batch()
        for _, key, value, headers in records:
            if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
                confirmations.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=headers)
        confirmations.append(await producer.send_batch(batch, topic, partition=partition))
    finally:
        outcomes = await asyncio.gather(*confirmations, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


def _check_size(key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]], largest: int) -> None:
    size = DefaultRecordBatchBuilder.estimate_size_in_bytes(key, value, headers)
    if size > largest:
        raise MessageSizeTooLargeError(f"it is {size} bytes long, and {largest} are let through")


@lru_cache(maxsize=65_536)
def _partition(key: bytes | None, count: int) -> int:
    """
    Return which partition records of a key go to, as all clients of Kafka agree; those without one stay together.
    """
    numbers = list(range(count))
    found: int = _PARTITIONER(key, numbers, numbers)
    return found
