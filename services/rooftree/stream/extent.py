"""
How much of a topic a broker still has.
"""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, TopicPartition

from rooftree.settings import Settings
from rooftree.stream.client import client_options, stop_quietly, translated_errors
from rooftree.stream.identity import topic_identity

__all__ = ["topic_beginnings"]


async def topic_beginnings(settings: Settings, topic: str) -> tuple[str, dict[int, int]]:
    """
    Return the id of the log, and the first offset that each partition of a topic still has.

    Raises:
        UnavailableError: The broker does not answer.
    """
    identity = await topic_identity(settings, topic)
    places = [TopicPartition(topic, number) for number in identity.partitions]
    consumer = AIOKafkaConsumer(**client_options(settings))
    try:
        with translated_errors():
            await consumer.start()
            found = await consumer.beginning_offsets(places) if places else {}
    finally:
        await stop_quietly(consumer.stop)
    return identity.log_id, {place.partition: offset for place, offset in sorted(found.items())}
