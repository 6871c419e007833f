"""
Reads for pages from PostgreSQL.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Final, LiteralString

from rooftree.organization.facts import Fact
from rooftree.reading.outline import (
    AccountRow,
    AuditFilter,
    AuditRow,
    AuditWindow,
    DeliveryRecord,
    Gathering,
    PolicyVersion,
    PositionRecord,
    ServiceVerdicts,
)
from rooftree.store.database import Row
from rooftree.store.queries import query
from rooftree.store.stored import facts_of

__all__ = ["LAST_POSITION", "OutlineReads"]

LAST_POSITION: Final = (2**63 - 1, 2**31 - 1)

EVENT_COLUMNS: Final = ("revision", "part", "parts", "time", "account_id", "verdict", "type", "event_id", "data")


class OutlineReads(ABC):
    """
    The reads for pages, over whatever runs a statement.
    """

    @abstractmethod
    async def _fetch(self, statement: LiteralString, *values: object) -> Sequence[Row]:
        """
        Run a statement and return its rows.
        """

    async def frame(self, organization_id: str) -> list[Fact]:
        """
        Return the facts about everything but accounts; of accounts only what hangs on them apart from FullAWSAccess.
        """
        return list(facts_of(await self._fetch(query("outline_frame"), organization_id)))

    async def gatherings(self, organization_id: str) -> list[Gathering]:
        """
        Return how many accounts stand under which node.
        """
        rows = await self._fetch(query("outline_gatherings"), organization_id)
        return [Gathering(**dict(row)) for row in rows]

    async def accounts_in(
        self, organization_id: str, node_id: str, *, after: tuple[str, str] = ("", ""), limit: int
    ) -> list[AccountRow]:
        """
        Return the accounts directly under a node by name and id, from after one; with an empty node, those not placed.
        """
        rows = await self._fetch(query("outline_accounts_in"), organization_id, node_id, *after, limit)
        return [_account_row(row) for row in rows]

    async def find_accounts(self, organization_id: str, text: str, *, limit: int) -> list[AccountRow]:
        """
        Return accounts by name whose name or id contains a text, in any case.
        """
        rows = await self._fetch(query("outline_find_accounts"), organization_id, text, limit)
        return [_account_row(row) for row in rows]

    async def service_verdicts(self, organization_id: str, permissions_id: str) -> list[ServiceVerdicts]:
        """
        Return how the known actions of each service are decided, by service.
        """
        rows = await self._fetch(query("outline_service_verdicts"), organization_id, permissions_id)
        return [ServiceVerdicts(**dict(row)) for row in rows]

    async def action_verdicts(self, organization_id: str, permissions_id: str, service: str) -> dict[str, str]:
        """
        Return how each known action of a service is decided.
        """
        rows = await self._fetch(query("outline_action_verdicts"), organization_id, permissions_id, service)
        return {row["action"]: row["verdict"] for row in rows}

    async def audit_revisions(
        self, organization_id: str, *, before: int | None = None, limit: int, shown: int
    ) -> list[AuditRow]:
        """
        Return the latest revisions from before one, each with the first of its events.
        """
        position = LAST_POSITION[0] if before is None else before
        rows = await self._fetch(query("outline_audit_revisions"), organization_id, position, limit, shown)
        return list(_by_revision(rows))

    async def find_audit(
        self,
        organization_id: str,
        wanted: AuditFilter,
        *,
        before: tuple[int, int] | None = None,
        scan: int,
        shown: int,
        revisions: int | None = None,
    ) -> AuditWindow:
        """
        Return those of the *scan* latest events before a position that are wanted, with *shown* of each revision, of
        the latest so many *revisions* that have any.
        """
        rows = await self._fetch(
            query("outline_find_audit"),
            organization_id,
            *(before or LAST_POSITION),
            wanted.account_id,
            scan,
            wanted.node_id,
            wanted.policy_id,
            wanted.actor,
            wanted.direction,
            wanted.service,
            wanted.since,
            wanted.until,
            wanted.verdict,
            shown,
            revisions,
        )
        looked_at, revision = rows[0]["looked_at"], rows[0]["oldest_revision"]
        return AuditWindow(
            rows=list(_by_revision(row for row in rows if row["revision"] is not None)),
            looked_at=looked_at,
            oldest=None if revision is None else (revision, rows[0]["oldest_part"]),
            more=looked_at == scan,
        )

    async def policy_versions(self, organization_id: str, policy_id: str) -> list[PolicyVersion]:
        """
        Return the documents of a policy that some chain holds, the latest first.
        """
        rows = await self._fetch(query("outline_policy_versions"), organization_id, policy_id)
        return [PolicyVersion(**dict(row)) for row in rows]

    async def delivery(self, organization_id: str) -> DeliveryRecord:
        """
        Return how far changes have come.
        """
        [row] = await self._fetch(query("outline_delivery"), organization_id)
        return DeliveryRecord(**dict(row))

    async def positions(self) -> list[PositionRecord]:
        """
        Return where reading goes on, for all organizations together.
        """
        return [PositionRecord(**dict(row)) for row in await self._fetch(query("outline_positions"))]


def _account_row(row: Row) -> AccountRow:
    return AccountRow(**{**dict(row), "path": tuple(row["path"])})


def _by_revision(rows: Iterable[Row]) -> Iterable[AuditRow]:
    for revision, members in itertools.groupby(rows, key=lambda row: row["revision"]):
        events = list(members)
        first = events[0]
        told = [{name: row[name] for name in EVENT_COLUMNS} for row in events]
        yield AuditRow(revision, first["time"], first["parts"], first["found"], told)
