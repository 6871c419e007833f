"""
Subscriptions to webhooks, for the API and for commands.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from rooftree.bootstrap.database import open_store
from rooftree.bootstrap.workers import make_sender
from rooftree.settings import Settings
from rooftree.store.database import Database
from rooftree.store.webhooks import DatabaseWebhooks
from rooftree.webhooks.administration import Subscriptions
from rooftree.workers.webhooks import attempt

__all__ = ["make_subscriptions", "open_subscriptions"]


def make_subscriptions(settings: Settings, database: Database) -> Subscriptions:
    """
    Make what administers the subscriptions to webhooks.
    """
    return Subscriptions(
        DatabaseWebhooks(database),
        partial(attempt, make_sender(settings)),
        allow_private=settings.webhook_allow_private,
    )


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
