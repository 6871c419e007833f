"""
The audit feed: what changed, the latest first, with filters and as it happens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from rooftree.api.pages import phrases
from rooftree.api.pages.feed import FeedEntry, entries_of
from rooftree.api.pages.site import Crumb, Site, Visit
from rooftree.api.query import Query, decode_cursor, encode_cursor, read_form_time
from rooftree.errors import InputError
from rooftree.organization.identifiers import is_account
from rooftree.organization.timestamps import format_time
from rooftree.reading.outline import AuditFilter, AuditRow

__all__ = ["AuditPage", "read_filter"]

REVISIONS_SHOWN: Final = 25
PARTS_READ: Final = 12
"""Of each revision: a change of ten thousand accounts says in each nearly the same."""

SCANNED: Final = 2500
"""Events that one look holds against a filter. Older ones are a click away: no look reads all there is."""

FILTERS: Final = {
    "account_id": "Account",
    "under": "Under unit",
    "policy_id": "Policy",
    "actor": "Who",
    "direction": "Now",
    "verdict": "Limits",
    "service": "Service",
    "since": "From",
    "until": "Before",
}
"""Each as the form calls it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """
    Something that a filter can be set to.
    """

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class AuditView:
    """
    What the page shows.

    Attributes:
        labels: What the form calls the filters.
        chosen: The filters as they are set.
        problem: What is wrong with them; None where nothing is.
        looked_at: How many events were held against the filters; None without any.
        following: Where older events are.
        rows: Where the page can be asked for new rows alone.
        newest: The latest revision there is.
    """

    entries: Sequence[FeedEntry]
    labels: Mapping[str, str]
    chosen: dict[str, str]
    problem: str | None
    filtered: bool
    looked_at: int | None
    following: str | None
    first_page: bool
    units: Sequence[Choice]
    policies: Sequence[Choice]
    rows: str
    stream: str
    newest: int
    csv: str
    ndjson: str


