"""
An account: what it may do at most and why, what it was, and who is in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from rooftree.api.pages import phrases
from rooftree.api.pages.charts import Period, Shares, stack, timeline
from rooftree.api.pages.feed import FeedEntry, entries_of_groups, entry_of
from rooftree.api.pages.layers import Layers, layers_of
from rooftree.api.pages.limits import ConditionalGroup, conditional_groups, groups_of_action
from rooftree.api.pages.narrowing import Step, narrow
from rooftree.api.pages.roster import People, RosterEntry, impacts_of, people_of, roster_of
from rooftree.api.pages.site import Crumb, Site, Visit, no_account
from rooftree.api.query import Query
from rooftree.errors import InputError
from rooftree.inquiry import wording
from rooftree.inquiry.grouping import group_revisions
from rooftree.inquiry.sources import LiveSource
from rooftree.inquiry.standing import Standing
from rooftree.organization.directory import Directory
from rooftree.organization.identifiers import is_account
from rooftree.reading.outline import ServiceVerdicts
from rooftree.reading.reader import AccountRecord

__all__ = ["AccountPages"]

ROWS_SHOWN: Final = 100
CHANGES_READ: Final = 60
CHANGES_SHOWN: Final = 3
GROUPS_SHOWN: Final = 6
SERVICES_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class AccountHead:
    """
    What stands at the head of every page of an account.

    Attributes:
        way: The nodes from the root to its parent.
        at: The time that is looked at; None for now.
    """

    record: AccountRecord
    way: Sequence[Crumb]
    status: tuple[str, str]
    at: datetime | None
    tabs: Sequence[tuple[str, str, bool]]
    now_address: str


@dataclass(frozen=True, slots=True)
class Overview:
    """
    The first page of an account.

    Attributes:
        layers: What its actions depend on, and *picture* the same, drawn; None while its place is not known.
        steps: The narrowing; None where no service control policy limits the account.
        summary: The maximum permissions; None while its place is not known.
        groups: Actions that depend on more than their name, and *groups_more* how many such groups there are beside.
        services: Those that are limited most.
    """

    head: AccountHead
    layers: Layers | None
    picture: Markup
    steps: Sequence[Step] | None
    summary: Mapping[str, object] | None
    groups: Sequence[ConditionalGroup]
    groups_more: int
    services: Sequence[tuple[ServiceVerdicts, str]]
    limited: int
    total: int
    changes: Sequence[FeedEntry]


@dataclass(frozen=True, slots=True)
class Services:
    """
    Every service, with how its known actions are decided.
    """

    head: AccountHead
    wanted: str
    services: Sequence[tuple[ServiceVerdicts, str]]
    total: int


@dataclass(frozen=True, slots=True)
class ActionLine:
    """
    One action of a service.

    Attributes:
        group: Which of the groups of conditions it belongs to, counted from 1; None where it depends on nothing.
    """

    name: str
    verdict: str
    group: int | None


@dataclass(frozen=True, slots=True)
class Service:
    """
    One service: each known action, and the conditions.
    """

    head: AccountHead
    service: str
    shares: Shares
    actions: Sequence[ActionLine]
    groups: Sequence[ConditionalGroup]


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """
    What the account was for some time.
    """

    record: AccountRecord
    place: str
    what: str
    address: str
    current: bool


@dataclass(frozen=True, slots=True)
class History:
    """
    What the account was.
    """

    head: AccountHead
    picture: Markup
    rows: Sequence[HistoryRow]
    changes: Sequence[FeedEntry]


@dataclass(frozen=True, slots=True)
class Principals:
    """
    Who is in the account.
    """

    head: AccountHead
    entries: Sequence[RosterEntry]
    whole: bool
    impacts: Sequence[tuple[FeedEntry, People]]


class AccountPages:
    """
    The pages of an account, one for each tab.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    async def overview(self, request: Request) -> Response:
        """
        Show what the account may do at most, and what of its chain takes how much away.
        """
        visit, account, head = await self._open(request, "")
        source = LiveSource(visit.reader, visit.organization_id)
        steps: Sequence[Step] | None = None
        summary: Mapping[str, object] | None = None
        services: list[ServiceVerdicts] = []
        if account.chain_id is not None and account.record is not None:
            ceilings = await source.ceilings([account])
            steps = narrow(ceilings, account, await source.names(), visit.to)
            permissions_id = account.record.permissions_id or ""
            summary = await visit.reader.permissions(visit.organization_id, permissions_id)
            services = await visit.reader.service_verdicts(visit.organization_id, permissions_id)
        layers = layers_of(summary) if summary else None
        groups = conditional_groups(summary or {})
        limited = sorted(
            (one for one in services if one.denied or one.conditional),
            key=lambda one: (-one.denied, -one.conditional, one.service),
        )
        # a lock to some regions makes nearly every service conditional: what is denied outright tells them apart
        most = [one for one in limited if one.denied] or limited
        view = Overview(
            head=head,
            layers=layers,
            picture=stack(layers, height=18) if layers else Markup(),
            steps=steps,
            summary=summary,
            groups=groups[:GROUPS_SHOWN],
            groups_more=max(len(groups) - GROUPS_SHOWN, 0),
            services=[
                (one, visit.to.service(account.account_id, one.service, at=head.at)) for one in most[:SERVICES_SHOWN]
            ],
            limited=len(limited),
            total=len(services),
            changes=(await self._changes(visit, account))[:CHANGES_SHOWN],
        )
        return self._show(visit, "account.html", view, head)

    async def services(self, request: Request) -> Response:
        """
        List the services with how many of their actions are allowed, conditional and denied.
        """
        visit, account, head = await self._open(request, "services", "q")
        wanted = (request.query_params.get("q") or "").strip().lower()
        found: list[ServiceVerdicts] = []
        if account.record is not None and account.record.permissions_id is not None:
            found = await visit.reader.service_verdicts(visit.organization_id, account.record.permissions_id)
        listed = [(one, visit.to.service(account.account_id, one.service, at=head.at)) for one in found]
        view = Services(head, wanted, [one for one in listed if wanted in one[0].service], len(found))
        return self._show(visit, "services.html", view, head)

    async def service(self, request: Request) -> Response:
        """
        List the known actions of one service with how each is decided, and under which conditions.
        """
        visit, account, head = await self._open(request, "services")
        service = str(request.path_params["service"])
        verdicts: Mapping[str, str] = {}
        summary: Mapping[str, object] = {}
        if account.record is not None and account.record.permissions_id is not None:
            permissions_id = account.record.permissions_id
            verdicts = await visit.reader.action_verdicts(visit.organization_id, permissions_id, service)
            summary = await visit.reader.permissions(visit.organization_id, permissions_id) or {}
        if not verdicts:
            raise HTTPException(404, f"no service `{service}` is known, or the place of the account is not")
        view = _service(head, service, verdicts, conditional_groups(summary))
        crumb = Crumb(service, visit.to.service(account.account_id, service, at=head.at))
        return self._show(visit, "service.html", view, head, crumb)

    async def history(self, request: Request) -> Response:
        """
        Show what the account was and from when to when, along time.
        """
        visit, account, head = await self._open(request, "history")
        records = await visit.reader.history(visit.organization_id, account.account_id, limit=ROWS_SHOWN)
        names = await visit.reader.names(visit.organization_id)
        changes = await self._changes(visit, account)
        now = datetime.now(UTC)
        view = History(
            head=head,
            picture=timeline(_periods(records, names), [change.time for change in changes], now=now, at=head.at),
            rows=[
                HistoryRow(
                    record=record,
                    place=_place(record, names),
                    what=_what(record, before, names),
                    address=visit.to.account(account.account_id, at=record.since),
                    current=record.since == head.record.since,
                )
                for record, before in zip(records, [*records[1:], None], strict=True)
            ],
            changes=changes,
        )
        return self._show(visit, "history.html", view, head)

    async def principals(self, request: Request) -> Response:
        """
        Show the users, groups and roles of the account, and how changes touched them.
        """
        visit, account, head = await self._open(request, "principals")
        facts = await visit.reader.principal_facts(visit.organization_id, [account.account_id])
        directory = Directory(facts)
        events = await visit.reader.audit(visit.organization_id, account_id=account.account_id, limit=CHANGES_READ)
        view = Principals(
            head=head,
            entries=roster_of(directory.grants(account.account_id).values()),
            whole=directory.is_whole(account.account_id),
            impacts=[
                (entry_of(group, visit.to, found=1), people)
                for group in group_revisions(events)
                if (people := people_of(impacts_of(group.events)))
            ],
        )
        return self._show(visit, "principals.html", view, head)

    async def _open(self, request: Request, tab: str, *known: str) -> tuple[Visit, Standing, AccountHead]:
        visit = await self._site.visit(request)
        query = Query(request, "at", *known)
        account_id = str(request.path_params["account_id"])
        if not is_account(account_id):
            raise InputError("expected 12 digits", place="account")
        at = query.form_time("at")
        source = LiveSource(visit.reader, visit.organization_id)
        account = await source.account(account_id, at=at)
        if account is None or account.record is None:
            raise no_account(visit, account_id, at)
        return visit, account, await self._head(visit, account.record, tab, at)

    @staticmethod
    async def _head(visit: Visit, record: AccountRecord, tab: str, at: datetime | None) -> AccountHead:
        names = await visit.reader.names(visit.organization_id)
        tabs = (("", "Overview"), ("services", "Services"), ("history", "History"), ("principals", "Principals"))
        return AccountHead(
            record=record,
            way=[
                Crumb("Root" if depth == 0 else names.get(node, node), visit.to.node(node))
                for depth, node in enumerate(record.path[:-1])
            ],
            status=phrases.status(record.status),
            at=at,
            tabs=[(words, visit.to.account(record.account_id, name, at=at), name == tab) for name, words in tabs],
            now_address=visit.to.account(record.account_id, tab),
        )

    async def _changes(self, visit: Visit, account: Standing) -> list[FeedEntry]:
        events = await visit.reader.audit(visit.organization_id, account_id=account.account_id, limit=CHANGES_READ)
        return entries_of_groups(list(group_revisions(events)), visit.to)

    def _show(self, visit: Visit, template: str, view: object, head: AccountHead, *more: Crumb) -> Response:
        own = Crumb(head.record.name, visit.to.account(head.record.account_id, at=head.at))
        return self._site.show(
            visit,
            template,
            view,
            section="organization",
            title=head.record.name,
            crumbs=[*head.way, own, *more],
        )


