"""
The topics, as those see them who write them.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

__all__ = ["ChangePublisher", "OutgoingRecord", "Publisher", "RecordKind"]


class RecordKind(StrEnum):
    """
    What is sent where: each kind has a topic.
    """

    CHANGE = "change"
    AUDIT = "audit"
    PERMISSIONS = "permissions"
    DEAD_LETTER = "dead_letter"


class OutgoingRecord(NamedTuple):
    """
    A record for the broker.
    """

    kind: RecordKind
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Publisher(Protocol):
    """
    The topics that are written.
    """

    async def log_id(self) -> str:
        """
        Return which log the topic of account states is at this moment.
        """
        ...

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        """
        Send records; on return the broker has all of them, in the order given for each key.

        After an error it may have any of them; sending all of them again is right.

        Raises:
            RecordTooLargeError: A record is too large for the broker.
        """
        ...


class ChangePublisher(Protocol):
    """
    The topic of changes, as one that is written.
    """

    async def publish_changes(self, changes: Sequence[tuple[str, bytes]]) -> None:
        """
        Send change events, each with the id of its organization, in the order given for each organization.

        Raises:
            RecordTooLargeError: A change is too large for the broker.
        """
        ...
