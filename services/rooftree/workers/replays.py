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

from rooftree.ports.change_log import LogRecord
from rooftree.ports.letters import DeadLetter, OpenLetters, Replay
from rooftree.ports.projection import ProjectionStore
from rooftree.ports.publishing import OutgoingRecord, RecordKind
from rooftree.reading.reader import LetterName

__all__ = ["LETTER_HEADER", "Replays", "find_replays", "name_letter", "replay_record", "sendable_headers"]

LETTER_HEADER = "rooftree-letter"

# A log may have a slash in its id; what stands around it has none.
_NAME = re.compile(
    rb"(?P<organization>o-[a-z0-9]{10,32})?/(?P<log>[!-~]{1,255})/(?P<topic>[a-zA-Z0-9._-]{1,249})"
    rb"/(?P<partition>[0-9]{1,9})/(?P<offset>[0-9]{1,18})"
)


def name_letter(letter: LetterName) -> bytes:
    """
    Return the value of the header that names a letter.
    """
    place = f"{letter.log_id}/{letter.topic}/{letter.partition}/{letter.offset}"
    return f"{letter.organization_id}/{place}".encode()


def replay_record(letter: LetterName, record: LogRecord) -> OutgoingRecord:
    """
    Return the record that makes the service process the bytes of a letter again.

    Its key is the organization, where that is known, so that it comes to the partition of the organization's writer.
    """
    key = letter.organization_id.encode() or record.key
    headers = tuple(header for header in sendable_headers(record.headers) if header[0] != LETTER_HEADER)
    told = (LETTER_HEADER, name_letter(letter))
    return OutgoingRecord(RecordKind.CHANGE, key, record.value, (*headers, told))


def sendable_headers(headers: Sequence[tuple[str, bytes]]) -> tuple[tuple[str, bytes], ...]:
    """
    Return headers with names that the client can send: bytes that are no UTF-8 are spelled out.
    """
    return tuple(
        (name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"), value) for name, value in headers
    )


async def find_replays(store: ProjectionStore, records: Sequence[LogRecord]) -> Replays:
    """
    Return which of *records* are replays of letters that wait.

    A header is only believed together with the bytes: nobody clears a mark by sending something else.

    Raises:
        UnavailableError: The store does not answer.
    """
    told: defaultdict[str, list[tuple[LetterName, bytes]]] = defaultdict(list)
    for record in records:
        letter = _told(record)
        if letter is not None:
            told[letter.organization_id].append((letter, _digest(record)))
    return Replays({each: await store.open_letters(each, replays) for each, replays in told.items()})


class Replays:
    """
    The letters that a batch replays, while it is worked on.

    Attributes:
        outcomes: What became of those that were tried.
    """

    def __init__(self, found: dict[str, OpenLetters]) -> None:
        self._waiting = {organization_id: letters.count for organization_id, letters in found.items()}
        self._replayed = {replay for letters in found.values() for replay in letters.replayed}
        self.outcomes: list[Replay] = []

    def letter(self, record: LogRecord) -> LetterName | None:
        """
        Return the letter that a record is a replay of, if it still waits.
        """
        told = _told(record)
        return told if told is not None and (told, _digest(record)) in self._replayed else None

    def succeeded(self, letter: LetterName) -> bool:
        """
        Take down that a letter was processed; tells whether it was the last one of its organization.
        """
        self._replayed = {replay for replay in self._replayed if replay[0] != letter}
        self._waiting[letter.organization_id] -= 1
        self.outcomes.append(Replay(letter, None))
        return bool(letter.organization_id) and self._waiting[letter.organization_id] == 0

    def failed(self, letter: LetterName, failure: DeadLetter) -> None:
        """
        Take down that a letter could not be processed this time either.
        """
        self.outcomes.append(Replay(letter, failure))

    def parked(self, letter: LetterName, record: LogRecord) -> None:
        """
        Take down that an organization has got one more letter; its replay may be in the same batch.
        """
        if letter.organization_id in self._waiting:
            self._waiting[letter.organization_id] += 1
            self._replayed.add((letter, _digest(record)))

    def superseded(self, organization_id: str) -> None:
        """
        Take down that a snapshot has said all that the letters of an organization could have said.
        """
        if organization_id in self._waiting:
            self._waiting[organization_id] = 0
            self._replayed = {replay for replay in self._replayed if replay[0].organization_id != organization_id}


def _told(record: LogRecord) -> LetterName | None:
    for name, value in reversed(record.headers):
        if name == LETTER_HEADER:
            match = _NAME.fullmatch(value or b"")
            return None if match is None else _letter(match)
    return None


def _letter(match: re.Match[bytes]) -> LetterName:
    organization_id, log_id, topic = (text.decode() for text in match.groups(b"")[:3])
    return LetterName(organization_id, log_id, topic, int(match["partition"]), int(match["offset"]))


def _digest(record: LogRecord) -> bytes:
    return hashlib.sha256(record.value or b"").digest()
