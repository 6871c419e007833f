"""
Audit events that are wanted out of all there are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rooftree.reading.outline import AuditFilter
from rooftree.reading.reader import AuditRecord, Reader

__all__ = ["FoundEvents", "admits", "every_event", "search_audit"]

SCAN: Final = 500
"""Events that one statement holds against a filter: some megabytes at most."""

SCANS: Final = 8
"""Statements for one page; a page of rare events may be short, and the next goes on where it ended."""

Position = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FoundEvents:
    """
    A page of audit events, the latest first.

    Attributes:
        following: The position before which the next page begins; None where there is nothing older.
    """

    events: Sequence[AuditRecord]
    following: Position | None


async def search_audit(
    reader: Reader, organization_id: str, wanted: AuditFilter, *, before: Position | None, limit: int
) -> FoundEvents:
    """
    Return the latest events from before a position that are wanted, up to *limit* of them.

    Raises:
        UnavailableError: The database does not answer.
    """
    if wanted.is_empty or wanted == AuditFilter(account_id=wanted.account_id):
        found = await reader.audit(organization_id, account_id=wanted.account_id, before=before, limit=limit + 1)
        return FoundEvents(found[:limit], found[limit - 1].position if len(found) > limit else None)
    events: list[AuditRecord] = []
    for _ in range(SCANS):
        window = await reader.find_audit(organization_id, wanted, before=before, scan=SCAN, shown=SCAN)
        for row in window.rows:
            events += sorted(_records(organization_id, row.events), key=lambda event: event.position, reverse=True)
        if len(events) > limit:
            return FoundEvents(events[:limit], events[limit - 1].position)
        if not window.more:
            return FoundEvents(events, None)
        before = window.oldest
        if len(events) == limit:
            break
    return FoundEvents(events, before)


async def every_event(
    reader: Reader, organization_id: str, wanted: AuditFilter
) -> AsyncIterator[Sequence[AuditRecord]]:
    """
    Yield all events that are wanted, the latest first, in parts.

    Raises:
        UnavailableError: The database does not answer.
    """
    before: Position | None = None
    while True:
        found = await search_audit(reader, organization_id, wanted, before=before, limit=SCAN)
        yield found.events
        if found.following is None:
            return
        before = found.following


def admits(wanted: AuditFilter, event: AuditRecord) -> bool:
    """
    Tell whether an event is wanted: as the database does, for one that is at hand.
    """
    data = event.data
    changes: Sequence[Mapping[str, Any]] = _list(data.get("changes"))
    return (
        wanted.account_id in {None, event.account_id}
        and (wanted.node_id is None or wanted.node_id in _list(data.get("path")))
        and (wanted.policy_id is None or any(_names_policy(change, wanted.policy_id) for change in changes))
        and (wanted.actor is None or wanted.actor.lower() in str(_cause(data).get("actor") or "").lower())
        and (wanted.direction is None or any(change.get("direction") == wanted.direction for change in changes))
        and (wanted.service is None or any(_speaks_of(change, wanted.service) for change in changes))
        and wanted.verdict in {None, event.verdict}
        and (wanted.since is None or event.time >= wanted.since)
        and (wanted.until is None or event.time < wanted.until)
    )


def _records(organization_id: str, events: Iterable[Mapping[str, Any]]) -> Iterable[AuditRecord]:
    return (AuditRecord(organization_id=organization_id, **event) for event in events)


def _names_policy(change: Mapping[str, Any], policy_id: str) -> bool:
    return any(statement.get("policy_id") == policy_id for statement in change.get("statements", ()))


def _speaks_of(change: Mapping[str, Any], service: str) -> bool:
    patterns = change.get("actions", {}).get("any_of", ())
    return any(pattern == "*" or pattern.partition(":")[0].lower() == service.lower() for pattern in patterns)


def _cause(data: Mapping[str, Any]) -> Mapping[str, Any]:
    cause = data.get("cause")
    return cause if isinstance(cause, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
