"""
Dead letters that come again: what they do to the letter, and to the mark of its organization.

A replay is the letter's bytes on the changes topic, with a header that names the letter. It is processed as any other
record, by the one writer of its organization, and what becomes of the letter is part of the same transaction.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rooftree.ports import DeadLetter, LogRecord, OpenLetters, OutgoingRecord, ProjectionStore, RecordKind, Replay

__all__ = ["LETTER_HEADER", "Letter", "Replays", "find_replays", "letter_name", "replay_record"]

LETTER_HEADER = "rooftree-letter"

_NAME = re.compile(rb"(?P<organization>o-[a-z0-9]{10,32})?/(?P<letter>[0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Letter:
    """
    A dead letter, by name.
    """

    organization_id: str
    letter_id: int


_Digested: TypeAlias = tuple[int, bytes]


def letter_name(organization_id: str, letter_id: int) -> bytes:
    """
    Return the value of the header that names a letter.
    """
    return f"{organization_id}/{letter_id}".encode()


def replay_record(organization_id: str, letter_id: int, record: LogRecord) -> OutgoingRecord:
    """
    Return the record that makes the service process the bytes of a letter again.

    Its key is the organization, where that is known, so that it comes to the partition of the organization's writer.
    """
    key = organization_id.encode() or record.key
    headers = tuple(header for header in record.headers if header[0] != LETTER_HEADER)
    told = (LETTER_HEADER, letter_name(organization_id, letter_id))
    return OutgoingRecord(RecordKind.CHANGE, key, record.value, (*headers, told))


async def find_replays(store: ProjectionStore, records: Sequence[LogRecord]) -> Replays:
    """
    Return which of *records* are replays of letters that wait.

    A header is only believed together with the bytes: nobody clears a mark by sending something else.

    Raises:
        UnavailableError: The store does not answer.
    """
    told: defaultdict[str, list[_Digested]] = defaultdict(list)
    for record in records:
        letter = _told(record)
        if letter is not None:
            told[letter.organization_id].append((letter.letter_id, _digest(record)))
    return Replays({each: await store.open_letters(each, replays) for each, replays in told.items()})


class Replays:
    """
    The letters that a batch replays, while it is worked on.

    Attributes:
        outcomes: What became of those that were tried.
    """

    def __init__(self, found: dict[str, OpenLetters]) -> None:
        self._waiting = {organization_id: letters.count for organization_id, letters in found.items()}
        self._replayed = {
            (organization_id, *replay) for organization_id, letters in found.items() for replay in letters.replayed
        }
        self.outcomes: list[Replay] = []

    def letter(self, record: LogRecord) -> Letter | None:
        """
        Return the letter that a record is a replay of, if it still waits.
        """
        told = _told(record)
        if told is None or (told.organization_id, told.letter_id, _digest(record)) not in self._replayed:
            return None
        return told

    def succeeded(self, letter: Letter) -> bool:
        """
        Take down that a letter was processed; tells whether it was the last one of its organization.
        """
        self._replayed = {each for each in self._replayed if each[:2] != (letter.organization_id, letter.letter_id)}
        self._waiting[letter.organization_id] -= 1
        self.outcomes.append(Replay(letter.organization_id, letter.letter_id, None))
        return bool(letter.organization_id) and self._waiting[letter.organization_id] == 0

    def failed(self, letter: Letter, failure: DeadLetter) -> None:
        """
        Take down that a letter could not be processed this time either.
        """
        self.outcomes.append(Replay(letter.organization_id, letter.letter_id, failure))

    def parked(self, organization_id: str) -> None:
        """
        Take down that an organization has got one more letter.
        """
        if organization_id in self._waiting:
            self._waiting[organization_id] += 1

    def superseded(self, organization_id: str) -> None:
        """
        Take down that a snapshot has said all that the letters of an organization could have said.
        """
        if organization_id in self._waiting:
            self._waiting[organization_id] = 0
            self._replayed = {each for each in self._replayed if each[0] != organization_id}


def _told(record: LogRecord) -> Letter | None:
    for name, value in reversed(record.headers):
        if name == LETTER_HEADER:
            match = _NAME.fullmatch(value or b"")
            return None if match is None else Letter((match["organization"] or b"").decode(), int(match["letter"]))
    return None


def _digest(record: LogRecord) -> bytes:
    return hashlib.sha256(record.value or b"").digest()
