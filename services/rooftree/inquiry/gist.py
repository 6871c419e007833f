"""
The gist of a report: what a page shows of it, and how much there is beside that.
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

__all__ = ["Gist", "GistOfAccount", "GistOfChange", "Room", "gist_of", "read_gist"]


@dataclass(frozen=True, slots=True)
class Room:
    """
    How much a page has room for.

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
class GistOfAccount:
    """
    An account that decides otherwise.
    """

    account_id: str
    name: str
    verdict: str


@dataclass(frozen=True, slots=True)
class GistOfChange:
    """
    A distinct change, with the first of its accounts.

    Attributes:
        count: How many accounts it touches.
    """

    change: dict[str, Any]
    accounts: Sequence[AccountName]
    count: int


@dataclass(frozen=True, slots=True)
class Gist:
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
    accounts: Sequence[GistOfAccount]
    changes: Sequence[GistOfChange]
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
        Return the gist as it goes from one process to another.
        """
        return orjson.dumps(self)


def gist_of(report: Report, room: Room) -> Gist:
    """
    Return as much of a report as there is room for, and the numbers of all of it.
    """
    blocks, groups = report.blocks(), distinct_touches(report.impacts)
    return Gist(
        compared=report.compared,
        verdicts=dict(report.verdicts),
        accounts=nsmallest(room.accounts, _accounts(report, room), key=lambda account: account.account_id),
        changes=[
            GistOfChange(block.change, block.accounts[: room.named], len(block.accounts))
            for block in blocks[: room.changes]
        ],
        change_count=len(blocks),
        reach=wording.reach_words(impact for _, impact in report.impacts),
        groups=groups[: room.groups],
        grouped_elsewhere=sum(len(group.arns) for group in groups[room.groups :]),
        left_out=len(report.left_out),
    )


def _accounts(report: Report, room: Room) -> Iterator[GistOfAccount]:
    for alike in report.alike:
        for name in alike.names[: room.accounts]:
            yield GistOfAccount(name.account_id, name.name, alike.comparison.verdict)


def read_gist(text: bytes) -> Gist:
    """
    Return the gist that another process has worked out.
    """
    return _READER.validate_json(text)


_READER: Final = TypeAdapter(Gist)
