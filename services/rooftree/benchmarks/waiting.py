"""
Waiting for what others do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from rooftree.benchmarks.exchange import PATIENCE
from rooftree.errors import UnavailableError

__all__ = ["eventually"]

LOOK_SECONDS = 0.005


async def eventually(what: str, has_come: Callable[[], Awaitable[bool]], *, seconds: float = PATIENCE) -> None:
    """
    Wait until something has come.

    Raises:
        UnavailableError: It does not come in time.
    """
    deadline = time.perf_counter() + seconds
    while not await has_come():
        if time.perf_counter() > deadline:
            raise UnavailableError(f"waited {seconds:g} s in vain: {what}")
        await asyncio.sleep(LOOK_SECONDS)
