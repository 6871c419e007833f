"""
What the last verification says of an organization, and of one event.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rooftree.reading.reader import VerificationRecord

__all__ = ["VerificationLine", "verification_of_event", "verifications"]

AUDIT: Final = "audit"
UNKNOWN: Final = ("quiet", "Not verified yet")
SUBJECTS: Final = {
    AUDIT: ("The audit events, each by its seal", "rooftree audit verify", "events"),
    "view": ("Every account and its history, from the facts", "rooftree verify", "accounts and rows of history"),
}


@dataclass(frozen=True, slots=True)
class VerificationLine:
    """
    How something stands.

    Attributes:
        words: More about it; what is wrong, if something is.
        at: When it was verified; None if it was not.
        command: What verifies it.
    """

    subject: str
    mark: tuple[str, str]
    words: str
    at: datetime | None
    command: str


def verifications(found: Iterable[VerificationRecord]) -> list[VerificationLine]:
    """
    Return how everything that can be verified stands.
    """
    by_subject = {record.subject: record for record in found}
    return [_verification(by_subject.get(subject), *told) for subject, told in SUBJECTS.items()]


def verification_of_event(found: Iterable[VerificationRecord], position: tuple[int, int]) -> VerificationLine:
    """
    Return how an event stands: by the last verification of all of them, which goes from the first one to a fault or an end.
    """
    subject, command, _ = SUBJECTS[AUDIT]
    record = next((one for one in found if one.subject == AUDIT), None)
    if record is None:
        return VerificationLine(subject, UNKNOWN, "Nobody has verified the whole chain yet.", None, command)
    if position <= (record.revision, record.part):
        return VerificationLine(
            subject, ("good", "Verified"), "It is whole, and so is all before it.", record.verified_at, command
        )
    if record.fault is not None:
        return VerificationLine(subject, ("bad", "Failed"), record.fault, record.verified_at, command)
    words = f"The last verification went up to change {record.revision}."
    return VerificationLine(subject, UNKNOWN, words, record.verified_at, command)


def _verification(record: VerificationRecord | None, subject: str, command: str, rows: str) -> VerificationLine:
    if record is None:
        return VerificationLine(subject, UNKNOWN, "", None, command)
    if record.fault is None:
        words = f"{record.checked:,} {rows}, up to change {record.revision}"
        return VerificationLine(subject, ("good", "Verified"), words, record.verified_at, command)
    more = f" and {record.faults - 1:,} more" if record.faults > 1 else ""
    return VerificationLine(subject, ("bad", "Failed"), f"{record.fault}{more}", record.verified_at, command)
