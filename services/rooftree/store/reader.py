"""
Reads of the stored view from PostgreSQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, LiteralString

import asyncpg

from rooftree.errors import UnavailableError
from rooftree.organization.chains import ChainRecord
from rooftree.organization.facts import Fact
from rooftree.organization.principal_facts import PrincipalFact
from rooftree.organization.rereads import Reread
from rooftree.reading.reader import (
    EVERY_ACCOUNT,
    AccountFilter,
    AccountRecord,
    AuditRecord,
    BoundAccount,
    LogLoss,
    OrganizationRecord,
    ReconciliationRecord,
    VerificationRecord,
    VerificationState,
)
from rooftree.store.database import Row
from rooftree.store.outline import LAST_POSITION, OutlineReads
from rooftree.store.principals import principal_fact_of
from rooftree.store.probes import probe_of
from rooftree.store.queries import query
from rooftree.store.rereads import reread_of
from rooftree.store.restricted import Connections, LentConnection
from rooftree.store.stored import chain_of, facts_of
from rooftree.view.patch import ProbeState

__all__ = ["DatabaseReader"]

FIRST_REREAD: Final = (datetime.min.replace(tzinfo=UTC), "", "")


class DatabaseReader(OutlineReads):
    """
    The port of readers over a pool of connections.
    """

    def __init__(self, database: Connections) -> None:
        self._database: Connections = database

    @asynccontextmanager
    async def moment(self) -> AsyncIterator[None]:
        """
        Have the reads within the block share one connection, and see one moment if that is lent within a transaction.
        """
        async with self._database.connection() as connection:
            lender, self._database = self._database, LentConnection(connection)
            try:
                yield
            finally:
                self._database = lender

    async def organizations(self) -> list[OrganizationRecord]:
        """
        Return all organizations by id.
        """
        return [OrganizationRecord(**dict(row)) for row in await self._fetch(query("read_organizations"))]

    async def count_accounts(self, organization_id: str) -> int:
        """
        Return how many accounts an organization has.
        """
        [row] = await self._fetch(query("read_account_count"), organization_id)
        return int(row["count"])

    async def accounts(
        self,
        organization_id: str,
        *,
        after: str = "",
        limit: int | None = None,
        at: datetime | None = None,
        wanted: AccountFilter = EVERY_ACCOUNT,
    ) -> list[AccountRecord]:
        """
        Return the accounts whose id sorts after *after*, by id, as they are or were *at* a time.
        """
        narrowed = (wanted.text, wanted.under, wanted.status)
        if at is None:
            rows = await self._fetch(query("read_accounts_now"), organization_id, after, limit, *narrowed)
        else:
            rows = await self._fetch(query("read_accounts_at"), organization_id, after, limit, *narrowed, at)
        return [_account(row) for row in rows]

    async def account(
        self, organization_id: str, account_id: str, *, at: datetime | None = None
    ) -> AccountRecord | None:
        """
        Return one account as it is, or was *at* a time.
        """
        if at is None:
            rows = await self._fetch(query("read_account_now"), organization_id, account_id)
        else:
            rows = await self._fetch(query("read_account_at"), organization_id, account_id, at)
        return _account(rows[0]) if rows else None

    async def bound_account(
        self, organization_id: str, account_id: str, *, at: datetime | None = None
    ) -> BoundAccount | None:
        """
        Return one account with what binds it, as they are or were *at* a time.
        """
        if at is None:
            rows = await self._fetch(query("read_bound_account_now"), organization_id, account_id)
        else:
            rows = await self._fetch(query("read_bound_account_at"), organization_id, account_id, at)
        return _bound_account(rows[0]) if rows else None

    async def organizations_of(self, account_id: str) -> list[str]:
        """
        Return the organizations that have or had an account, by id.
        """
        return [row["organization_id"] for row in await self._fetch(query("read_organizations_of"), account_id)]

    async def history(
        self, organization_id: str, account_id: str, *, before: datetime | None = None, limit: int | None = None
    ) -> list[AccountRecord]:
        """
        Return what an account was, the latest first; with *before*, from rows that began earlier.
        """
        rows = await self._fetch(query("read_account_history"), organization_id, account_id, before, limit)
        return [_account(row) for row in rows]

    async def permissions(self, organization_id: str, permissions_id: str) -> Mapping[str, object] | None:
        """
        Return the summary of a set of maximum permissions.
        """
        rows = await self._fetch(query("read_permission_set"), organization_id, permissions_id)
        return dict(rows[0]["permissions"]) if rows else None

    async def chains(self, organization_id: str, chain_ids: Iterable[str]) -> dict[str, ChainRecord]:
        """
        Return those of the chains that are known.
        """
        rows = await self._fetch(query("read_chains"), organization_id, sorted(set(chain_ids)))
        return {row["chain_id"]: chain_of(row) for row in rows}

    async def documents(self, organization_id: str, digests: Iterable[str]) -> dict[str, str]:
        """
        Return the texts of those of the policy documents that are known.
        """
        rows = await self._fetch(query("read_documents"), organization_id, sorted(set(digests)))
        return {row["digest"]: row["content"] for row in rows}

    async def names(self, organization_id: str) -> dict[str, str]:
        """
        Return the names of organizational units and policies by their ids.
        """
        return {row["subject"]: row["value"] for row in await self._fetch(query("read_names"), organization_id)}

    async def facts(self, organization_id: str) -> list[Fact]:
        """
        Return everything that is known about an organization.
        """
        return list(facts_of(await self._fetch(query("load_facts"), organization_id)))

    async def principal_facts(self, organization_id: str, account_ids: Collection[str]) -> list[PrincipalFact]:
        """
        Return everything that is known about the principals of some accounts.
        """
        rows = await self._fetch(query("read_principal_facts"), organization_id, list(account_ids))
        return [principal_fact_of(row) for row in rows]

    async def count_principals(self, organization_id: str, account_ids: Collection[str]) -> dict[str, int]:
        """
        Return how many users and roles are known of each of some accounts.
        """
        rows = await self._fetch(query("read_principal_counts"), organization_id, list(account_ids))
        return {row["account_id"]: row["count"] for row in rows}

    async def principal_documents(self, organization_id: str, digests: Iterable[str]) -> dict[str, str]:
        """
        Return the texts of those of the documents of principals that are known.
        """
        rows = await self._fetch(query("read_principal_documents"), organization_id, sorted(set(digests)))
        return {row["digest"]: row["content"] for row in rows}

    async def probes(self, organization_id: str) -> list[ProbeState]:
        """
        Return the probes of an organization by name.
        """
        return [probe_of(row) for row in await self._fetch(query("load_probes"), organization_id)]

    async def audit(
        self,
        organization_id: str,
        *,
        account_id: str | None = None,
        before: tuple[int, int] | None = None,
        limit: int = 100,
    ) -> list[AuditRecord]:
        """
        Return audit events, the latest first, from before a position.
        """
        position = before or LAST_POSITION
        if account_id is None:
            rows = await self._fetch(query("read_audit_before"), organization_id, *position, limit)
        else:
            rows = await self._fetch(query("read_account_audit_before"), organization_id, *position, limit, account_id)
        return [AuditRecord(**dict(row)) for row in rows]

    async def audit_after(
        self, organization_id: str, position: tuple[int, int], *, account_id: str | None = None, limit: int = 100
    ) -> list[AuditRecord]:
        """
        Return audit events in their order, from after a position.
        """
        if account_id is None:
            rows = await self._fetch(query("read_audit_after"), organization_id, *position, limit)
        else:
            rows = await self._fetch(query("read_account_audit_after"), organization_id, *position, limit, account_id)
        return [AuditRecord(**dict(row)) for row in rows]

    async def rereads(
        self, organization_id: str, *, after: tuple[datetime, str, str] | None = None, limit: int = 100
    ) -> list[Reread]:
        """
        Return what is to be read anew by the API of AWS, the longest asked for first, from after one by its time, its
        kind and its object.
        """
        rows = await self._fetch(query("read_rereads"), organization_id, *(after or FIRST_REREAD), limit)
        return [reread_of(row) for row in rows]

    async def reconciliations(
        self, organization_id: str, *, before: int | None = None, limit: int = 20
    ) -> list[ReconciliationRecord]:
        """
        Return the latest comparisons of an organization with AWS, the latest first, from before one by its number.
        """
        rows = await self._fetch(
            query("read_reconciliations"), organization_id, LAST_POSITION[0] if before is None else before, limit
        )
        return [ReconciliationRecord(**dict(row)) for row in rows]

    async def verifications(self, organization_id: str) -> list[VerificationRecord]:
        """
        Return what the last verifications of an organization have found, by subject.
        """
        rows = await self._fetch(query("read_verifications"), organization_id)
        return [VerificationRecord(**dict(row)) for row in rows]

    async def verification_states(self) -> list[VerificationState]:
        """
        Return how things stand with all organizations that were verified, by subject.
        """
        return [VerificationState(**dict(row)) for row in await self._fetch(query("read_verification_states"))]

    async def audit_event(self, organization_id: str, event_id: str) -> AuditRecord | None:
        """
        Return one audit event.
        """
        rows = await self._fetch(query("read_audit_event"), organization_id, event_id)
        return AuditRecord(**dict(rows[0])) if rows else None

    async def count_seen(self, organization_id: str, source: str, event_ids: Iterable[str]) -> int:
        """
        Return how many of some events of one source the view holds.
        """
        [row] = await self._fetch(query("read_seen_count"), organization_id, source, list(event_ids))
        return int(row["count"])

    async def log_loss(self) -> LogLoss | None:
        """
        Return where projectors have stopped since the broker had lost unread records; None if none has.
        """
        [row] = await self._fetch(query("read_log_losses"))
        return LogLoss(**dict(row)) if row["partitions"] else None

    async def check(self) -> None:
        """
        Return if the database answers and holds the schema.
        """
        await self._fetch(query("read_organizations"))

    async def _fetch(self, statement: LiteralString, *values: object) -> Sequence[Row]:
        try:
            async with self._database.connection() as connection:
                return await connection.fetch(statement, *values)
        except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError, asyncpg.UndefinedColumnError) as error:
            raise UnavailableError(f"PostgreSQL: {error}; `rooftree migrate` makes the schema") from error


def _account(row: Row) -> AccountRecord:
    return _account_of(row.values())


def _bound_account(row: Row) -> BoundAccount:
    *columns, is_bound, _ = row.values()
    # A chain without levels limits nothing, and must not be taken for one that is not there.
    return BoundAccount(_account_of(columns), chain_of(row) if is_bound else None)


def _account_of(columns: Iterable[Any]) -> AccountRecord:
    # By position, as the statements name them: by name, ten thousand accounts take twice as long.
    organization_id, account_id, name, email, status, path, *others = columns
    return AccountRecord(organization_id, account_id, name, email, status, tuple(path), *others)
