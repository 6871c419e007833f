"""
What the API needs beyond the view: ways to write, dead letters, processes for long questions, the live feed,
webhooks and tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rooftree.access.keeping import TokenStore
from rooftree.api.feed import AuditFeed
from rooftree.inquiry.jobs import Job
from rooftree.ports.change_log import LogRecord
from rooftree.reading.reader import LetterRecord
from rooftree.webhooks.administration import Subscriptions

__all__ = ["BackingServices", "Changes", "JobPool", "Letters"]


class JobPool(Protocol):
    """
    Runs jobs beside the event loop.
    """

    async def run(self, job: Job, organizations: frozenset[str] | None) -> bytes:
        """
        Return what a job comes to, of a view that is limited to these organizations.

        Raises:
            InputError: The job asks for something that is not so.
            UnavailableError: Too many jobs wait already, or this one took too long.
        """
        ...


class Changes(Protocol):
    """
    Takes change events on their way to the topic of changes.
    """

    async def send(self, organization_id: str, events: Sequence[bytes]) -> None:
        """
        Send the events of one organization in their order.

        Raises:
            UnavailableError: Kafka does not answer.
        """
        ...

    async def replay(self, letter: LetterRecord, record: LogRecord) -> None:
        """
        Send the bytes of a dead letter to be processed again.

        Raises:
            UnavailableError: Kafka does not answer.
        """
        ...


class Letters(Protocol):
    """
    The dead letters.
    """

    async def letters(
        self, organization_id: str | None = None, *, resolved: bool = False, after: int = 0, limit: int | None = None
    ) -> list[LetterRecord]:
        """
        Return letters, the oldest first.
        """
        ...

    async def latest(self, organization_id: str, *, limit: int) -> list[LetterRecord]:
        """
        Return letters of an organization: those that wait before the others, of each the latest first.
        """
        ...

    async def count_waiting(self, organization_id: str) -> int:
        """
        Return how many letters of an organization wait.
        """
        ...

    async def find(self, letter_ids: Iterable[int]) -> dict[int, LetterRecord]:
        """
        Return those of some letters that there are, by id.
        """
        ...

    async def record(self, letter_id: int) -> LogRecord | None:
        """
        Return the record as it came from the broker; None if there is no such letter.
        """
        ...


@dataclass(frozen=True, slots=True)
class BackingServices:
    """
    All of it.
    """

    letters: Letters
    changes: Changes
    jobs: JobPool
    feed: AuditFeed
    subscriptions: Subscriptions
    tokens: TokenStore
