"""
Records that could not be processed, and the later attempts at them.
"""

from __future__ import annotations

from dataclasses import dataclass

from rooftree.ports.change_log import LogPartition, LogRecord
from rooftree.reading.reader import LetterName

__all__ = ["DeadLetter", "OpenLetters", "Replay", "StoredLetter"]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """
    A record that could not be processed, and why.

    Attributes:
        organization_id: The organization that misses it, or empty.
        disposition: ``undecodable``, ``unknown_schema``, ``refused``, ``too_large`` or ``fault``.
        superseded: Whether a snapshot in the same batch has told anew all that is missed.
    """

    record: LogRecord
    organization_id: str
    reason: str
    place: str
    disposition: str
    error_class: str
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class Replay:
    """
    A dead letter that was tried again.

    Attributes:
        failure: Why it could not be processed this time either; None if it was.
    """

    letter: LetterName
    failure: DeadLetter | None


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """
    A dead letter with where it came from.
    """

    partition: LogPartition
    letter: DeadLetter
    software_version: str

    @property
    def name(self) -> LetterName:
        """
        What names it.
        """
        place = (self.partition.log_id, self.partition.topic, self.partition.partition)
        return LetterName(self.letter.organization_id, *place, self.letter.record.offset)


@dataclass(frozen=True, slots=True)
class OpenLetters:
    """
    The dead letters of an organization that wait.

    Attributes:
        count: How many.
        replayed: Of the replays asked about, by letter and digest, those of a letter that waits with just these bytes.
    """

    count: int
    replayed: frozenset[tuple[LetterName, bytes]]
