"""
Audit events: a list, one of them, all of them as a file, and those to come.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from rooftree.api.endpoint import NDJSON, Asked, Endpoint, Moment, OrganizationQuery, PageQuery, Part
from rooftree.api.query import decode_cursor, encode_cursor
from rooftree.api.stream import EVENT_STREAM, AuditStream, read_event_id
from rooftree.contracts.fields import AccountId, ParentId
from rooftree.contracts.resources.decisions import AuditEvent
from rooftree.contracts.resources.envelopes import Page
from rooftree.errors import InputError
from rooftree.inquiry.auditing import every_event, search_audit
from rooftree.inquiry.documents import audit_answer, audit_document
from rooftree.inquiry.wording import change_words
from rooftree.organization.timestamps import format_time
from rooftree.reading.outline import AuditFilter
from rooftree.reading.reader import AuditRecord

__all__ = ["ENDPOINTS"]

CSV: Final = "text/csv"

COLUMNS: Final = (
    "time",
    "revision",
    "part",
    "event_id",
    "type",
    "account_id",
    "account_name",
    "verdict",
    "summary",
    "actor",
    "changes",
)


class AuditQuery(OrganizationQuery):
    """
    Which audit events are meant.
    """

    account_id: AccountId | None = Field(None, description="Only events of this account.")
    under: ParentId | None = Field(None, description="Only events of accounts below this node.")
    policy_id: (
        Annotated[
            str, Field(pattern="^p-[0-9a-zA-Z_]{8,128}$", description="Only changes that a statement of it decides.")
        ]
        | None
    ) = None
    actor: Part | None = Field(None, description="A part of who acted, in any case.")
    direction: Literal["denied", "allowed"] | None = Field(
        None, description="Only events with requests that are now denied, or now allowed."
    )
    service: Annotated[str, Field(pattern="^[a-zA-Z0-9-]{1,64}$", description="Such as `s3`.")] | None = None
    verdict: Literal["tightened", "loosened", "mixed"] | None = Field(
        None, description="Only events by which an account may do less, more, or less here and more there."
    )
    since: Moment | None = Field(None, description="From this time on.")
    until: Moment | None = Field(None, description="Before this time.")

    @property
    def wanted(self) -> AuditFilter:
        """
        The same as a filter.
        """
        return AuditFilter(
            account_id=self.account_id,
            node_id=self.under,
            policy_id=self.policy_id,
            actor=self.actor,
            direction=self.direction,
            service=self.service,
            verdict=self.verdict,
            since=self.since,
            until=self.until,
        )


class ExportQuery(AuditQuery):
    """
    Which audit events are meant, and as what.
    """

    format: Literal["csv", "ndjson"] | None = Field(
        None, description="For links, which cannot set `Accept`; it goes before that header."
    )


class AuditPageQuery(AuditQuery, PageQuery):
    """
    Which part of the list of audit events is meant.
    """


class StreamQuery(AuditQuery):
    """
    Which audit events are meant, and from where on.
    """

    last_event_id: (
        Annotated[
            str,
            Field(
                pattern="^o-[a-z0-9]{10,32}:[0-9]{1,18}:[0-9]{1,9}$",
                description="The id of the last event that is known, where the header `Last-Event-ID` cannot be set.",
            ),
        ]
        | None
    ) = None


class EventQuery(OrganizationQuery):
    """
    Which audit event is meant.
    """

    event_id: Annotated[str, Field(pattern="^[0-9A-Za-z._-]{1,128}$")]


async def list_events(asked: Asked[AuditPageQuery, None]) -> Page[AuditEvent]:
    """
    List audit events, the latest first.
    """
    query = asked.parameters
    found = await search_audit(
        asked.reader, asked.organization_id, query.wanted, before=_position(query.cursor), limit=query.limit
    )
    more = encode_cursor([str(part) for part in found.following]) if found.following else None
    return Page[AuditEvent].model_construct(items=[audit_answer(record) for record in found.events], next=more)


async def show_event(asked: Asked[EventQuery, None]) -> AuditEvent:
    """
    Return one audit event.
    """
    record = await asked.reader.audit_event(asked.organization_id, asked.parameters.event_id)
    if record is None:
        raise HTTPException(404, f"no audit event `{asked.parameters.event_id}` in `{asked.organization_id}`")
    return audit_answer(record)


async def export_events(asked: Asked[ExportQuery, None]) -> Response:
    """
    Return all audit events that are wanted as a file.
    """
    parts = every_event(asked.reader, asked.organization_id, asked.parameters.wanted)
    ending = asked.parameters.format or ("csv" if asked.accepts == CSV else "ndjson")
    lines, media = (_table(parts), CSV) if ending == "csv" else (_lines(parts), NDJSON)
    name = f"rooftree-audit-{asked.organization_id}.{ending}"
    return StreamingResponse(lines, media_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'})


async def stream_events(asked: Asked[StreamQuery, None]) -> Response:
    """
    Send audit events as they come.
    """
    query = asked.parameters
    told = asked.request.headers.get("last-event-id") or query.last_event_id
    after = read_event_id(told, asked.organization_id) if told else None
    return AuditStream(
        asked.backing.feed, asked.request, organization_id=asked.organization_id, wanted=query.wanted, after=after
    )


def _position(cursor: str | None) -> tuple[int, int] | None:
    if cursor is None:
        return None
    parts = decode_cursor(cursor, 2)
    if not all(
        part.isascii() and part.isdigit() and len(part) < limit for part, limit in zip(parts, (19, 10), strict=True)
    ):
        raise InputError("not a cursor of this list", place="cursor")
    return int(parts[0]), int(parts[1])


async def _lines(parts: AsyncIterator[Sequence[AuditRecord]]) -> AsyncIterator[bytes]:
    async for events in parts:
        yield b"".join(orjson.dumps(audit_document(event)) + b"\n" for event in events)


async def _table(parts: AsyncIterator[Sequence[AuditRecord]]) -> AsyncIterator[bytes]:
    yield _rows([COLUMNS])
    async for events in parts:
        yield _rows(_row(event) for event in events)


def _rows(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _harmless(cell: object) -> str:
    """
    Return a cell that no spreadsheet takes for a formula: names come from outside.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _row(event: AuditRecord) -> tuple[object, ...]:
    data = event.data
    cause, changes = data.get("cause"), data.get("changes")
    told: Mapping[str, Any] = cause if isinstance(cause, dict) else {}
    return (
        format_time(event.time),
        event.revision,
        event.part,
        event.event_id,
        event.type,
        event.account_id,
        data.get("account_name"),
        event.verdict,
        told.get("summary"),
        told.get("actor"),
        "; ".join(change_words(change) for change in changes) if isinstance(changes, list) else "",
    )


ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/audit",
        "listAuditEvents",
        "List audit events, the latest first; with a filter a page may be short and still have one after it",
        list_events,
        answer=Page[AuditEvent],
        parameters=AuditPageQuery,
        revalidates=True,
    ),
    Endpoint(
        "GET",
        "/audit/export",
        "exportAuditEvents",
        "Return all audit events that are wanted as a file, the latest first",
        export_events,
        others={NDJSON: "Audit events, one a line", CSV: "A table with one row an event"},
        parameters=ExportQuery,
    ),
    Endpoint(
        "GET",
        "/audit/stream",
        "streamAuditEvents",
        "Send audit events as they come (server-sent events), from after `Last-Event-ID` if that is given",
        stream_events,
        others={EVENT_STREAM: "Server-sent events: `id` is organization:revision:part, `data` an audit event"},
        parameters=StreamQuery,
    ),
    Endpoint(
        "GET",
        "/audit/events/{event_id}",
        "showAuditEvent",
        "Return one audit event",
        show_event,
        answer=AuditEvent,
        parameters=EventQuery,
        revalidates=True,
    ),
)
