"""
What a command opens for a moment.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

from rooftree.bootstrap.database import open_pool, open_store
from rooftree.bootstrap.web import make_subscriptions
from rooftree.reading.reader import Reader
from rooftree.settings import Settings
from rooftree.store.access import DatabaseAccess
from rooftree.store.database import Database
from rooftree.store.inspection import DatabaseInspection
from rooftree.store.letters import DatabaseLetters
from rooftree.store.reader import DatabaseReader
from rooftree.store.rebuilding import DatabaseRebuild
from rooftree.stream import KafkaPublisher, ensure_topics
from rooftree.webhooks.administration import Subscriptions

__all__ = [
    "open_access",
    "open_inspection",
    "open_letters",
    "open_publisher",
    "open_reader",
    "open_rebuild",
    "open_subscriptions",
]

_PartT = TypeVar("_PartT")


def _opening(
    make: Callable[[Database], _PartT], name: str
) -> Callable[[Settings], AbstractAsyncContextManager[_PartT]]:
    """
    Return what opens a part of the store, on a database that has the schema.
    """

    @asynccontextmanager
    async def open_part(settings: Settings) -> AsyncIterator[_PartT]:
        async with open_store(settings, name) as database:
            yield make(database)

    return open_part


open_access = _opening(DatabaseAccess, "rooftree-access")
"""Open tokens and the access log."""

open_inspection = _opening(DatabaseInspection, "rooftree-inspection")
"""Open all that is stored for verification."""

open_letters = _opening(DatabaseLetters, "rooftree-reader")
"""Open the dead letters for reading."""

open_rebuild = _opening(DatabaseRebuild, "rooftree-rebuild")
"""Open the view for being computed anew."""


@asynccontextmanager
async def open_reader(settings: Settings) -> AsyncIterator[Reader]:
    """
    Open the stored view for reading.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    async with open_pool(settings, "rooftree-reader") as database:
        yield DatabaseReader(database)


@asynccontextmanager
async def open_subscriptions(settings: Settings) -> AsyncIterator[Subscriptions]:
    """
    Open the subscriptions to webhooks.

    Raises:
        UnavailableError: PostgreSQL does not answer.
        UsageError: The database lacks a migration.
    """
    async with open_store(settings, "rooftree-webhooks") as database:
        yield make_subscriptions(settings, database)


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
