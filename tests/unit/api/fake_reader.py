"""
The port of readers over a few records in memory.
"""

# ruff: noqa: D102  # the port says what each method promises
from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from copy import copy
from datetime import UTC, datetime, timedelta
from itertools import groupby

from tests.unit.api.fake_outline import FakeOutline

from rooftree.access.caller import Organizations
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
from rooftree.view.patch import ProbeState

ORGANIZATION = "o-exampleorg"
START = datetime(2026, 1, 1, tzinfo=UTC)
PERMISSIONS: Mapping[str, object] = {"unlimited": True}


def account(number: int, *, name: str | None = None) -> AccountRecord:
    """
    Return an account of the example organization.
    """
    identifier = f"{number:012}"
    return AccountRecord(
        organization_id=ORGANIZATION,
        account_id=identifier,
        name=name or f"account-{number}",
        email=None,
        status="ACTIVE",
        path=("r-ab12", "ou-ab12-aaaaaaaa", identifier),
        placed=True,
        complete=True,
        chain_id="c1",
        permissions_id="p1",
        revision=1,
        since=START,
        until=None,
        cause_event_id="e1",
    )


def event(revision: int, *, part: int = 1, parts: int = 1, account_id: str = "000000000001") -> AuditRecord:
    """
    Return an audit event of the example organization.
    """
    return AuditRecord(
        organization_id=ORGANIZATION,
        revision=revision,
        part=part,
        parts=parts,
        event_id=f"{revision}-{part}",
        type="rooftree.decision.changed.v1",
        account_id=account_id,
        time=START + timedelta(hours=revision),
        verdict="tightened",
        data={
            "account_id": account_id,
            "account_name": "shop <prod>",
            "verdict": "tightened",
            "complete": True,
            "cause": {"summary": "DenyRegions attached to Workloads", "actor": "arn:aws:iam::1:role/admin"},
            "changes": [
                {
                    "direction": "denied",
                    "before": "allow",
                    "after": "explicit_deny",
                    "actions": {"any_of": ["ec2:*"], "none_of": []},
                    "resources": {"any_of": ["*"], "none_of": []},
                    "conditions": [],
                    "witness": {"action": "ec2:RunInstances", "resource": "*", "context": {}},
                    "statements": [
                        {"policy_id": "p-1", "statement": "Regions", "target_id": "ou-ab12-aaaaaaaa", "side": "after"}
                    ],
                }
            ],
        },
    )


