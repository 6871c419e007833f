"""
What people change through the API, on its way to the topic of changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rooftree.ports.change_log import LogRecord
from rooftree.ports.publishing import ChangePublisher, OutgoingRecord
from rooftree.reading.reader import LetterRecord
from rooftree.workers.replays import replay_record

__all__ = ["Submissions", "TopicPublisher"]


class TopicPublisher(ChangePublisher, Protocol):
    """
    The topic of changes, also for records as they came.
    """

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        """
        Send records, in the order given for each key.
        """
        ...


class Submissions:
    """
    Sends changes and replays.
    """

    def __init__(self, publisher: TopicPublisher) -> None:
        self._publisher = publisher

    async def send(self, organization_id: str, events: Sequence[bytes]) -> None:
        """
        Send the events of one organization in their order.

        Raises:
            UnavailableError: Kafka does not answer.
        """
        await self._publisher.publish_changes([(organization_id, event) for event in events])

    async def replay(self, letter: LetterRecord, record: LogRecord) -> None:
        """
        Send the bytes of a dead letter to be processed again.

        Raises:
            UnavailableError: Kafka does not answer.
        """
        await self._publisher.publish([replay_record(letter.name, record)])