def _service(
    head: AccountHead, service: str, verdicts: Mapping[str, str], groups: Sequence[ConditionalGroup]
) -> Service:
    counts = {name: sum(verdict == name for verdict in verdicts.values()) for name in set(verdicts.values())}
    used: list[ConditionalGroup] = []
    lines = []
    for action, verdict in verdicts.items():
        found = groups_of_action(groups, f"{service}:{action}") if verdict == "conditional" else []
        number = None
        if found:
            if found[0] not in used:
                used.append(found[0])
            number = used.index(found[0]) + 1
        lines.append(ActionLine(action, verdict, number))
    shares = Shares(counts.get("allowed", 0), counts.get("conditional", 0), counts.get("denied", 0))
    return Service(head, service, shares, lines, used)


def _periods(records: Sequence[AccountRecord], names: Mapping[str, str]) -> list[Period]:
    kinds: dict[str | None, int] = {}
    found = []
    for record in reversed(records):
        kind = kinds.setdefault(record.permissions_id, len(kinds))
        until = phrases.clock(record.until) if record.until else "now"
        label = f"{phrases.clock(record.since)} to {until}: {_place(record, names)}"
        found.append(Period(record.since, record.until, kind, label))
    return found


def _what(record: AccountRecord, before: AccountRecord | None, names: Mapping[str, str]) -> str:
    """
    Say what made a row of the history differ from the one before it.
    """
    if before is None:
        return "First known"
    told = []
    if record.path != before.path:
        told.append(f"moved here from {_place(before, names)}")
    if record.name != before.name:
        told.append(f"renamed from {before.name}")
    if record.status != before.status:
        told.append(f"{before.status.lower()} before")
    if record.permissions_id != before.permissions_id:
        told.append("other permissions")
    elif record.chain_id != before.chain_id:
        told.append("other policies, the same permissions")
    return ", ".join(told).capitalize() or "Told anew"


def _place(record: AccountRecord, names: Mapping[str, str]) -> str:
    if not record.placed:
        return "not placed"
    return wording.place_words(record.path, names)
