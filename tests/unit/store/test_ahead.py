from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from rooftree.store.ahead import made_ahead


@pytest.mark.parametrize("worth_it", [True, False])
async def test_items_come_in_their_order(*, worth_it: bool) -> None:
    """All of them, also what counts as nothing."""
    async with made_ahead(iter([1, 0, None, "b"]), worth_it=worth_it) as items:
        assert [1, 0, None, "b"] == [item async for item in items]


async def test_the_next_one_is_made_while_one_is_used() -> None:
    """And no more than that: what is made takes room."""
    made: list[int] = []
    arrived = threading.Semaphore(0)

    def making() -> Iterator[int]:
        for number in range(4):
            made.append(number)
            arrived.release()
            yield number

    async with made_ahead(making()) as items:
        async for number in items:
            for _ in range(2 if number == 0 else number < 3):
                await asyncio.to_thread(arrived.acquire)
            assert list(range(min(number + 2, 4))) == made


async def test_what_fails_fails_where_it_is_taken() -> None:
    """And not before: what was made until then is used."""

    def making() -> Iterator[int]:
        yield 1
        raise RuntimeError("no more")

    async with made_ahead(making()) as items:
        assert 1 == await anext(items)
        with pytest.raises(RuntimeError, match="no more"):
            await anext(items)


async def test_nothing_is_at_work_after_a_failure_elsewhere() -> None:
    """What is being made is waited for, and what is wrong with it is nobody's any more."""
    going, done = threading.Event(), threading.Event()

    def making() -> Iterator[int]:
        yield 1
        going.wait()
        done.set()
        raise RuntimeError("unheard")

    async def use() -> None:
        async with made_ahead(making()) as items:
            async for _ in items:
                asyncio.get_running_loop().call_later(0.05, going.set)
                raise LookupError

    with pytest.raises(LookupError):
        await use()
    assert done.is_set()


async def test_nothing_is_at_work_after_it_was_cancelled() -> None:
    """Whoever is cancelled while an item is being made ends when it is made."""
    going, done = threading.Event(), threading.Event()

    def making() -> Iterator[int]:
        going.wait()
        done.set()
        yield 1

    async def use() -> list[int]:
        async with made_ahead(making()) as items:
            return [item async for item in items]

    using = asyncio.create_task(use())
    await asyncio.sleep(0)
    using.cancel()
    asyncio.get_running_loop().call_later(0.05, going.set)
    with pytest.raises(asyncio.CancelledError):
        await using
    assert done.is_set()
