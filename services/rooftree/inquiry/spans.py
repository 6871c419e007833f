"""
What an account was between two times, and which of its decisions have changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rooftree.inquiry.comparing import Difference, find_difference
from rooftree.inquiry.sources import LiveSource
from rooftree.inquiry.standing import Standing
from rooftree.reading.reader import AccountRecord

__all__ = ["Span", "find_span"]


@dataclass(frozen=True, slots=True)
class Span:
    """
    An account from one time to another.

    Attributes:
        rows: The rows that it had in between, the latest first.
        before: What it was at the first time; None if it was not in the organization.
        after: What it was at the second time; None if it was not in the organization.
        difference: What differs between the two; None where nothing does or one of them is missing.
    """

    organization_id: str
    account_id: str
    since: datetime
    until: datetime | None
    rows: Sequence[AccountRecord]
    before: Standing | None
    after: Standing | None
    difference: Difference | None

    @property
    def compared(self) -> bool:
        """
        Whether there was something at both times.
        """
        return self.before is not None and self.after is not None


async def find_span(source: LiveSource, account_id: str, since: datetime, until: datetime | None) -> Span | None:
    """
    Return an account between two times, the second None for now; None if it had no row then.

    Raises:
        UnavailableError: The database does not answer.
    """
    # A row that starts at the second time is what held at it.
    behind = None if until is None else until + timedelta(microseconds=1)
    rows = [
        row
        for row in await source.reader.history(source.organization_id, account_id, before=behind)
        if row.until is None or row.until > since
    ]
    if not rows:
        return None
    before = await source.account(account_id, at=since)
    after = await source.account(account_id, at=until)
    difference = await find_difference(source, before, after) if before and after else None
    return Span(source.organization_id, account_id, since, until, rows, before, after, difference)
