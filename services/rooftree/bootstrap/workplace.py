"""
Where a process does errands: what it keeps from one to the next.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from rooftree.access.caller import Organizations
from rooftree.bootstrap.database import open_pool
from rooftree.inquiry.errands import Errand
from rooftree.inquiry.memory import Memory
from rooftree.settings import Settings
from rooftree.store.database import Database
from rooftree.store.reader import DatabaseReader
from rooftree.store.restricted import RestrictedDatabase
from rooftree.workers.supervisor import collect_seldom

__all__ = ["Workplace", "run_errand"]


class Workplace:
    """
    An event loop that runs while there is an errand, a connection, and what is remembered of organizations.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._runner = asyncio.Runner()
        self._opened = AsyncExitStack()
        self._database: Database | None = None
        self._memory = Memory()

    def run(self, errand: Errand, organizations: Organizations) -> bytes:
        """
        Do an errand.

        Raises:
            InputError: It asks for something that is not so.
            UnavailableError: PostgreSQL does not answer.
        """
        return self._runner.run(self._run(errand, organizations))

    def close(self) -> None:
        """
        Let go of what is kept.
        """
        with self._runner:
            self._runner.run(self._opened.aclose())

    async def _run(self, errand: Errand, organizations: Organizations) -> bytes:
        database = await self._connected()
        return await errand.run(DatabaseReader(RestrictedDatabase(database, organizations)), self._memory)

    async def _connected(self) -> Database:
        if self._database is None:
            settings = self.settings.model_copy(update={"postgres_pool_size": 1})
            self._database = await self._opened.enter_async_context(open_pool(settings, "rooftree-errand"))
        else:
            await self._database.replace_lost()
        return self._database


def run_errand(settings: Settings, errand: Errand, organizations: Organizations) -> bytes:
    """
    Do an errand in a process of its own, at the workplace of the one before.

    Raises:
        InputError: It asks for something that is not so.
        UnavailableError: PostgreSQL does not answer.
    """
    collect_seldom()
    return _workplace(settings).run(errand, organizations)


def _workplace(settings: Settings) -> Workplace:
    kept = _kept.pop() if _kept else Workplace(settings)
    if kept.settings != settings:
        kept.close()
        kept = Workplace(settings)
    _kept.append(kept)
    return kept


_kept: list[Workplace] = []
"""The workplace of this process, once it has one."""
