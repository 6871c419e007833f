"""
Where settings become pools, clients and workers: nothing else makes them.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from prometheus_client import start_http_server
from pydantic import SecretStr

from rooftree.access.caller import Organizations
from rooftree.api.app import create_app
from rooftree.api.backing import Backing
from rooftree.api.callers import ReaderFor
from rooftree.api.feed import AuditFeed
from rooftree.embedded import embedded_broker, embedded_postgres
from rooftree.errors import UsageError
from rooftree.exporting import exporting
from rooftree.inquiry.errands import Errand, Memory
from rooftree.reading import Reader
from rooftree.settings import Assignment, SecurityProtocol, Settings
from rooftree.store.access import DatabaseAccess
from rooftree.store.address import database_address
from rooftree.store.database import Database, connect_database, open_database
from rooftree.store.inspection import DatabaseInspection
from rooftree.store.letters import DatabaseLetters
from rooftree.store.listening import PostgresNudges
from rooftree.store.migrations import apply_migrations, require_schema
from rooftree.store.outbox import PostgresOutbox
from rooftree.store.projection import PostgresProjection
from rooftree.store.reader import DatabaseReader
from rooftree.store.rebuilding import DatabaseRebuild
from rooftree.store.reconciling import PostgresReconciliation
from rooftree.store.rereads import DatabaseRereads
from rooftree.store.restricted import RestrictedDatabase
from rooftree.store.webhooks import DatabaseWebhooks
from rooftree.stream import KafkaChangeLog, KafkaPublisher, ensure_topics
from rooftree.telemetry import METRICS_REGISTRY, configure_logging
from rooftree.webhooks.administration import Subscriptions
from rooftree.webhooks.sending import Sender
from rooftree.workers.projector import Projector
from rooftree.workers.reconciler import Reconciler
from rooftree.workers.relay import Relay
from rooftree.workers.submissions import Submissions
from rooftree.workers.supervisor import Worker, collect_seldom, stop_on_signals, supervise
from rooftree.workers.web import WebServer
from rooftree.workers.webhooks import WebhookSender, attempt
from rooftree.workers.workshop import ProcessWorkshop

if TYPE_CHECKING:
    from rooftree.aws.organization import AwsOrganization

__all__ = [
    "Addresses",
    "open_access",
    "open_aws",
    "open_backing",
    "open_inspection",
    "open_letters",
    "open_projector",
    "open_publisher",
    "open_reader",
    "open_rebuild",
    "open_reconciler",
    "open_relay",
    "open_rereads",
    "open_store",
    "open_web_server",
    "open_webhooks",
    "run_all",
    "run_api",
    "run_errand",
    "run_migrate",
    "run_projector",
    "run_reconciler",
    "run_relay",
    "run_webhooks",
    "webhook_sender",
    "webhook_worker",
]

_EMBEDDED_PARTITIONS = 3


@dataclass(frozen=True, slots=True)
class Addresses:
    """
    Where the parts of a running service are.

    Attributes:
        api: The address of the API and the dashboard.
        login: The same with a code that opens the dashboard once.
        kafka: ``HOST:PORT``.
        postgres: The DSN, password included.
        token: The admin token.
        topics: Their names by role.
    """

    api: str
    login: str
    kafka: str
    postgres: str
    token: str
    topics: dict[str, str]


OnReady: TypeAlias = Callable[[Addresses], Awaitable[None]]


async def run_migrate(settings: Settings) -> list[str]:
    """
    Bring the database to the schema of this version; returns the steps that were applied.

    Raises:
        InputError: A step was edited after it had been applied.
        UnavailableError: PostgreSQL does not answer.
    """
    configure_logging(level=settings.log_level, style=settings.log_format.value)
    connection = await connect_database(
        database_address(settings),
        connect_timeout=settings.postgres_connect_timeout,
        application_name="rooftree-migrate",
    )
    try:
        return await apply_migrations(connection)
    finally:
        await connection.close()


async def run_projector(settings: Settings) -> None:
    """
    Run a projector until a signal.

    Raises:
        UnavailableError: A server does not answer at the start, or reading has stalled for good.
        LogLossError: The broker has lost unread records, and policy is to stop.
    """
    configure_logging(level=settings.log_level, style=settings.log_format.value)
    collect_seldom()
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(exporting(settings, "rooftree-projector"))
        stack.enter_context(stop_on_signals(stop))
        database = await stack.enter_async_context(open_store(settings, "rooftree-projector"))
        stack.enter_context(_metrics(settings))
        await ensure_topics(settings)
        projector = await stack.enter_async_context(open_projector(settings, database))
        await supervise({"projector": projector}, stop=stop, drain_timeout=settings.drain_timeout)


async def run_relay(settings: Settings) -> None:
    """
    Run a relay until a signal.

    Raises:
        UnavailableError: A server does not answer at the start.
    """
    configure_logging(level=settings.log_level, style=settings.log_format.value)
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(exporting(settings, "rooftree-relay"))
        stack.enter_context(stop_on_signals(stop))
        database = await stack.enter_async_context(open_store(settings, "rooftree-relay"))
        stack.enter_context(_metrics(settings))
        await ensure_topics(settings)
        relay = await stack.enter_async_context(open_relay(settings, database))
        await supervise({"relay": relay}, stop=stop, drain_timeout=settings.drain_timeout)


async def run_webhooks(settings: Settings) -> None:
    """
    Send webhooks until a signal.

    Raises:
        UnavailableError: PostgreSQL does not answer at the start.
    """
    configure_logging(level=settings.log_level, style=settings.log_format.value)
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(stop_on_signals(stop))
        database = await stack.enter_async_context(open_store(settings, "rooftree-webhooks"))
        stack.enter_context(_metrics(settings))
        worker = webhook_worker(settings, database)
        await supervise({"webhooks": worker}, stop=stop, drain_timeout=settings.drain_timeout)


def webhook_worker(settings: Settings, database: Database) -> Worker:
    """
    Make a worker that sends webhooks.
    """
    return WebhookSender(
        DatabaseWebhooks(database),
        webhook_sender(settings),
        timeout=settings.webhook_timeout,
        poll_interval=settings.webhook_poll_interval,
        retry_max_delay=settings.retry_max_delay,
    ).run


def webhook_sender(settings: Settings) -> Sender:
    """
    Make what sends one webhook, within what the settings let it reach.
    """
    return Sender(timeout=settings.webhook_timeout, allow_private=settings.webhook_allow_private)


async def run_reconciler(settings: Settings) -> None:
    """
    Run a reconciler until a signal.

    Raises:
        UnavailableError: A server of our own does not answer at the start; AWS may be away for as long as it likes.
        UsageError: boto3 is not installed, or the AWS configuration of this machine is wrong.
    """
    configure_logging(level=settings.log_level, style=settings.log_format.value)
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(exporting(settings, "rooftree-reconciler"))
        stack.enter_context(stop_on_signals(stop))
        database = await stack.enter_async_context(open_store(settings, "rooftree-reconciler"))
        stack.enter_context(_metrics(settings))
        await ensure_topics(settings)
        reconciler = await stack.enter_async_context(open_reconciler(settings, database))
        await supervise({"reconciler": reconciler}, stop=stop, drain_timeout=settings.drain_timeout)


async def run_api(settings: Settings, *, on_ready: Callable[[str], None] | None = None) -> None:
    """
    Serve the API and the dashboard until a signal.

    Args:
        settings: Where to listen, and the token.
        on_ready: Called with the address.

    Raises:
        UsageError: There is no token, or the port is taken.
        UnavailableError: PostgreSQL does not answer at the start.
    """
    configure_logging(level=settings.log_level, style=settings.log_format.value)
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(exporting(settings, "rooftree-api"))
        stack.enter_context(stop_on_signals(stop))
        database = await stack.enter_async_context(open_store(settings, "rooftree-api"))
        workshop = _workshop(settings)
        backing = await stack.enter_async_context(open_backing(settings, database, workshop))
        server = open_web_server(settings, database, backing)
        if on_ready is not None:
            on_ready(server.url)
        workers: dict[str, Worker] = {
            "feed": backing.feed.run,
            "workshop": workshop.prepare,
            "api": server.serve,
        }
        await supervise(workers, stop=stop, drain_timeout=settings.drain_timeout)


async def run_all(
    settings: Settings, *, embed_kafka: bool = True, embed_postgres: bool = True, on_ready: OnReady | None = None
) -> None:
    """
    Run everything in this process until a signal: migrations, projector, relay, API.

    Args:
        settings: Servers that are not embedded are taken from here.
        embed_kafka: Run a broker in memory, whose log ends with this call.
        embed_postgres: Run a PostgreSQL with its data in the data folder.
        on_ready: Awaited beside the workers once all of them run; what it raises ends everything.

    Raises:
        UnavailableError: A server cannot be started or does not answer.
        UsageError: A port is taken.
    """
    configure_logging(level=settings.log_level, style=settings.log_format.value)
    collect_seldom()
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(exporting(settings, "rooftree"))
        stack.enter_context(stop_on_signals(stop))
        watches: dict[str, Worker] = {}
        if embed_postgres:
            postgres = await stack.enter_async_context(embedded_postgres(settings.data_dir))
            settings = _for_embedded_postgres(settings, postgres.dsn)
            watches["postgres"] = _watch(postgres.watch)
        if embed_kafka:
            broker = await stack.enter_async_context(embedded_broker(settings.data_dir))
            settings = _for_embedded_broker(settings, broker.bootstrap)
            watches["broker"] = _watch(broker.watch)
        if settings.admin_token is None:
            settings = settings.model_copy(update={"admin_token": SecretStr(secrets.token_urlsafe(24))})
        await run_migrate(settings)
        database = await stack.enter_async_context(open_store(settings, "rooftree"))
        await ensure_topics(settings)
        code = secrets.token_urlsafe(16)
        workshop = _workshop(settings)
        backing = await stack.enter_async_context(open_backing(settings, database, workshop))
        server = open_web_server(settings, database, backing, login_code=code)
        workers: dict[str, Worker] = {
            **watches,
            "projector": await stack.enter_async_context(open_projector(settings, database, forgetful=embed_kafka)),
            "relay": await stack.enter_async_context(open_relay(settings, database)),
            "webhooks": webhook_worker(settings, database),
            "feed": backing.feed.run,
            "workshop": workshop.prepare,
            "api": server.serve,
        }
        if settings.reconcile:
            workers["reconciler"] = await stack.enter_async_context(open_reconciler(settings, database))
        if on_ready is not None:
            workers["ready"] = _once(on_ready, _addresses(settings, server.url, code))
        await supervise(workers, stop=stop, drain_timeout=settings.drain_timeout)


@asynccontextmanager
async def open_reader(settings: Settings) -> AsyncIterator[Reader]:
    """
    Open the stored view for reading.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    async with _database(settings, "rooftree-reader") as database:
        yield DatabaseReader(database)


