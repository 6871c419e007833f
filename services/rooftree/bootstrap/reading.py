"""
The stored view, for who asks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rooftree.bootstrap.database import open_pool
from rooftree.reading.reader import Reader
from rooftree.settings import Settings
from rooftree.store.reader import DatabaseReader

__all__ = ["open_reader"]


@asynccontextmanager
async def open_reader(settings: Settings) -> AsyncIterator[Reader]:
    """
    Open the stored view for reading.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    async with open_pool(settings, "rooftree-reader") as database:
        yield DatabaseReader(database)
