"""
All that is stored about an organization, as of one moment, for those who verify it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from rooftree.store.database import Connection, Database, Row
from rooftree.store.queries import query
from rooftree.store.stored import account_of, chain_of, facts_of
from rooftree.view.patch import AuditEvent
from rooftree.view.verification import FoundState, Seen, Span, StoredPermissions, StoredView, gap_starts

__all__ = ["DatabaseInspection", "load_stored_view"]


class DatabaseInspection:
    """
    Reads for verification, and what it has found. All raise `UnavailableError` when the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stored_view(self, organization_id: str) -> StoredView:
        """
        Return all that is stored about an organization, as of one moment.
        """
        async with self._database.transaction(read_only=True) as connection:
            return await load_stored_view(connection, organization_id)

    async def audit_after(self, organization_id: str, position: tuple[int, int], *, limit: int) -> list[AuditEvent]:
        """
        Return audit events in their order, from after a position, with every column.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(query("inspect_audit"), organization_id, *position, limit)
        return [AuditEvent(**dict(row)) for row in rows]

    async def sources(self, organization_id: str, event_ids: Iterable[str]) -> dict[str, set[str]]:
        """
        Return the sources of the changes of some ids; those of records that were no changes are the topics.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(query("inspect_sources"), organization_id, sorted(set(event_ids)))
        found: defaultdict[str, set[str]] = defaultdict(set)
        for row in rows:
            found[row["event_id"]].add(row["source"])
        return found

    async def keep(self, found: FoundState) -> None:
        """
        Write down what a verification has found, for everybody who asks later.
        """
        async with self._database.connection() as connection:
            await connection.execute(
                query("keep_verification"),
                *(found.organization_id, found.subject, *found.position, found.checked, found.faults, found.fault),
            )

    async def topics(self) -> set[str]:
        """
        Return the topics from which records were read.
        """
        async with self._database.connection() as connection:
            return {row["topic"] for row in await connection.fetch(query("inspect_topics"))}


async def load_stored_view(connection: Connection, organization_id: str) -> StoredView:
    """
    Return all that is stored about an organization, in the transaction of the caller.
    """

    async def fetch(name: str, *values: object) -> Sequence[Row]:
        return await connection.fetch(query(name), organization_id, *values)

    history: defaultdict[str, list[Span]] = defaultdict(list)
    for row in await fetch("inspect_history"):
        history[row["account_id"]].append(_span(row))
    removals = [Seen(row["time"], _order(row)) for row in await fetch("inspect_removals")]
    seen_at = {row["time"]: _order(row) for row in await fetch("inspect_seen_at", sorted(gap_starts(history)))}
    return StoredView(
        organization_id=organization_id,
        facts=list(facts_of(await fetch("load_facts"))),
        accounts={row["account_id"]: account_of(row) for row in await fetch("load_accounts")},
        history=history,
        chains={row["chain_id"]: chain_of(row) for row in await fetch("inspect_chains")},
        documents={row["digest"]: row["content"] for row in await fetch("inspect_documents")},
        permission_sets=_permission_sets(
            await fetch("inspect_permission_sets"), await fetch("inspect_permission_set_services")
        ),
        removals=removals,
        seen_at=seen_at,
    )


def _span(row: Row) -> Span:
    valid_to, *columns = row
    return Span(valid_to, account_of(columns))


def _order(row: Row) -> tuple[datetime, int]:
    return row["recorded_at"], row["record_offset"]


def _permission_sets(sets: Iterable[Row], services: Iterable[Row]) -> dict[str, StoredPermissions]:
    by_set: defaultdict[str, dict[str, tuple[str, Mapping[str, str]]]] = defaultdict(dict)
    for row in services:
        by_set[row["permissions_id"]][row["service"]] = (row["verdict"], row["exceptions"])
    return {
        row["permissions_id"]: StoredPermissions(row["permissions"], row["verdict"], by_set[row["permissions_id"]])
        for row in sets
    }