def _reader_for(database: Database) -> ReaderFor:
    def reader_for(organizations: Organizations) -> Reader:
        return DatabaseReader(RestrictedDatabase(database, organizations))

    return reader_for


def open_web_server(
    settings: Settings, database: Database, backing: Backing, *, login_code: str | None = None
) -> WebServer:
    """
    Take a port for the API and the dashboard.

    Raises:
        UsageError: There is no token, or the port is taken.
    """
    app = create_app(_reader_for(database), DatabaseAccess(database), settings, backing, login_code=login_code)
    return WebServer(
        app,
        settings.http_host,
        settings.http_port,
        trusted_proxies=settings.http_trusted_proxies,
        most_connections=settings.http_max_connections,
    )


@asynccontextmanager
async def open_backing(
    settings: Settings, database: Database, workshop: ProcessWorkshop | None = None
) -> AsyncIterator[Backing]:
    """
    Make what the API needs beyond the view. Kafka is looked for when there is something to send.
    """
    async with (
        KafkaPublisher.open(settings) as publisher,
        PostgresNudges.open(
            settings.postgres_dsn.get_secret_value(), connect_timeout=settings.postgres_connect_timeout
        ) as nudges,
    ):
        yield Backing(
            letters=DatabaseLetters(database),
            changes=Submissions(publisher),
            workshop=workshop or _workshop(settings),
            feed=AuditFeed(_reader_for(database)(None), nudges),
            subscriptions=_subscriptions(settings, database),
            tokens=DatabaseAccess(database),
        )


