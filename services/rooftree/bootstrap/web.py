"""
The API and the dashboard, and what they need beyond the view.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from rooftree.access.caller import Organizations
from rooftree.api.app import create_app
from rooftree.api.backing import BackingServices
from rooftree.api.callers import ReaderFor
from rooftree.api.feed import AuditFeed
from rooftree.bootstrap.database import open_nudges
from rooftree.bootstrap.job_process import run_job
from rooftree.bootstrap.webhooks import make_subscriptions
from rooftree.reading.reader import Reader
from rooftree.settings import Settings
from rooftree.store.access import DatabaseAccess
from rooftree.store.database import Database
from rooftree.store.letters import DatabaseLetters
from rooftree.store.reader import DatabaseReader
from rooftree.store.restricted import RestrictedDatabase
from rooftree.stream import KafkaPublisher
from rooftree.workers.process_pool import ProcessPool
from rooftree.workers.submissions import Submissions
from rooftree.workers.web import WebServer

__all__ = ["make_process_pool", "open_backing", "open_web_server"]


def open_web_server(
    settings: Settings, database: Database, backing: BackingServices, *, login_code: str | None = None
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
    settings: Settings, database: Database, pool: ProcessPool | None = None
) -> AsyncIterator[BackingServices]:
    """
    Make what the API needs beyond the view. Kafka is looked for when there is something to send.
    """
    async with KafkaPublisher.open(settings) as publisher, open_nudges(settings) as nudges:
        yield BackingServices(
            letters=DatabaseLetters(database),
            changes=Submissions(publisher),
            jobs=pool or make_process_pool(settings),
            feed=AuditFeed(_reader_for(database)(None), nudges),
            subscriptions=make_subscriptions(settings, database),
            tokens=DatabaseAccess(database),
        )


def make_process_pool(settings: Settings) -> ProcessPool:
    """
    Make the processes that run jobs; none is started yet.
    """
    return ProcessPool(
        partial(run_job, settings), processes=settings.question_processes, seconds=settings.question_timeout
    )


def _reader_for(database: Database) -> ReaderFor:
    def reader_for(organizations: Organizations) -> Reader:
        return DatabaseReader(RestrictedDatabase(database, organizations))

    return reader_for
