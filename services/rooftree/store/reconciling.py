"""
The reconciler's side of the store: one round at a time an organization, and what came of each.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from rooftree.organization.rereads import Reread
from rooftree.ports.reconciliation import KnownOrganization
from rooftree.store.database import Database, connect_database, translated_errors
from rooftree.store.queries import query
from rooftree.store.rereads import reread_of
from rooftree.store.stored import facts_of

__all__ = ["PostgresReconciliation"]


class PostgresReconciliation:
    """
    The port `ReconciliationStore` on PostgreSQL.
    """

    def __init__(self, database: Database, dsn: str, *, connect_timeout: float = 10) -> None:
        self._database = database
        self._dsn = dsn
        self._connect_timeout = connect_timeout

    @asynccontextmanager
    async def claim(self, organization_id: str) -> AsyncIterator[bool]:
        """
        Keep other reconcilers away from an organization for the time of the context, or tell that one is at it.

        The lock is that of a session of its own, since a round lasts longer than any transaction should.
        """
        connection = await connect_database(
            self._dsn, connect_timeout=self._connect_timeout, application_name="rooftree-reconciler-lock"
        )
        try:
            with translated_errors():
                is_ours = bool(await connection.fetchval(query("try_lock_reconciliation"), organization_id))
                if is_ours:
                    await connection.execute(query("abandon_reconciliations"), organization_id)
            yield is_ours
        finally:
            await connection.close()

    async def since_last(self, organization_id: str) -> float | None:
        """
        Return how many seconds ago the last round over the whole organization that came to an end began.
        """
        async with self._database.connection() as connection:
            age = await connection.fetchval(query("since_last_reconciliation"), organization_id)
        return None if age is None else float(age)

    async def known(self, organization_id: str) -> KnownOrganization:
        """
        Return what is stored of an organization, as of one moment.
        """
        async with self._database.transaction(read_only=True) as connection:
            head = await connection.fetchrow(query("load_organization"), organization_id)
            facts = await connection.fetch(query("load_facts"), organization_id)
        is_incomplete = head is not None and head["incomplete_since"] is not None
        until = head["incomplete_until"] if head is not None and is_incomplete else None
        return KnownOrganization(tuple(facts_of(facts)), until)

    async def rereads(self, organization_id: str) -> Sequence[Reread]:
        """
        Return what is to be read anew, the longest asked for first.
        """
        async with self._database.connection() as connection:
            return [reread_of(row) for row in await connection.fetch(query("load_rereads"), organization_id)]

    async def begin(self, organization_id: str, occasion: str) -> int:
        """
        Write down that a round begins, and return its number; rounds of long ago are forgotten.
        """
        async with self._database.connection() as connection:
            await connection.execute(query("trim_reconciliations"), organization_id)
            return int(await connection.fetchval(query("begin_reconciliation"), organization_id, occasion))

    async def finish(
        self,
        organization_id: str,
        reconciliation_id: int,
        *,
        moment: datetime,
        accounts: int | None,
        postponed: int,
        by_kind: Mapping[str, int],
        differences: Sequence[Mapping[str, object]],
    ) -> None:
        """
        Write down what a round has found.
        """
        found = sum(by_kind.values())
        told = (moment, accounts, found, postponed, dict(by_kind), list(differences))
        async with self._database.connection() as connection:
            await connection.execute(query("finish_reconciliation"), organization_id, reconciliation_id, *told)

    async def fail(self, organization_id: str, reconciliation_id: int, reason: str) -> None:
        """
        Write down why a round came to nothing.
        """
        async with self._database.connection() as connection:
            await connection.execute(query("fail_reconciliation"), organization_id, reconciliation_id, reason)