def _workshop(settings: Settings) -> ProcessWorkshop:
    return ProcessWorkshop(
        partial(run_errand, settings), processes=settings.question_processes, seconds=settings.question_timeout
    )


_remembered = Memory()
"""Of a process that does errands."""


def run_errand(settings: Settings, errand: Errand, organizations: Organizations) -> bytes:
    """
    Do an errand in a process of its own, on a connection of its own.

    Raises:
        InputError: It asks for something that is not so.
        UnavailableError: PostgreSQL does not answer.
    """

    async def run() -> bytes:
        async with _database(settings.model_copy(update={"postgres_pool_size": 1}), "rooftree-errand") as database:
            return await errand.run(_reader_for(database)(organizations), _remembered)

    return asyncio.run(run())


@asynccontextmanager
async def open_inspection(settings: Settings) -> AsyncIterator[DatabaseInspection]:
    """
    Open all that is stored for verification.

    Raises:
        UnavailableError: PostgreSQL does not answer.
        UsageError: The database lacks a migration.
    """
    async with open_store(settings, "rooftree-inspection") as database:
        yield DatabaseInspection(database)


@asynccontextmanager
async def open_rebuild(settings: Settings) -> AsyncIterator[DatabaseRebuild]:
    """
    Open the view for being computed anew.

    Raises:
        UnavailableError: PostgreSQL does not answer.
        UsageError: The database lacks a migration.
    """
    async with open_store(settings, "rooftree-rebuild") as database:
        yield DatabaseRebuild(database)


