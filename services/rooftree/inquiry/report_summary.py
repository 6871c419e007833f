"""
The summary of a report: what a page shows of it, and how much there is beside that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any, Final

import orjson
from pydantic import TypeAdapter

from rooftree.inquiry import wording
from rooftree.inquiry.comparing import Report
from rooftree.inquiry.grouping import AccountName
from rooftree.inquiry.touches import TouchedGroup, distinct_touches

__all__ = ["AccountSummary", "ChangeSummary", "ReportSummary", "SummaryLimits", "read_summary", "summarize"]


@dataclass(frozen=True, slots=True)
class SummaryLimits:
    """
    How much of a report a page shows.

    Attributes:
        accounts: Accounts that decide otherwise.
        changes: Distinct changes.
        named: Accounts of one change.
        groups: Groups of users and roles.
    """

    accounts: int
    changes: int
    named: int
    groups: int


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """
    An account that decides otherwise.
    """

    account_id: str
    name: str
    verdict: str


@dataclass(frozen=True, slots=True)
class ChangeSummary:
    """
    A distinct change, with the first of its accounts.

    Attributes:
        count: How many accounts it touches.
    """

    change: dict[str, Any]
    accounts: Sequence[AccountName]
    count: int


@dataclass(frozen=True, slots=True)
class ReportSummary:
    """
    What a page shows of a report.

    Attributes:
        compared: How many accounts are in both states.
        verdicts: How many accounts have each verdict.
        accounts: The first accounts that decide otherwise.
        changes: The changes that reach furthest, of *change_count*.
        reach: How many users and roles are touched, in words; None where none of them is known.
        groups: The largest groups of them.
        grouped_elsewhere: How many users and roles are in other groups.
        left_out: Of how many accounts the users and roles were not looked at.
    """

    compared: int
    verdicts: dict[str, int]
    accounts: Sequence[AccountSummary]
    changes: Sequence[ChangeSummary]
    change_count: int
    reach: str | None
    groups: Sequence[TouchedGroup]
    grouped_elsewhere: int
    left_out: int

    @property
    def count(self) -> int:
        """
        How many accounts decide otherwise.
        """
        return sum(self.verdicts.values())

    def to_bytes(self) -> bytes:
        """
        Return the summary as it goes from one process to another.
        """
        return orjson.dumps(self)


def summarize(report: Report, limits: SummaryLimits) -> ReportSummary:
    """
    Return as much of a report as a page shows, and the numbers of all of it.
    """
    blocks, groups = report.blocks(), distinct_touches(report.impacts)
    return ReportSummary(
        compared=report.compared,
        verdicts=dict(report.verdicts),
        accounts=nsmallest(limits.accounts, _accounts(report, limits), key=lambda account: account.account_id),
        changes=[
            ChangeSummary(block.change, block.accounts[: limits.named], len(block.accounts))
            for block in blocks[: limits.changes]
        ],
        change_count=len(blocks),
        reach=wording.reach_words(impact for _, impact in report.impacts),
        groups=groups[: limits.groups],
        grouped_elsewhere=sum(len(group.arns) for group in groups[limits.groups :]),
        left_out=len(report.left_out),
    )


def _accounts(report: Report, limits: SummaryLimits) -> Iterator[AccountSummary]:
    for alike in report.alike:
        for name in alike.names[: limits.accounts]:
            yield AccountSummary(name.account_id, name.name, alike.comparison.verdict)


def read_summary(text: bytes) -> ReportSummary:
    """
    Return the summary that another process has worked out.
    """
    return _READER.validate_json(text)


_READER: Final = TypeAdapter(ReportSummary)
