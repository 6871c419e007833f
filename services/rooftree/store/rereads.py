"""
Requests to read something anew, into the store and out of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rooftree.organization.rereads import Reread, RereadRequest
from rooftree.store.database import Connection, Row
from rooftree.store.queries import query
from rooftree.view.patch import Patch

__all__ = ["RereadWrites", "reread_of", "save_rereads"]


@dataclass(slots=True)
class RereadWrites:
    """
    What several patches of one organization say about requests, as one; None stands for what is deleted.
    """

    rows: dict[tuple[str, str], Reread | None] = field(default_factory=dict)

    @classmethod
    def of(cls, patches: Iterable[Patch]) -> RereadWrites:
        """
        Make one of patches that are given in their order.
        """
        writes = cls()
        for patch in (patch.rereads for patch in patches):
            writes.rows.update((key, None) for key in patch.gone)
            writes.rows.update((one.request.key, one) for one in patch.open)
        return writes


async def save_rereads(connection: Connection, organization_id: str, writes: RereadWrites) -> None:
    """
    Write what a commit says about the requests of one organization, whose row is locked.
    """
    states = [state for state in writes.rows.values() if state is not None]
    if states:
        columns = zip(*map(_columns, states), strict=True)
        await connection.execute(query("save_rereads"), organization_id, *(list(column) for column in columns))
    if gone := [key for key, state in writes.rows.items() if state is None]:
        await connection.execute(query("remove_rereads"), organization_id, *map(list, zip(*gone, strict=True)))


def reread_of(row: Row) -> Reread:
    """
    Return the request that a row holds.
    """
    return Reread(
        request=RereadRequest(row["kind"], row["object_id"], row["reason"], row["doubtful"]),
        since=row["since"],
        asked_at=row["asked_at"],
        source=row["source"],
        event_id=row["event_id"],
    )


def _columns(reread: Reread) -> tuple[object, ...]:
    request = reread.request
    return (
        request.kind,
        request.object_id,
        request.reason,
        request.doubtful,
        reread.since,
        reread.asked_at,
        reread.source,
        reread.event_id,
    )
