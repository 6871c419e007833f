"""
The world around what is measured: it sends changes and waits for what comes of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from rooftree.errors import UnavailableError
from rooftree.settings import Settings
from rooftree.stream.client import client_options
from rooftree.stream.identity import topic_identity

__all__ = ["Exchange", "open_exchange"]

PATIENCE = 900.0
"""Seconds for which anything is waited for."""


class Exchange:
    """
    A producer, and a consumer of one topic.
    """

    def __init__(self, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer) -> None:
        self._producer = producer
        self._consumer = consumer

    async def send(self, topic: str, records: Sequence[tuple[str, bytes]]) -> None:
        """
        Send records; on return the broker has them.
        """
        sent = [await self._producer.send(topic, value, key=key.encode()) for key, value in records]
        await asyncio.gather(*sent)

    async def ask(self, topic: str, key: str, value: bytes, *, answers: int) -> float:
        """
        Send a record, and return the seconds until so many have arrived.
        """
        started = time.perf_counter()
        await self._producer.send(topic, value, key=key.encode())
        await self.receive(answers)
        return time.perf_counter() - started

    async def receive(self, count: int) -> None:
        """
        Wait for records.

        Raises:
            UnavailableError: They do not come, or more than them.
        """
        received, deadline = 0, time.perf_counter() + PATIENCE
        while received < count:
            if time.perf_counter() > deadline:
                raise UnavailableError(f"{received} of {count} records have arrived within {PATIENCE:g} s")
            fetched = await self._consumer.getmany(timeout_ms=1000)
            received += sum(map(len, fetched.values()))
        if received > count:
            raise UnavailableError(f"{received} records have arrived where {count} were expected")


@asynccontextmanager
async def open_exchange(settings: Settings, topic: str) -> AsyncIterator[Exchange]:
    """
    Open connections, and read a topic from its end on.
    """
    options = client_options(settings)
    producer = AIOKafkaProducer(**options, acks="all", max_request_size=settings.kafka_max_message_bytes)
    consumer = AIOKafkaConsumer(
        **options,
        fetch_max_wait_ms=settings.kafka_fetch_max_wait_ms,
        max_partition_fetch_bytes=settings.kafka_max_message_bytes,
        auto_offset_reset="earliest",
    )
    await producer.start()
    try:
        await consumer.start()
        try:
            numbers = (await topic_identity(settings, topic)).partitions
            places = [TopicPartition(topic, number) for number in numbers]
            consumer.assign(places)
            await consumer.seek_to_end(*places)
            for place in places:
                await consumer.position(place)
            yield Exchange(producer, consumer)
        finally:
            await consumer.stop()
    finally:
        await producer.stop()
