"""
A process that runs jobs: what it keeps from one to the next.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from rooftree.access.caller import Organizations
from rooftree.bootstrap.database import open_pool
from rooftree.inquiry.jobs import Job
from rooftree.inquiry.organization_cache import OrganizationCache
from rooftree.settings import Settings
from rooftree.store.database import Database
from rooftree.store.reader import DatabaseReader
from rooftree.store.restricted import RestrictedDatabase
from rooftree.workers.supervisor import collect_seldom

__all__ = ["JobProcess", "run_job"]


class JobProcess:
    """
    An event loop that runs while there is a job, a connection, and what is remembered of organizations.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._runner = asyncio.Runner()
        self._opened = AsyncExitStack()
        self._database: Database | None = None
        self._cache = OrganizationCache()

    def run(self, job: Job, organizations: Organizations) -> bytes:
        """
        Run a job.

        Raises:
            InputError: It asks for something that is not so.
            UnavailableError: PostgreSQL does not answer.
        """
        return self._runner.run(self._run(job, organizations))

    def close(self) -> None:
        """
        Let go of what is kept.
        """
        with self._runner:
            self._runner.run(self._opened.aclose())

    async def _run(self, job: Job, organizations: Organizations) -> bytes:
        database = await self._connected()
        return await job.run(DatabaseReader(RestrictedDatabase(database, organizations)), self._cache)

    async def _connected(self) -> Database:
        if self._database is None:
            settings = self.settings.model_copy(update={"postgres_pool_size": 1})
            self._database = await self._opened.enter_async_context(open_pool(settings, "rooftree-job"))
        else:
            await self._database.replace_lost()
        return self._database


def run_job(settings: Settings, job: Job, organizations: Organizations) -> bytes:
    """
    Run a job in this process, with what the one before has left.

    Raises:
        InputError: It asks for something that is not so.
        UnavailableError: PostgreSQL does not answer.
    """
    collect_seldom()
    return _job_process(settings).run(job, organizations)


def _job_process(settings: Settings) -> JobProcess:
    kept = _kept.pop() if _kept else JobProcess(settings)
    if kept.settings != settings:
        kept.close()
        kept = JobProcess(settings)
    _kept.append(kept)
    return kept


_kept: list[JobProcess] = []
"""What this process keeps, once it has run a job."""
