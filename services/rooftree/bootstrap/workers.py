"""
The workers, on the servers that the settings name.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from rooftree.bootstrap.database import open_nudges
from rooftree.errors import UsageError
from rooftree.settings import Settings
from rooftree.store.address import database_address
from rooftree.store.database import Database
from rooftree.store.outbox import PostgresOutbox
from rooftree.store.projection import PostgresProjection
from rooftree.store.reconciling import PostgresReconciliation
from rooftree.store.webhooks import DatabaseWebhooks
from rooftree.stream import KafkaChangeLog, KafkaPublisher
from rooftree.webhooks.sending import Sender
from rooftree.workers.projector import Projector
from rooftree.workers.reconciler import Reconciler
from rooftree.workers.relay import Relay
from rooftree.workers.supervisor import Worker
from rooftree.workers.webhooks import WebhookSender

if TYPE_CHECKING:
    from rooftree.aws.organization import AwsOrganization

__all__ = ["make_sender", "open_aws", "open_projector", "open_reconciler", "open_relay", "open_webhook_sender"]


@asynccontextmanager
async def open_projector(settings: Settings, database: Database, *, forgetful: bool = False) -> AsyncIterator[Worker]:
    """
    Make a projector that reads where the database says.

    Args:
        settings: Which topic, where, and how it is read.
        database: Where the view is.
        forgetful: Whether the broker is known to begin with nothing at each start.

    Raises:
        UnavailableError: Kafka does not answer.
    """
    store = PostgresProjection(
        database, consumer_group=settings.consumer_group, permissions_topic=settings.permissions_topic
    )
    async with KafkaChangeLog.open(settings, store, forgetful=forgetful) as change_log:
        yield Projector(
            change_log,
            store,
            cache_size=settings.view_cache_size,
            max_rows=settings.batch_max_rows,
            clock_skew=settings.clock_skew,
            stall_timeout=settings.stall_timeout,
            retry_max_delay=settings.retry_max_delay,
        ).run


@asynccontextmanager
async def open_relay(settings: Settings, database: Database) -> AsyncIterator[Worker]:
    """
    Make a relay from the database to the topics.
    """
    async with KafkaPublisher.open(settings) as publisher, open_nudges(settings) as nudges:
        yield Relay(
            PostgresOutbox(database),
            publisher,
            nudges,
            permissions_topic=settings.permissions_topic,
            poll_interval=settings.relay_poll_interval,
            batch_size=settings.relay_batch_size,
            retention=settings.outbox_retention,
            retry_max_delay=settings.retry_max_delay,
        ).run


@asynccontextmanager
async def open_reconciler(settings: Settings, database: Database) -> AsyncIterator[Worker]:
    """
    Make a reconciler between AWS and the topic of changes.

    Raises:
        UsageError: boto3 is not installed, or the AWS configuration of this machine is wrong.
    """
    address = database_address(settings)
    async with KafkaPublisher.open(settings) as publisher:
        yield Reconciler(
            open_aws(settings),
            PostgresReconciliation(database, address, connect_timeout=settings.postgres_connect_timeout),
            publisher,
            interval=settings.reconcile_interval,
            grace=settings.reconcile_grace,
            patience=settings.reconcile_patience,
            reread_interval=settings.reread_interval,
        ).run


@asynccontextmanager
async def open_webhook_sender(settings: Settings, database: Database) -> AsyncIterator[Worker]:
    """
    Make a sender of webhooks.
    """
    yield WebhookSender(
        DatabaseWebhooks(database),
        make_sender(settings),
        timeout=settings.webhook_timeout,
        poll_interval=settings.webhook_poll_interval,
        retry_max_delay=settings.retry_max_delay,
    ).run


def make_sender(settings: Settings) -> Sender:
    """
    Make what sends one webhook, within what the settings let it reach.
    """
    return Sender(timeout=settings.webhook_timeout, allow_private=settings.webhook_allow_private)


def open_aws(settings: Settings) -> AwsOrganization:
    """
    Return AWS, as the settings say how to reach it; nothing is asked yet.

    Raises:
        UsageError: boto3 is not installed, or the AWS configuration of this machine is wrong.
    """
    try:
        # An optional extra stands behind it.
        from rooftree.aws.organization import AwsOrganization  # noqa: PLC0415
    except ImportError as error:
        raise UsageError("boto3 is not installed; `pip install 'rooftree[aws]'` brings it") from error
    return AwsOrganization.open(settings)
