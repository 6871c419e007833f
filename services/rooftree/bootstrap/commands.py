"""
Parts of the store that a command opens for a moment.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

from rooftree.bootstrap.database import open_store
from rooftree.settings import Settings
from rooftree.store.access import DatabaseAccess
from rooftree.store.database import Database
from rooftree.store.inspection import DatabaseInspection
from rooftree.store.letters import DatabaseLetters
from rooftree.store.rebuilding import DatabaseRebuild

__all__ = [
    "open_access",
    "open_inspection",
    "open_letters",
    "open_rebuild",
]

_PartT = TypeVar("_PartT")


def _opening(
    make: Callable[[Database], _PartT], name: str
) -> Callable[[Settings], AbstractAsyncContextManager[_PartT]]:
    """
    Return what opens a part of the store, on a database that has the schema.
    """

    @asynccontextmanager
    async def open_part(settings: Settings) -> AsyncIterator[_PartT]:
        async with open_store(settings, name) as database:
            yield make(database)

    return open_part


open_access = _opening(DatabaseAccess, "rooftree-access")
"""Open tokens and the access log."""

open_inspection = _opening(DatabaseInspection, "rooftree-inspection")
"""Open all that is stored for verification."""

open_letters = _opening(DatabaseLetters, "rooftree-reader")
"""Open the dead letters for reading."""

open_rebuild = _opening(DatabaseRebuild, "rooftree-rebuild")
"""Open the view for being computed anew."""
