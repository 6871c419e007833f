"""
When an event that was not accepted is sent again, and when it is given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["Answer", "Step", "Verdict", "next_step"]

PAUSES: Final = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 21600, 28800)
"""Seconds after each attempt: about 22 hours in all, so that a night and a morning are outlived."""

REFUSED_ATTEMPTS: Final = 5
"""Attempts at an event that is refused as such: a receiver that is being deployed may mend within minutes."""

MOST_PAUSE: Final = 28800


class Verdict(StrEnum):
    """
    What follows from an attempt.
    """

    ACCEPTED = "accepted"
    AGAIN = "again"
    GIVEN_UP = "given_up"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What came of an attempt.

    Attributes:
        status: The HTTP status; None if there was no answer.
        reason: What went wrong, in one line.
        retry_after: Seconds that the receiver asks for.
    """

    status: int | None
    reason: str = ""
    retry_after: float | None = None

    @property
    def accepted(self) -> bool:
        """
        Whether the receiver has taken it.
        """
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Step:
    """
    What to do next.

    Attributes:
        pause: Seconds until the next attempt.
    """

    verdict: Verdict
    pause: float = 0.0


def next_step(answer: Answer, *, attempts: int, jitter: float) -> Step:
    """
    Return what follows from an attempt.

    Args:
        answer: What came of it.
        attempts: How many were made, this one included.
        jitter: A random number from 0 to 1: receivers that come back are not met by everything at once.
    """
    status = answer.status
    if answer.accepted:
        return Step(Verdict.ACCEPTED)
    if status == 410:
        return Step(Verdict.GONE)
    # Too early, too often, too slow, and all that a server blames on itself, may pass.
    refused = status is not None and 300 <= status < 500 and status not in {408, 409, 425, 429}
    if attempts > (REFUSED_ATTEMPTS - 1 if refused else len(PAUSES)):
        return Step(Verdict.GIVEN_UP)
    pause = PAUSES[attempts - 1] * (0.8 + 0.4 * jitter)
    return Step(Verdict.AGAIN, max(pause, min(answer.retry_after or 0.0, MOST_PAUSE)))