class FakeReader(FakeOutline):
    """
    What a test puts in comes out.
    """

    def __init__(
        self,
        *,
        accounts: Iterable[AccountRecord] = (),
        events: Iterable[AuditRecord] = (),
        organizations: Iterable[str] = (ORGANIZATION,),
        away: bool = False,
        incomplete_since: datetime | None = None,
        probes: Iterable[ProbeState] = (),
        loss: LogLoss | None = None,
        asked: Iterable[Reread] = (),
        rounds: Iterable[ReconciliationRecord] = (),
        verified: Iterable[VerificationRecord] = (),
    ) -> None:
        self.asked = list(asked)
        self.rounds = list(rounds)
        self.verified = list(verified)
        self.loss = loss
        self.watched = list(probes)
        self.stored = list(accounts)
        self.events = sorted(events, key=lambda one: one.position)
        self.known = list(organizations)
        self.away = away
        self.incomplete_since = incomplete_since

    def limited(self, organizations: Organizations) -> FakeReader:
        """
        Return the same, as somebody sees it who may see these organizations.
        """
        if organizations is None:
            return self
        seen = copy(self)
        seen.known = [one for one in self.known if one in organizations]
        seen.stored = [one for one in self.stored if one.organization_id in organizations]
        seen.events = [one for one in self.events if one.organization_id in organizations]
        return seen

    async def organizations(self) -> list[OrganizationRecord]:
        await self.check()
        reason = "a change could not be read" if self.incomplete_since else None
        return [OrganizationRecord(one, 3, "0" * 64, self.incomplete_since, reason) for one in self.known]

    async def count_accounts(self, organization_id: str) -> int:
        return len(self.stored)

    async def accounts(
        self,
        organization_id: str,
        *,
        after: str = "",
        limit: int | None = None,
        at: datetime | None = None,
        wanted: AccountFilter = EVERY_ACCOUNT,
    ) -> list[AccountRecord]:
        found = [one for one in self.stored if one.account_id > after and (at is None or one.since <= at)]
        if wanted.text is not None:
            found = [one for one in found if wanted.text.lower() in one.name.lower()]
        return found[:limit]

    async def account(
        self, organization_id: str, account_id: str, *, at: datetime | None = None
    ) -> AccountRecord | None:
        found = [one for one in self.stored if one.account_id == account_id]
        return found[0] if found and (at is None or at >= START - timedelta(days=1)) else None

    async def organizations_of(self, account_id: str) -> list[str]:
        return sorted({one.organization_id for one in self.stored if one.account_id == account_id})

    async def history(
        self, organization_id: str, account_id: str, *, before: datetime | None = None, limit: int | None = None
    ) -> list[AccountRecord]:
        now = await self.account(organization_id, account_id)
        if now is None:
            return []
        earlier = now._replace(since=START - timedelta(days=1), until=START, name="before")
        return [one for one in (now, earlier) if before is None or one.since < before][:limit]

    async def permissions(self, organization_id: str, permissions_id: str) -> Mapping[str, object] | None:
        return PERMISSIONS

    async def bound_account(
        self, organization_id: str, account_id: str, *, at: datetime | None = None
    ) -> BoundAccount | None:
        found = await self.account(organization_id, account_id, at=at)
        if found is None or found.chain_id is None:
            return None if found is None else BoundAccount(found, None)
        return BoundAccount(found, (await self.chains(organization_id, [found.chain_id]))[found.chain_id])

    @asynccontextmanager
    async def moment(self) -> AsyncIterator[None]:
        yield

    async def chains(self, organization_id: str, chain_ids: Iterable[str]) -> dict[str, ChainRecord]:
        return {chain_id: ChainRecord(chain_id, None) for chain_id in chain_ids}

    async def documents(self, organization_id: str, digests: Iterable[str]) -> dict[str, str]:
        return {}

    async def names(self, organization_id: str) -> dict[str, str]:
        return {"ou-ab12-aaaaaaaa": "Workloads", "p-1": "DenyRegions"}

    async def facts(self, organization_id: str) -> list[Fact]:
        return []

    async def count_principals(self, organization_id: str, account_ids: Collection[str]) -> dict[str, int]:
        return {}

    async def principal_facts(self, organization_id: str, account_ids: Collection[str]) -> list[PrincipalFact]:
        return []

    async def principal_documents(self, organization_id: str, digests: Iterable[str]) -> dict[str, str]:
        return {}

    async def probes(self, organization_id: str) -> list[ProbeState]:
        return list(self.watched)

    async def audit(
        self,
        organization_id: str,
        *,
        account_id: str | None = None,
        before: tuple[int, int] | None = None,
        limit: int = 100,
    ) -> list[AuditRecord]:
        found = [one for one in self._of(account_id) if before is None or one.position < before]
        return found[::-1][:limit]

    async def audit_after(
        self, organization_id: str, position: tuple[int, int], *, account_id: str | None = None, limit: int = 100
    ) -> list[AuditRecord]:
        return [one for one in self._of(account_id) if one.position > position][:limit]

    async def rereads(
        self, organization_id: str, *, after: tuple[datetime, str, str] | None = None, limit: int = 100
    ) -> list[Reread]:
        found = sorted(self.asked, key=lambda one: (one.since, *one.request.key))
        return [one for one in found if after is None or (one.since, *one.request.key) > after][:limit]

    async def reconciliations(
        self, organization_id: str, *, before: int | None = None, limit: int = 20
    ) -> list[ReconciliationRecord]:
        return [one for one in self.rounds[::-1] if before is None or one.reconciliation_id < before][:limit]

    async def verifications(self, organization_id: str) -> list[VerificationRecord]:
        return [one for one in self.verified if one.organization_id == organization_id]

    async def verification_states(self) -> list[VerificationState]:
        by_subject = groupby(sorted(self.verified, key=lambda one: one.subject), key=lambda one: one.subject)
        return [
            VerificationState(subject, min(one.verified_at for one in of), sum(one.faults > 0 for one in of))
            for subject, of in ((subject, list(group)) for subject, group in by_subject)
        ]

    async def audit_event(self, organization_id: str, event_id: str) -> AuditRecord | None:
        return next((one for one in self.events if one.event_id == event_id), None)

    async def count_seen(self, organization_id: str, source: str, event_ids: Iterable[str]) -> int:
        return 0

    async def log_loss(self) -> LogLoss | None:
        return self.loss

    async def check(self) -> None:
        if self.away:
            raise UnavailableError("PostgreSQL: it is away")

    def _of(self, account_id: str | None) -> list[AuditRecord]:
        return [one for one in self.events if account_id in {None, one.account_id}]
