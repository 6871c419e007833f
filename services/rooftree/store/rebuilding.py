"""
The view made anew in PostgreSQL: from the facts at once, or by having the log read again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rooftree.errors import UsageError
from rooftree.ports.outbox import Outgoing
from rooftree.store.database import Connection, Database
from rooftree.store.emitting import emit, told_pieces
from rooftree.store.inspection import load_stored_view
from rooftree.store.projection import save_permission_set
from rooftree.store.queries import query
from rooftree.store.rows import merge_patches
from rooftree.store.saving import save_accounts, save_position, save_writes
from rooftree.view.patch import PermissionState, Position
from rooftree.view.rebuilding import Rebuilt
from rooftree.view.verification import StoredView

__all__ = ["DatabaseRebuild", "Extent"]

Plan: TypeAlias = Callable[[StoredView, Position], tuple[Rebuilt, Outgoing]]


@dataclass(frozen=True, slots=True)
class Extent:
    """
    What a broker has of the topic of changes.

    Attributes:
        beginnings: The first offset that each partition still has.
    """

    log_id: str
    topic: str
    beginnings: Mapping[int, int]


class DatabaseRebuild:
    """
    Computes views anew. All raise `UnavailableError` when the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rebuild(self, organization_id: str, plan: Plan) -> Rebuilt | None:
        """
        Replace what is derived from the facts of an organization; None if there is no such organization.

        Other writers of the organization wait, and start from the new view.

        Args:
            organization_id: The organization.
            plan: What makes the view from what is stored, and what is to be sent for it.
        """
        async with self._database.transaction() as connection:
            if await connection.fetchrow(query("lock_organization"), organization_id) is None:
                return None
            head = await connection.fetchrow(query("load_organization"), organization_id)
            assert head is not None, "it is locked"
            stored = await load_stored_view(connection, organization_id)
            position = Position(**{name: value for name, value in head.items() if name != "version"})
            rebuilt, outgoing = plan(stored, position)
            async with told_pieces([rebuilt.patch.audit], outgoing) as pieces:
                await _replace(connection, organization_id, rebuilt)
                await emit(connection, organization_id, pieces, outgoing.states)
            if rebuilt.patch.accounts or rebuilt.patch.departed:
                await connection.execute(query("mark_unfilled"), organization_id)
            await connection.execute(query("nudge_relays"))
            return rebuilt

    async def rewind(self, consumer_group: str, extent: Extent) -> dict[int, int]:
        """
        Forget everything, and have the topic read from its beginning; returns how far it had been read, by partition.

        Raises:
            UsageError: The topic does not have everything any more that was read.
        """
        partitions, beginnings = list(extent.beginnings), list(extent.beginnings.values())
        async with self._database.transaction() as connection:
            # The offsets first, as a projector does: one that is in the middle of a batch is waited for, and the
            # next one finds that it does not stand where its batch starts.
            rows = await connection.fetch(
                query("rewind_offsets"), consumer_group, extent.log_id, extent.topic, partitions, beginnings
            )
            missing = await connection.fetchval(
                query("changes_of_other_logs"), extent.log_id, extent.topic, partitions, beginnings
            )
            if missing:
                raise UsageError(
                    f"the topic `{extent.topic}` no longer has {missing} of the records that the view was made from;"
                    " leave out --from-topic to compute it from the facts",
                    place="--from-topic",
                )
            await connection.execute(query("empty_the_view"))
        return {row["partition_id"]: row["next_offset"] for row in rows}

    async def offsets(self, consumer_group: str, extent: Extent) -> dict[int, int]:
        """
        Return how far the topic was read, by partition.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(query("stored_offsets"), consumer_group, extent.log_id, extent.topic)
        return {row["partition_id"]: row["next_offset"] for row in rows}


async def _replace(connection: Connection, organization_id: str, rebuilt: Rebuilt) -> None:
    writes = merge_patches([rebuilt.patch])
    await connection.execute(query("drop_accounts"), organization_id)
    await connection.execute(query("drop_documents"), organization_id)
    await save_writes(connection, organization_id, writes)
    unchanged = [row for row in rebuilt.accounts if row.account_id not in writes.steps]
    await save_accounts(connection, organization_id, unchanged, {row.account_id: row.since for row in unchanged})
    await _replace_permission_sets(connection, organization_id, rebuilt.permission_sets)
    await save_position(connection, organization_id, writes.position)


async def _replace_permission_sets(
    connection: Connection, organization_id: str, states: Sequence[PermissionState]
) -> None:
    await connection.execute(query("drop_permission_sets"), organization_id, [each.permissions_id for each in states])
    for state in states:
        await save_permission_set(connection, organization_id, state)
