"""
The reads for pages over the same few records in memory.
"""

# ruff: noqa: D102  # the port says what each method promises
from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime

from rooftree.inquiry.auditing import admits
from rooftree.organization.changes import Change, ChangeType, SnapshotTaken
from rooftree.organization.claims import facts_of
from rooftree.organization.facts import Fact, FactKind
from rooftree.organization.snapshot_reader import parse_snapshot
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
from rooftree.reading.reader import AccountRecord, AuditRecord

START = datetime(2026, 1, 1, tzinfo=UTC)
DENY_REGIONS = {
    "Version": "2012-10-17",
    "Statement": {
        "Sid": "Regions",
        "Effect": "Deny",
        "Action": "ec2:*",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}},
    },
}
SNAPSHOT = {
    "organization": {"id": "o-exampleorg", "management_account_id": "999999999999", "feature_set": "ALL"},
    "root": {"id": "r-ab12", "policy_types": ["SERVICE_CONTROL_POLICY"]},
    "organizational_units": [{"id": "ou-ab12-aaaaaaaa", "name": "Workloads", "parent_id": "r-ab12"}],
    "accounts": [],
    "policies": [
        {"id": "p-denyregions", "name": "DenyRegions", "type": "SERVICE_CONTROL_POLICY", "content": DENY_REGIONS}
    ],
    "attachments": [
        {"policy_id": "p-FullAWSAccess", "target_id": "r-ab12"},
        {"policy_id": "p-FullAWSAccess", "target_id": "ou-ab12-aaaaaaaa"},
        {"policy_id": "p-denyregions", "target_id": "ou-ab12-aaaaaaaa"},
    ],
}


class FakeOutline:
    """
    What `FakeReader` holds, in outline; its nodes and policies are those of `SNAPSHOT`.
    """

    stored: list[AccountRecord]
    events: list[AuditRecord]

    async def frame(self, organization_id: str) -> list[Fact]:
        snapshot = parse_snapshot({**SNAPSHOT, "organization": {**SNAPSHOT["organization"], "id": organization_id}})
        change = Change(
            event_id="snapshot",
            source="test",
            type=ChangeType.SNAPSHOT,
            time=START,
            sequence="",
            organization_id=organization_id,
            actor=None,
            data=SnapshotTaken(snapshot),
        )
        return [fact for fact in facts_of(change) if fact.kind != FactKind.ACCOUNT]

    async def gatherings(self, organization_id: str) -> list[Gathering]:
        counts = Counter(self._node(one) for one in self.stored)
        return [Gathering(node_id, count, START) for node_id, count in counts.items()]

    async def accounts_in(
        self, organization_id: str, node_id: str, *, after: tuple[str, str] = ("", ""), limit: int
    ) -> list[AccountRow]:
        found = sorted((one.name, one.account_id, one) for one in self.stored if self._node(one) == node_id)
        return [_row(one) for name, account_id, one in found if (name, account_id) > after][:limit]

    async def find_accounts(self, organization_id: str, text: str, *, limit: int) -> list[AccountRow]:
        return [_row(one) for one in self.stored if text.lower() in one.name.lower() or text in one.account_id][:limit]

    async def service_verdicts(self, organization_id: str, permissions_id: str) -> list[ServiceVerdicts]:
        return [ServiceVerdicts("ec2", 0, 700, 3), ServiceVerdicts("s3", 150, 0, 0)]

    async def action_verdicts(self, organization_id: str, permissions_id: str, service: str) -> dict[str, str]:
        return {"RunInstances": "conditional", "StopInstances": "denied"} if service in ("ec2", "s3") else {}

    async def audit_revisions(
        self, organization_id: str, *, before: int | None = None, limit: int, shown: int
    ) -> list[AuditRow]:
        older = [one for one in self.events if before is None or one.revision < before]
        return list(_by_revision(older, shown))[:limit]

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
        older = [one for one in self.events if before is None or one.position < before][-scan:]
        found = [one for one in older if admits(wanted, one)]
        oldest = older[0].position if older else None
        return AuditWindow(list(_by_revision(found, shown))[:revisions], len(older), oldest, more=len(older) == scan)

    async def policy_versions(self, organization_id: str, policy_id: str) -> list[PolicyVersion]:
        known = policy_id in ("p-denyregions", "p-departed")
        return [PolicyVersion("a" * 64, '{"Version":"2012-10-17","Statement":[]}', START)] if known else []

    async def delivery(self, organization_id: str) -> DeliveryRecord:
        return DeliveryRecord(START, 3, 0, None)

    async def positions(self) -> list[PositionRecord]:
        return [PositionRecord("rooftree.changes", 0, 12, START, "cluster/topic", current=True)]

    @staticmethod
    def _node(account: AccountRecord) -> str:
        return account.path[-2] if account.placed else ""


def _row(account: AccountRecord) -> AccountRow:
    return AccountRow(**{field.name: getattr(account, field.name) for field in fields(AccountRow)})


def _by_revision(events: Sequence[AuditRecord], shown: int) -> list[AuditRow]:
    rows = []
    for revision, members in itertools.groupby(events, key=lambda one: one.revision):
        found = list(members)
        told = [
            {field.name: getattr(one, field.name) for field in fields(AuditRecord) if field.name != "organization_id"}
            for one in found[:shown]
        ]
        rows.append(AuditRow(revision, found[0].time, found[0].parts, len(found), told))
    return rows[::-1]
