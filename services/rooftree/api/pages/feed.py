"""
Audit events as the feed tells them: one entry a revision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rooftree.api.pages import phrases
from rooftree.api.pages.addresses import Addresses
from rooftree.api.pages.values import mapping_of
from rooftree.inquiry import wording
from rooftree.inquiry.grouping import AccountName, RevisionGroup, overtaken
from rooftree.reading.outline import AuditRow
from rooftree.reading.reader import AuditRecord

__all__ = ["FeedEntry", "Line", "entries_of", "entries_of_groups", "entry_of", "line_of"]

NAMED: Final = 4
"""Accounts that an entry names; the page of the change lists all."""

LINES: Final = 3
"""Changes that an entry tells."""


@dataclass(frozen=True, slots=True)
class Line:
    """
    One set of requests that is decided otherwise.

    Attributes:
        mark: ``allowed`` or ``denied``: how they are decided now.
    """

    mark: str
    words: str


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """
    One change of decisions.

    Attributes:
        verdict: Its mark and word; None where no decision of an account has changed.
        summary: What caused it.
        actor: Who did it, in short; *actor_name* in full.
        accounts: The first accounts, and *accounts_more* how many there are beside them.
        lines: What is decided otherwise, and *lines_more* how much there is beside it.
        flips: The probes that are decided otherwise, as mark and words.
        complete: Whether nothing was known to be missing.
        late: The change that was told before this one and happened after it, with its address; None where none was.
    """

    revision: int
    address: str
    time: datetime
    title: str
    verdict: tuple[str, str] | None
    summary: str
    actor: str
    actor_name: str
    accounts: Sequence[tuple[AccountName, str]]
    accounts_more: int
    lines: Sequence[Line]
    lines_more: int
    flips: Sequence[tuple[str, str]]
    impact: str | None
    complete: bool
    late: tuple[int, str] | None


def entries_of(
    organization_id: str, rows: Sequence[AuditRow], to: Addresses, *, shown: int | None = None
) -> list[FeedEntry]:
    """
    Return what the feed tells of revisions, the latest first.

    Args:
        organization_id: The organization.
        rows: The revisions.
        to: The pages of the organization.
        shown: How many of them are told; the rest show which of these came late.
    """
    late = overtaken((row.revision, row.time) for row in rows)
    return [
        entry_of(_group(organization_id, row), to, found=row.found, late=late.get(row.revision)) for row in rows[:shown]
    ]


def entries_of_groups(groups: Sequence[RevisionGroup], to: Addresses) -> list[FeedEntry]:
    """
    Return what the feed of one account tells of revisions, the latest first.
    """
    late = overtaken((group.revision, group.time) for group in groups)
    return [entry_of(group, to, found=1, late=late.get(group.revision)) for group in groups]


def _group(organization_id: str, row: AuditRow) -> RevisionGroup:
    events = [AuditRecord(organization_id=organization_id, **dict(event)) for event in row.events]  # type: ignore[arg-type]
    return RevisionGroup(organization_id, row.revision, row.time, row.parts, events)


def entry_of(group: RevisionGroup, to: Addresses, *, found: int | None = None, late: int | None = None) -> FeedEntry:
    """
    Return what the feed tells of a revision.

    Args:
        group: Its events.
        to: The pages of the organization.
        found: How many of its events are meant; all of them, unless it is given.
        late: The revision that was told before it and happened after it.
    """
    cause = mapping_of(group.events[0].data.get("cause"))
    blocks = group.blocks
    accounts = group.accounts
    return FeedEntry(
        revision=group.revision,
        address=to.revision(group.revision),
        time=group.time,
        title=group.title,
        verdict=phrases.verdict_mark(group.verdict),
        summary=_summary(group, str(cause.get("summary") or cause.get("event_type") or "An unknown change")),
        actor=phrases.actor(cause.get("actor")),
        actor_name=str(cause.get("actor") or ""),
        accounts=[(account, to.account(account.account_id)) for account in accounts[:NAMED]],
        accounts_more=max((group.parts if found is None else found) - min(len(accounts), NAMED), 0) if accounts else 0,
        lines=[line_of(block.change) for block in blocks[:LINES]],
        lines_more=max(len(blocks) - LINES, 0),
        flips=[_flip(flip) for flip in group.flips],
        impact=group.impact,
        complete=group.complete,
        late=None if late is None else (late, to.revision(late)),
    )


def _summary(group: RevisionGroup, words: str) -> str:
    # what is said of a decision begins with a name, and names stay as they are
    return phrases.sentence(words) if wording.is_of_organization(group.events[0].type) else words


def line_of(change: Mapping[str, Any]) -> Line:
    """
    Return one change in words, without the lead that the mark says.
    """
    words = wording.change_words(change)
    lead, _, rest = words.partition(": ")
    about = f"{rest}, to anybody, on its resources" if "to anybody" in lead else rest
    return Line("allowed" if change.get("direction") == "allowed" else "denied", about)


def _flip(flip: Mapping[str, Any]) -> tuple[str, str]:
    before, after = flip.get("before"), flip.get("after")
    told = f"was {_decided(before)}, is {_decided(after)}"
    words = wording.flip_words(flip).removeprefix("probe ").replace(f"was {before}, is {after}", told)
    return ("good" if flip.get("as_expected") is True else "bad", words)


def _decided(name: object) -> str:
    return phrases.decision(str(name))[1].lower()
