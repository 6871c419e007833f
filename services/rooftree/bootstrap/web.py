"""
The API and the dashboard, and what they need beyond the view.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from rooftree.access.caller import Organizations
from rooftree.api.app import create_app
from rooftree.api.backing import Backing
from rooftree.api.callers import ReaderFor
from rooftree.api.feed import AuditFeed
from rooftree.bootstrap.database import open_nudges
from rooftree.bootstrap.webhooks import make_subscriptions
from rooftree.bootstrap.workplace import run_errand
from rooftree.reading.reader import Reader
from rooftree.settings import Settings
from rooftree.store.access import DatabaseAccess
from rooftree.store.database import Database
from rooftree.store.letters import DatabaseLetters
from rooftree.store.reader import DatabaseReader
from rooftree.store.restricted import RestrictedDatabase
from rooftree.stream import KafkaPublisher
from rooftree.workers.submissions import Submissions
from rooftree.workers.web import WebServer
from rooftree.workers.workshop import ProcessWorkshop

__all__ = ["make_workshop", "open_backing", "open_web_server"]


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
    async with KafkaPublisher.open(settings) as publisher, open_nudges(settings) as nudges:
        yield Backing(
            letters=DatabaseLetters(database),
            changes=Submissions(publisher),
            workshop=workshop or make_workshop(settings),
            feed=AuditFeed(_reader_for(database)(None), nudges),
            subscriptions=make_subscriptions(settings, database),
            tokens=DatabaseAccess(database),
        )


def make_workshop(settings: Settings) -> ProcessWorkshop:
    """
    Make what does errands in processes of their own; none is started yet.
    """
    return ProcessWorkshop(
        partial(run_errand, settings), processes=settings.question_processes, seconds=settings.question_timeout
    )


def _reader_for(database: Database) -> ReaderFor:
    def reader_for(organizations: Organizations) -> Reader:
        return DatabaseReader(RestrictedDatabase(database, organizations))

    return reader_for