@asynccontextmanager
async def open_letters(settings: Settings) -> AsyncIterator[DatabaseLetters]:
    """
    Open the dead letters for reading.

    Raises:
        UnavailableError: PostgreSQL does not answer.
        UsageError: The database lacks a migration.
    """
    async with open_store(settings, "rooftree-reader") as database:
        yield DatabaseLetters(database)


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


@asynccontextmanager
async def open_rereads(settings: Settings) -> AsyncIterator[DatabaseRereads]:
    """
    Open what is to be read anew by the API of AWS.

    Raises:
        UnavailableError: PostgreSQL does not answer.
        UsageError: The database lacks a migration.
    """
    async with open_store(settings, "rooftree-reader") as database:
        yield DatabaseRereads(database)


@asynccontextmanager
async def open_access(settings: Settings) -> AsyncIterator[DatabaseAccess]:
    """
    Open tokens and the access log.

    Raises:
        UnavailableError: PostgreSQL does not answer.
        UsageError: The database lacks a migration.
    """
    async with open_store(settings, "rooftree-access") as database:
        yield DatabaseAccess(database)


@asynccontextmanager
async def open_webhooks(settings: Settings) -> AsyncIterator[Subscriptions]:
    """
    Open the subscriptions to webhooks.

    Raises:
        UnavailableError: PostgreSQL does not answer.
        UsageError: The database lacks a migration.
    """
    async with open_store(settings, "rooftree-webhooks") as database:
        yield _subscriptions(settings, database)


