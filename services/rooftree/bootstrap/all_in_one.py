"""
Everything in one process, with servers of its own if wanted: `rooftree up`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import SecretStr

from rooftree.bootstrap.database import open_store, run_migrate
from rooftree.bootstrap.processes import service_process
from rooftree.bootstrap.web import make_process_pool, open_backing, open_web_server
from rooftree.bootstrap.workers import open_projector, open_reconciler, open_relay, open_webhook_sender
from rooftree.embedded import embedded_broker, embedded_postgres
from rooftree.settings import Assignment, SecurityProtocol, Settings
from rooftree.stream import ensure_topics
from rooftree.workers.supervisor import Worker, collect_seldom, supervise

__all__ = ["Addresses", "OnReady", "run_all"]

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
    collect_seldom()
    async with AsyncExitStack() as stack:
        stop = stack.enter_context(service_process(settings, "rooftree"))
        workers: dict[str, Worker] = {}
        if embed_postgres:
            postgres = await stack.enter_async_context(embedded_postgres(settings.data_dir))
            settings = _for_embedded_postgres(settings, postgres.dsn)
            workers["postgres"] = _watch(postgres.watch)
        if embed_kafka:
            broker = await stack.enter_async_context(embedded_broker(settings.data_dir))
            settings = _for_embedded_broker(settings, broker.bootstrap)
            workers["broker"] = _watch(broker.watch)
        if settings.admin_token is None:
            settings = settings.model_copy(update={"admin_token": SecretStr(secrets.token_urlsafe(24))})
        await run_migrate(settings)
        database = await stack.enter_async_context(open_store(settings, "rooftree"))
        await ensure_topics(settings)
        code = secrets.token_urlsafe(16)
        pool = make_process_pool(settings)
        backing = await stack.enter_async_context(open_backing(settings, database, pool))
        server = open_web_server(settings, database, backing, login_code=code)
        workers |= {
            "projector": await stack.enter_async_context(open_projector(settings, database, forgetful=embed_kafka)),
            "relay": await stack.enter_async_context(open_relay(settings, database)),
            "webhooks": await stack.enter_async_context(open_webhook_sender(settings, database)),
            "feed": backing.feed.run,
            "process_pool": pool.prepare,
            "api": server.serve,
        }
        if settings.reconcile:
            workers["reconciler"] = await stack.enter_async_context(open_reconciler(settings, database))
        if on_ready is not None:
            workers["ready"] = _once(on_ready, _addresses(settings, server.url, code))
        await supervise(workers, stop=stop, drain_timeout=settings.drain_timeout)


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
