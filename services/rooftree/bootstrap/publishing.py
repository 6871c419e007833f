"""
The topics, for who has something to tell.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rooftree.settings import Settings
from rooftree.stream import KafkaPublisher, ensure_topics

__all__ = ["open_publisher"]


@asynccontextmanager
async def open_publisher(settings: Settings) -> AsyncIterator[KafkaPublisher]:
    """
    Open the topics for writing; missing ones are made.

    Raises:
        UnavailableError: Kafka does not answer.
    """
    await ensure_topics(settings)
    async with KafkaPublisher.open(settings) as publisher:
        yield publisher