class AuditPage:
    """
    The page.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, request: Request) -> Response:
        """
        List what changed.
        """
        visit = await self._site.visit(request)
        query = Query(request, *FILTERS, "before")
        chosen = {name: value for name in FILTERS if (value := query.text(name))}
        try:
            view = await self._found(visit, chosen, read_filter(query), _position(query.text("before")))
        except InputError as error:
            view = await self._refused(visit, chosen, phrases.problem(error, FILTERS))
        crumbs = [Crumb("Audit", visit.to.audit())]
        return self._site.show(
            visit,
            "audit.html",
            view,
            section="audit",
            title="Audit",
            crumbs=crumbs,
            status=400 if view.problem else 200,
        )

    async def _found(
        self, visit: Visit, chosen: Mapping[str, str], wanted: AuditFilter, before: tuple[int, int] | None
    ) -> AuditView:
        rows, looked_at, oldest = await self._look(visit, wanted, before)
        return replace(
            await self._empty(visit, chosen),
            entries=entries_of(visit.organization_id, rows, visit.to, shown=REVISIONS_SHOWN),
            filtered=not wanted.is_empty,
            looked_at=looked_at,
            following=visit.to.audit(**chosen, before=oldest) if oldest else None,
            first_page=before is None,
            rows=visit.to.page("audit/rows", **chosen) + ("" if chosen else "?"),
            stream=visit.to.api("audit/stream", **_exported(chosen)),
            csv=visit.to.api("audit/export", **_exported(chosen), format="csv"),
            ndjson=visit.to.api("audit/export", **_exported(chosen), format="ndjson"),
        )

    async def _refused(self, visit: Visit, chosen: Mapping[str, str], problem: str) -> AuditView:
        return replace(await self._empty(visit, chosen), filtered=True, problem=problem)

    @staticmethod
    async def _empty(visit: Visit, chosen: Mapping[str, str]) -> AuditView:
        """
        Return the page with its form, before anything was looked for.
        """
        names = await visit.reader.names(visit.organization_id)
        return AuditView(
            entries=[],
            labels=FILTERS,
            chosen={name: chosen.get(name, "") for name in FILTERS},
            problem=None,
            filtered=False,
            looked_at=None,
            following=None,
            first_page=False,
            units=_choices(names, "ou-"),
            policies=_choices(names, "p-"),
            rows="",
            stream="",
            newest=visit.organization.revision,
            csv=visit.to.api("audit/export", format="csv"),
            ndjson=visit.to.api("audit/export", format="ndjson"),
        )

    async def rows(self, request: Request) -> Response:
        """
        Return the latest rows alone, for a page that is open already.
        """
        visit = await self._site.visit(request)
        query = Query(request, *FILTERS, "newer")
        newer = _revision(query.text("newer"))
        rows, _, _ = await self._look(visit, read_filter(query), None)
        entries = entries_of(visit.organization_id, rows, visit.to, shown=REVISIONS_SHOWN)
        return self._site.bare(
            request, "audit_rows.html", {"entries": [one for one in entries if one.revision > newer]}
        )

    @staticmethod
    async def _look(
        visit: Visit, wanted: AuditFilter, before: tuple[int, int] | None
    ) -> tuple[Sequence[AuditRow], int | None, str | None]:
        """
        Return rows, how many events were looked at for them, and the position before which older ones are.

        There is one row more than is shown where there are older ones.
        """
        if wanted.is_empty:
            latest = await visit.reader.audit_revisions(
                visit.organization_id,
                before=before[0] if before else None,
                limit=REVISIONS_SHOWN + 1,
                shown=PARTS_READ,
            )
            last = latest[REVISIONS_SHOWN - 1] if len(latest) > REVISIONS_SHOWN else None
            return latest, None, encode_cursor([str(last.revision), "1"]) if last else None
        window = await visit.reader.find_audit(
            visit.organization_id,
            wanted,
            before=before,
            scan=SCANNED,
            shown=PARTS_READ,
            revisions=REVISIONS_SHOWN + 1,
        )
        rows = window.rows
        more = len(rows) > REVISIONS_SHOWN
        oldest = (rows[REVISIONS_SHOWN - 1].revision, 1) if more else window.oldest if window.more else None
        return rows, window.looked_at, encode_cursor([str(part) for part in oldest]) if oldest else None


def read_filter(query: Query) -> AuditFilter:
    """
    Read the filters of a request.

    Raises:
        InputError: One of them cannot be.
    """
    account_id, direction, verdict = query.text("account_id"), query.text("direction"), query.text("verdict")
    if account_id is not None and not is_account(account_id):
        raise InputError("expected 12 digits", place="account_id")
    if direction not in (None, "allowed", "denied"):
        raise InputError("expected `allowed` or `denied`", place="direction")
    if verdict not in (None, "tightened", "loosened", "mixed"):
        raise InputError("expected `tightened`, `loosened` or `mixed`", place="verdict")
    return AuditFilter(
        account_id=account_id,
        node_id=query.text("under"),
        policy_id=query.text("policy_id"),
        actor=query.text("actor"),
        direction=direction,
        service=query.text("service"),
        verdict=verdict,
        since=query.form_time("since"),
        until=query.form_time("until"),
    )


def _exported(chosen: Mapping[str, str]) -> dict[str, str]:
    """
    Return filters as the API takes them: times in full.
    """
    exported = dict(chosen)
    for name in ("since", "until"):
        if name in exported:
            exported[name] = format_time(read_form_time(exported[name], name))
    return exported


def _choices(names: dict[str, str], prefix: str) -> list[Choice]:
    found = [Choice(subject, name) for subject, name in names.items() if subject.startswith(prefix)]
    return sorted(found, key=lambda choice: choice.words.casefold())


def _position(cursor: str | None) -> tuple[int, int] | None:
    if cursor is None:
        return None
    revision, part = decode_cursor(cursor, 2)
    return (_revision(revision), _revision(part))


def _revision(text: str | None) -> int:
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InputError("expected a number", place="audit")
    return int(text)
