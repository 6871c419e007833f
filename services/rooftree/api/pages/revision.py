"""
One change, with the whole story: who did what, which accounts, which decisions, and whether the record of it is whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from rooftree.api.pages import phrases
from rooftree.api.pages.addresses import Addresses
from rooftree.api.pages.feed import FeedEntry, entry_of, line_of
from rooftree.api.pages.roster import People, impacts_of, people_of
from rooftree.api.pages.site import Crumb, Site, Visit
from rooftree.api.pages.values import mapping_of, text_of
from rooftree.api.pages.verification import VerificationLine, verification_of_event
from rooftree.api.query import Query
from rooftree.errors import InputError
from rooftree.inquiry import wording
from rooftree.inquiry.grouping import AccountName, RevisionGroup, overtaken
from rooftree.reading.outline import AuditRow
from rooftree.reading.reader import AuditRecord, VerificationRecord
from rooftree.view.audit import seal
from rooftree.view.patch import GENESIS

__all__ = ["ACCOUNTS_NAMED", "RevisionPage", "Seal", "ToldChange", "seal_of", "told_change", "told_of"]

PARTS_READ: Final = 100
"""Accounts of one change on one page; a change of ten thousand has as many pages as it needs."""

ACCOUNTS_NAMED: Final = 12
"""Accounts that one set of requests names."""

REVISIONS_COMPARED: Final = 25
"""Changes before it, to see whether it came late: as many as the feed shows at once."""


@dataclass(frozen=True, slots=True)
class Side:
    """
    How a request is decided on one side of a change, and what decides it there.
    """

    mark: str
    decision: str
    statements: Sequence[str]


@dataclass(frozen=True, slots=True)
class ToldChange:
    """
    One set of requests whose decision has changed.

    Attributes:
        exact: Whether the words, with what is excepted from them, say all of the set and nothing else.
        example: One of them, as the lines of a request.
        accounts: The first accounts where it is so, if it is not in all accounts of the change.
        accounts_more: How many there are beside these.
        known: The number of today's actions in it, with some of them.
    """

    mark: str
    words: str
    exact: bool
    example: Sequence[tuple[str, str]]
    before: Side
    after: Side
    unless: str
    accounts: Sequence[tuple[AccountName, str]]
    accounts_more: int
    known_count: int
    known_sample: Sequence[str]
    check: str | None


@dataclass(frozen=True, slots=True)
class Seal:
    """
    Whether the events at hand are as they were sealed.

    Attributes:
        checked: How many were recomputed.
        altered: The parts that do not fit their seal.
        linked: Whether the first is sealed to what came before it.
        last: The hash of the last one.
    """

    checked: int
    altered: Sequence[int]
    linked: bool
    last: str

    @property
    def whole(self) -> bool:
        """
        Whether nothing speaks against them.
        """
        return self.linked and not self.altered


@dataclass(frozen=True, slots=True)
class Member:
    """
    One account of the change.
    """

    name: str
    account_id: str
    address: str
    place: str
    verdict: tuple[str, str] | None
    part: int
    only: str


@dataclass(frozen=True, slots=True)
class RevisionView:
    """
    What the page shows.

    Attributes:
        cause: Who, what, when, and the event behind it.
        following: Where further accounts are.
    """

    entry: FeedEntry
    revision: int
    part: int | None
    parts: int
    whole_address: str
    cause: Sequence[tuple[str, str]]
    time: datetime
    members: Sequence[Member]
    changes: Sequence[ToldChange]
    people: People | None
    seal: Seal
    verification: VerificationLine
    following: str | None
    earlier: str | None
    later: str | None
    api: str


class RevisionPage:
    """
    The page.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, request: Request) -> Response:
        """
        Tell one change, or what it is for one account.
        """
        visit = await self._site.visit(request)
        query = Query(request, "part", "after")
        revision = _number(str(request.path_params["revision"]))
        part = _number(query.text("part") or "0") or None
        start = part - 1 if part else _number(query.text("after") or "0")
        events = await self._events(visit, revision, start, 1 if part else PARTS_READ)
        if not events:
            raise HTTPException(404, f"no change `{revision}` in `{visit.organization_id}`")
        names = await visit.reader.names(visit.organization_id)
        following = await visit.reader.audit_after(visit.organization_id, (revision + 1, 0), limit=1)
        before = await visit.reader.audit(visit.organization_id, before=(revision, events[0].part), limit=1)
        told_before = await visit.reader.audit_revisions(
            visit.organization_id, before=revision, limit=REVISIONS_COMPARED, shown=1
        )
        view = told_of(
            events,
            names,
            visit.to,
            sealed_to=before[0] if before else None,
            part=part,
            later=following[0].revision if following else None,
            told_before=told_before,
            verified=await visit.reader.verifications(visit.organization_id),
        )
        crumbs = [Crumb("Audit", visit.to.audit()), Crumb(f"Change {revision}", visit.to.revision(revision))]
        return self._site.show(visit, "revision.html", view, section="audit", title=f"Change {revision}", crumbs=crumbs)

    @staticmethod
    async def _events(visit: Visit, revision: int, start: int, limit: int) -> list[AuditRecord]:
        found = await visit.reader.audit_after(visit.organization_id, (revision, start), limit=limit)
        return [event for event in found if event.revision == revision]