def _subscriptions(settings: Settings, database: Database) -> Subscriptions:
    return Subscriptions(
        DatabaseWebhooks(database),
        partial(attempt, webhook_sender(settings)),
        allow_private=settings.webhook_allow_private,
    )


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


@asynccontextmanager
async def _database(settings: Settings, name: str) -> AsyncIterator[Database]:
    async with open_database(
        database_address(settings),
        size=settings.postgres_pool_size,
        connect_timeout=settings.postgres_connect_timeout,
        command_timeout=settings.postgres_command_timeout,
        lock_timeout=settings.postgres_lock_timeout,
        idle_timeout=settings.postgres_idle_timeout,
        slow_statement=settings.postgres_slow_statement,
        statement_cache=settings.postgres_statement_cache,
        application_name=name,
    ) as database:
        yield database


@asynccontextmanager
async def open_store(settings: Settings, name: str) -> AsyncIterator[Database]:
    """
    Open a pool on a database that has the schema.

    Raises:
        UnavailableError: PostgreSQL does not answer.
        UsageError: The database lacks a migration.
    """
    async with _database(settings, name) as database:
        async with database.connection() as connection:
            await require_schema(connection)
        yield database


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
    dsn = database_address(settings)
    async with (
        KafkaPublisher.open(settings) as publisher,
        PostgresNudges.open(dsn, connect_timeout=settings.postgres_connect_timeout) as nudges,
    ):
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
    dsn = settings.postgres_dsn.get_secret_value()
    async with KafkaPublisher.open(settings) as publisher:
        yield Reconciler(
            open_aws(settings),
            PostgresReconciliation(database, dsn, connect_timeout=settings.postgres_connect_timeout),
            publisher,
            interval=settings.reconcile_interval,
            grace=settings.reconcile_grace,
            patience=settings.reconcile_patience,
            reread_interval=settings.reread_interval,
        ).run


@contextmanager
def _metrics(settings: Settings) -> Iterator[None]:
    if not settings.metrics_port:
        yield
        return
    server, thread = start_http_server(settings.metrics_port, addr=settings.http_host, registry=METRICS_REGISTRY)
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def _for_embedded_postgres(settings: Settings, dsn: str) -> Settings:
    # What is set for another server is not for this one, whose DSN holds everything.
    others = ("password", "ssl_mode", "ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_key_password")
    return settings.model_copy(update={**{f"postgres_{name}": None for name in others}, "postgres_dsn": SecretStr(dsn)})


def _for_embedded_broker(settings: Settings, bootstrap: str) -> Settings:
    # One process reads every partition, so there is nobody to share with; and this broker knows no idempotence.
    return settings.model_copy(
        update={
            "kafka_bootstrap": bootstrap,
            "kafka_security_protocol": SecurityProtocol.PLAINTEXT,
            "kafka_idempotence": False,
            "partition_assignment": Assignment.ALL,
            "topic_partitions": _EMBEDDED_PARTITIONS,
            "topic_replication": 1,
            "create_topics": True,
        }
    )


def _addresses(settings: Settings, url: str, code: str) -> Addresses:
    assert settings.admin_token is not None
    return Addresses(
        api=url,
        login=f"{url}/login?code={code}",
        kafka=settings.kafka_bootstrap,
        postgres=settings.postgres_dsn.get_secret_value(),
        token=settings.admin_token.get_secret_value(),
        topics=settings.topics,
    )


def _watch(watch: Callable[[], Awaitable[None]]) -> Worker:
    async def worker(stop: asyncio.Event) -> None:
        watching = asyncio.ensure_future(watch())
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait((watching, stopping), return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                await watching
        finally:
            watching.cancel()
            stopping.cancel()

    return worker


def _once(on_ready: OnReady, addresses: Addresses) -> Worker:
    async def worker(stop: asyncio.Event) -> None:
        await on_ready(addresses)
        await stop.wait()

    return worker
