"""
What the API needs beyond the view, in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from rooftree.api.backing import BackingServices
from rooftree.api.feed import AuditFeed
from rooftree.inquiry.jobs import Job
from rooftree.inquiry.organization_cache import OrganizationCache
from rooftree.ports.change_log import LogRecord
from rooftree.reading.reader import LetterRecord, Reader


class FakeLetters:
    """
    Dead letters of one organization, without their bytes.
    """

    def __init__(self, kept: Sequence[LetterRecord] = ()) -> None:
        self._kept = kept

    async def letters(
        self, organization_id: str | None = None, *, resolved: bool = False, after: int = 0, limit: int | None = None
    ) -> list[LetterRecord]:
        """
        Return those that are wanted, the oldest first.
        """
        return [one for one in self._kept if (resolved or one.waits) and one.letter_id > after][:limit]

    async def latest(self, organization_id: str, *, limit: int) -> list[LetterRecord]:
        """
        Return those that wait before the others.
        """
        return sorted(self._kept, key=lambda one: (not one.waits, -one.letter_id))[:limit]

    async def count_waiting(self, organization_id: str) -> int:
        """
        Count those that wait.
        """
        return sum(one.waits for one in self._kept)

    async def find(self, letter_ids: Iterable[int]) -> dict[int, LetterRecord]:
        """
        Find some by their ids.
        """
        wanted = set(letter_ids)
        return {one.letter_id: one for one in self._kept if one.letter_id in wanted}

    async def record(self, letter_id: int) -> LogRecord | None:
        """
        Find none.
        """
        return None


class FakeChanges:
    """
    Keeps what is sent.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []

    async def send(self, organization_id: str, events: Sequence[bytes]) -> None:
        """
        Keep the events.
        """
        self.sent += [(organization_id, event) for event in events]

    async def replay(self, letter: LetterRecord, record: LogRecord) -> None:
        """
        Keep the bytes.
        """
        self.sent.append((letter.organization_id, record.value or b""))


class SameProcess:
    """
    Runs jobs right here.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def run(self, job: Job, organizations: frozenset[str] | None) -> bytes:
        """
        Run a job.
        """
        return await job.run(self._reader, OrganizationCache())


class Unreached:
    """
    Fails whoever looks for something in it.
    """


class OwnPace:
    """
    No nudges: looks often.
    """

    async def wait(self, seconds: float, stop: asyncio.Event) -> None:
        """
        Wait a moment.
        """
        await asyncio.sleep(min(seconds, 0.01))


def fake_backing(reader: Reader, *, letters: Sequence[LetterRecord] = ()) -> BackingServices:
    """
    Return all that the API needs, over a reader in memory.
    """
    return BackingServices(
        FakeLetters(letters),
        FakeChanges(),
        SameProcess(reader),
        AuditFeed(reader, OwnPace()),
        # What is looked after here is all in the store: integration tests ask it.
        subscriptions=Unreached(),  # type: ignore[arg-type]
        tokens=Unreached(),  # type: ignore[arg-type]
    )
