"""
Dead letters as records: the original key, value and headers untouched, with headers added that say why.
"""

from __future__ import annotations

import hashlib

from rooftree.ports.letters import StoredLetter
from rooftree.ports.publishing import OutgoingRecord, RecordKind
from rooftree.workers.replays import LETTER_HEADER, name_letter, sendable_headers

__all__ = ["letter_record", "without_value"]

_PREFIX = "rooftree-"


def letter_record(stored: StoredLetter) -> OutgoingRecord:
    """
    Return the record that goes to the dead-letter topic.
    """
    letter, partition = stored.letter, stored.partition
    told = {
        "topic": partition.topic,
        "partition": str(partition.partition),
        "offset": str(letter.record.offset),
        "log": partition.log_id,
        "reason": letter.reason,
        "place": letter.place,
        "disposition": letter.disposition,
        "error-class": letter.error_class,
        "organization": letter.organization_id,
        "version": stored.software_version,
    }
    added = tuple((f"{_PREFIX}{name}", text.encode()) for name, text in told.items())
    # Whoever copies the record back to the topic of changes, headers included, replays the letter.
    name = (LETTER_HEADER, name_letter(stored.name))
    headers = (*sendable_headers(letter.record.headers), *added, name)
    return OutgoingRecord(RecordKind.DEAD_LETTER, letter.record.key, letter.record.value, headers)


def without_value(record: OutgoingRecord) -> OutgoingRecord:
    """
    Return a record too large for the broker without its value, with headers that say so; the store keeps the bytes.
    """
    value = record.value or b""
    told = (
        (f"{_PREFIX}value-omitted", str(len(value)).encode()),
        (f"{_PREFIX}value-sha256", hashlib.sha256(value).hexdigest().encode()),
    )
    return record._replace(value=None, headers=(*record.headers, *told))
