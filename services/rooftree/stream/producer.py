"""
The topics that are written.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError

from rooftree.errors import RecordTooLargeError
from rooftree.ports import OutgoingRecord, RecordKind
from rooftree.settings import Settings
from rooftree.stream.client import client_options, stop_quietly, translated_errors
from rooftree.stream.identity import topic_identity

__all__ = ["KafkaPublisher"]

_Addressed: TypeAlias = tuple[str, bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]

_BATCH_BYTES = 256 * 1024


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
        await self._send([(self._topics[record.kind], record.key, record.value, record.headers) for record in records])

    async def publish_changes(self, changes: Sequence[tuple[str, bytes]]) -> None:
        """
        Send change events, each with the id of its organization, in the order given for each organization.

        Raises:
            RecordTooLargeError: A change is too large for the broker.
            UnavailableError: The broker does not answer.
        """
        headers = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
        await self._send([(self._settings.changes_topic, key.encode(), value, headers) for key, value in changes])

    async def _send(self, records: Sequence[_Addressed]) -> None:
        with translated_errors():
            producer = await self._started()
            try:
                # Twice: aiokafka retries within the one, and waits for room in its buffer in the other.
                async with asyncio.timeout(2 * self._settings.kafka_request_timeout):
                    await _send_all(producer, records)
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


async def _send_all(producer: AIOKafkaProducer, records: Sequence[_Addressed]) -> None:
    confirmations: list[asyncio.Future[object]] = []
    try:
        for topic, key, value, headers in records:
            confirmations.append(await producer.send(topic, value=value, key=key, headers=list(headers)))
    finally:
        outcomes = await asyncio.gather(*confirmations, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
