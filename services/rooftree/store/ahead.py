"""
What takes processor time, made in another thread while the server is at work.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TypeVar

__all__ = ["made_ahead"]

_Item = TypeVar("_Item")


@asynccontextmanager
async def made_ahead(items: Iterator[_Item], *, worth_it: bool = True) -> AsyncIterator[AsyncIterator[_Item]]:
    """
    Lend *items*: the first is made from now on, and each of the others while the one before it is being used.

    Nothing of them is at work any more when the block has ended.

    Args:
        items: What makes them.
        worth_it: Whether that takes longer than to change to another thread and back; if not, each is made when it is
            taken.
    """
    if not worth_it:
        yield _made_in_turn(items)
        return
    coming = _begun(items)

    async def taken() -> AsyncIterator[_Item]:
        nonlocal coming
        # Shielded: a block that is cancelled waits for it in the end, too.
        while made := await asyncio.shield(coming):
            coming = _begun(items)
            yield made[0]

    try:
        yield taken()
    finally:
        await asyncio.wait([coming])
        # Looked at, so that nobody is told of what was not waited for.
        coming.exception()


async def _made_in_turn(items: Iterator[_Item]) -> AsyncIterator[_Item]:
    for item in items:
        yield item


def _begun(items: Iterator[_Item]) -> asyncio.Task[tuple[_Item] | None]:
    return asyncio.create_task(asyncio.to_thread(_next, items))


def _next(items: Iterator[_Item]) -> tuple[_Item] | None:
    for item in items:
        return (item,)
    return None
