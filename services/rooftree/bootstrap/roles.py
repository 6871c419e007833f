"""
The roles of a deployment: each runs in a process of its own until a signal.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

from rooftree.bootstrap.database import open_store
from rooftree.bootstrap.processes import metrics_server, service_process
from rooftree.bootstrap.web import make_process_pool, open_backing, open_web_server
from rooftree.bootstrap.workers import open_projector, open_reconciler, open_relay, open_webhook_sender
from rooftree.settings import Settings
from rooftree.store.database import Database
from rooftree.stream import ensure_topics
from rooftree.workers.supervisor import Worker, collect_seldom, supervise

__all__ = ["run_api", "run_projector", "run_reconciler", "run_relay", "run_webhooks"]

_OpenWorker: TypeAlias = Callable[[Settings, Database], AbstractAsyncContextManager[Worker]]


async def run_projector(settings: Settings) -> None:
    """
    Run a projector until a signal.

    Raises:
        UnavailableError: A server does not answer at the start, or reading has stalled for good.
        LogLossError: The broker has lost unread records, and policy is to stop.
    """
    collect_seldom()
    await _run(settings, "projector", open_projector)


async def run_relay(settings: Settings) -> None:
    """
    Run a relay until a signal.

    Raises:
        UnavailableError: A server does not answer at the start.
    """
    await _run(settings, "relay", open_relay)


async def run_webhooks(settings: Settings) -> None:
    """
    Send webhooks until a signal.

    Raises:
        UnavailableError: PostgreSQL does not answer at the start.
    """
    await _run(settings, "webhooks", open_webhook_sender, uses_kafka=False)


async def run_reconciler(settings: Settings) -> None:
    """
    Run a reconciler until a signal.

    Raises:
        UnavailableError: A server of our own does not answer at the start; AWS may be away for as long as it likes.
        UsageError: boto3 is not installed, or the AWS configuration of this machine is wrong.
    """
    await _run(settings, "reconciler", open_reconciler)


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
    with service_process(settings, "rooftree-api") as stop:
        pool = make_process_pool(settings)
        async with (
            open_store(settings, "rooftree-api") as database,
            open_backing(settings, database, pool) as backing,
        ):
            server = open_web_server(settings, database, backing)
            if on_ready is not None:
                on_ready(server.url)
            workers = {"feed": backing.feed.run, "process_pool": pool.prepare, "api": server.serve}
            await supervise(workers, stop=stop, drain_timeout=settings.drain_timeout)


async def _run(settings: Settings, role: str, open_worker: _OpenWorker, *, uses_kafka: bool = True) -> None:
    name = f"rooftree-{role}"
    with service_process(settings, name) as stop:
        async with open_store(settings, name) as database:
            with metrics_server(settings):
                if uses_kafka:
                    await ensure_topics(settings)
                async with open_worker(settings, database) as worker:
                    await supervise({role: worker}, stop=stop, drain_timeout=settings.drain_timeout)