def told_of(
    events: Sequence[AuditRecord],
    names: Mapping[str, str],
    to: Addresses,
    *,
    sealed_to: AuditRecord | None,
    part: int | None,
    later: int | None,
    told_before: Sequence[AuditRow],
    verified: Sequence[VerificationRecord],
) -> RevisionView:
    """
    Return the story of one change.

    Args:
        events: Those of its events that are at hand, in their order.
        names: Names of policies and nodes by their ids.
        to: The pages of the organization.
        sealed_to: The event before them.
        part: The one that was asked for; None for the change as a whole.
        later: The change that came next, if one did.
        told_before: The changes before it, the latest first, which tell whether it came late.
        verified: What the last verifications have found.
    """
    first, last = events[0], events[-1]
    names = wording.names_then(first.data, names)
    group = RevisionGroup(
        first.organization_id, first.revision, first.time, len(events) if part else first.parts, events
    )
    late = overtaken([(first.revision, first.time), *((row.revision, row.time) for row in told_before)])
    entry = entry_of(group, to, late=late.get(first.revision))
    return RevisionView(
        entry=entry,
        revision=first.revision,
        part=part,
        parts=first.parts,
        whole_address=to.revision(first.revision),
        cause=_cause(first, entry),
        time=first.time,
        members=[_member(event, names, to) for event in events if event.account_id],
        changes=[
            told_change(block.change, block.accounts, names, to, (len(block.accounts), len(events)))
            for block in group.blocks
        ],
        people=people_of(impacts_of(events)),
        seal=seal_of(events, sealed_to),
        verification=verification_of_event(verified, last.position),
        following=None if part or last.part >= last.parts else f"{to.revision(first.revision)}?after={last.part}",
        earlier=to.revision(first.revision - 1) if first.revision > 1 else None,
        later=to.revision(later) if later else None,
        api=to.api("audit", account_id=first.account_id),
    )


def seal_of(events: Sequence[AuditRecord], before: AuditRecord | None) -> Seal:
    """
    Work out anew the seals of events that follow each other.
    """
    previous = _hashes(before.data).get("this", "") if before else GENESIS
    linked = _hashes(events[0].data).get("previous") == previous
    altered = []
    for event in events:
        hashes = _hashes(event.data)
        follows = hashes.get("previous") == previous or event is events[0]
        if not follows or hashes.get("this") != seal(str(hashes.get("previous")), event.data):
            altered.append(event.part)
        previous = str(hashes.get("this"))
    return Seal(len(events), altered, linked, str(previous))


def told_change(
    change: Mapping[str, Any],
    accounts: Sequence[AccountName],
    names: Mapping[str, str],
    to: Addresses,
    counts: tuple[int, int],
) -> ToldChange:
    """
    Tell one change, which touches some accounts.

    Args:
        change: The change as the first of them has it.
        accounts: The first of them.
        names: Names of policies and nodes by their ids.
        to: The pages of the organization.
        counts: How many accounts it touches, and how many are touched by anything; they are told of if there are others.
    """
    line = line_of(change)
    known = mapping_of(change.get("known_actions"))
    count, total = counts
    named = accounts[:ACCOUNTS_NAMED] if count < total else []
    return ToldChange(
        mark=line.mark,
        words=line.words,
        exact=change.get("exact") is not False or bool(change.get("unless")),
        example=_example(change),
        before=_side(change, "before", names),
        after=_side(change, "after", names),
        unless=wording.unless_words(change, names),
        accounts=[(one, to.account(one.account_id)) for one in named],
        accounts_more=count - len(named) if named else 0,
        known_count=int(str(known.get("count") or 0)),
        known_sample=[str(one) for one in known.get("sample") or []],  # type: ignore[attr-defined]
        check=_check(change, accounts[0], to),
    )


def _side(change: Mapping[str, Any], side: str, names: Mapping[str, str]) -> Side:
    decision = str(change.get(side))
    mark, words = phrases.decision(decision)
    told = wording.side_words(change, side, names)
    return Side(mark, phrases.decider(decision) if told else words, told)


def _example(change: Mapping[str, Any]) -> list[tuple[str, str]]:
    witness = mapping_of(change.get("witness"))
    if not witness:
        return []
    context = mapping_of(witness.get("context"))
    return [
        ("Action", str(witness.get("action"))),
        ("Resource", str(witness.get("resource"))),
        *((key, text_of(value)) for key, value in sorted(context.items())),
    ]


def _check(change: Mapping[str, Any], account: AccountName, to: Addresses) -> str | None:
    witness = mapping_of(change.get("witness"))
    if not witness or change.get("policy_type"):
        return None
    context = mapping_of(witness.get("context"))
    pairs = "\n".join(f"{key}={text_of(value)}" for key, value in sorted(context.items()))
    return to.page(
        "check",
        account=account.account_id,
        action=str(witness.get("action")),
        resource=str(witness.get("resource")),
        context=pairs,
    )


def _cause(event: AuditRecord, entry: FeedEntry) -> list[tuple[str, str]]:
    cause = mapping_of(event.data.get("cause"))
    return [
        ("Who", str(cause.get("actor") or "Not told by the event")),
        ("What", entry.summary),
        ("Event", str(cause.get("event_type") or "Not known")),
        ("Event id", str(cause.get("event_id") or "")),
    ]


def _member(event: AuditRecord, names: Mapping[str, str], to: Addresses) -> Member:
    path = event.data.get("path")
    account_id = event.account_id or ""
    return Member(
        name=str(event.data.get("account_name") or account_id),
        account_id=account_id,
        address=to.account(account_id),
        place=wording.place_words(path if isinstance(path, list) else [], names),
        verdict=phrases.verdict_mark(event.verdict),
        part=event.part,
        only=to.revision(event.revision, event.part),
    )


def _hashes(data: Mapping[str, object]) -> Mapping[str, object]:
    return mapping_of(data.get("chain_hash"))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InputError("expected a number", place="change")
    return int(text)
