"""
A snapshot of an organization, as it is or as it was.

What it is now follows from the facts, as a whole. Of the past the history of its accounts is kept: where each was, and
what hung on its chain. That is all that decides anything, but not all there was: units without accounts, policies that
hung nowhere, and what units were called then are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rooftree.errors import SnapshotError
from rooftree.inquiry.sources import OrganizationSource
from rooftree.inquiry.standing import Standing
from rooftree.organization.chains import OWN_LEVEL, ChainRecord, LevelRecord
from rooftree.organization.export import take_snapshot, told_partition
from rooftree.organization.identifiers import RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY
from rooftree.organization.snapshot import (
    FEATURE_SETS,
    Snapshot,
    SnapshotAccount,
    SnapshotAttachment,
    SnapshotPolicy,
    SnapshotUnit,
)
from rooftree.policy.builtin import BUILTIN_KINDS, RCP_FULL_AWS_ACCESS_ID
from rooftree.view.ceilings import Ceilings

__all__ = ["Export", "export"]

LIMITS: Final = (
    "of the past only accounts and what hung on their chains are kept:"
    " units without accounts and policies that hung nowhere are left out, and units have their names of today"
)


@dataclass(frozen=True, slots=True)
class Export:
    """
    A snapshot, and what is not in it.

    Attributes:
        notes: What a reader must know of it, one sentence each.
    """

    snapshot: Snapshot
    notes: tuple[str, ...] = ()


async def export(source: OrganizationSource, *, at: datetime | None) -> Export:
    """
    Return an organization as it is, or as it was *at* a time, as far as that is kept.

    Raises:
        SnapshotError: Its root or its management account is not known.
        UnavailableError: The store does not answer.
    """
    organization = await source.organization()
    if at is None:
        snapshot = take_snapshot(organization)
        left_out = sorted(set(organization.accounts()) - {account.id for account in snapshot.accounts})
        return Export(snapshot, tuple(_unplaced(left_out)))
    accounts = await source.accounts(at=at)
    if not accounts:
        raise SnapshotError("had no account that is known of at that time", place=source.organization_id)
    if organization.management_account_id is None:
        raise SnapshotError("the management account is not known yet", place="organization.management_account_id")
    past = _Past(accounts, await source.ceilings(accounts), await source.names())
    snapshot = past.snapshot(source.organization_id, organization.management_account_id)
    left_out = [account.account_id for account in accounts if account.chain_id is None]
    return Export(snapshot, (LIMITS, *_unplaced(left_out)))


def _unplaced(account_ids: Sequence[str]) -> Iterator[str]:
    if account_ids:
        yield f"where {', '.join(account_ids[:10])}{' and others' * (len(account_ids) > 10)} stand is not known: left out"


class _Past:
    """
    What the chains of some accounts tell of their organization.
    """

    def __init__(self, accounts: Sequence[Standing], ceilings: Ceilings, names: Mapping[str, str]) -> None:
        self._placed = [account for account in accounts if account.chain_id is not None]
        self._chains = [(account, ceilings.record(account.placed_chain_id)) for account in self._placed]
        self._ceilings = ceilings
        self._names = names

    def snapshot(self, organization_id: str, management_account_id: str) -> Snapshot:
        if not self._placed:
            raise SnapshotError("the root is not known", place="root.id")
        records = [record for _, record in self._chains]
        types = {
            SERVICE_CONTROL_POLICY: any(record.levels is not None for record in records),
            RESOURCE_CONTROL_POLICY: any(record.resource_levels is not None for record in records),
        }
        return Snapshot(
            organization_id=organization_id,
            management_account_id=management_account_id,
            feature_set=FEATURE_SETS[0],
            root_id=self._placed[0].path[0],
            policy_types=tuple(sorted(name for name, enabled in types.items() if enabled)),
            organizational_units=tuple(self._units()),
            accounts=tuple(self._accounts()),
            policies=tuple(self._policies(records)),
            attachments=tuple(self._attachments()),
            partition=told_partition(records[0].partition),
        )

    def _units(self) -> Iterator[SnapshotUnit]:
        parents = {
            unit: parent
            for account in self._placed
            for parent, unit in zip(account.path[:-2], account.path[1:-1], strict=True)
        }
        for unit, parent in sorted(parents.items()):
            yield SnapshotUnit(unit, self._names.get(unit, unit), parent)

    def _accounts(self) -> Iterator[SnapshotAccount]:
        for account in self._placed:
            yield SnapshotAccount(account.account_id, account.name, account.email, account.path[-2], account.status)

    def _policies(self, records: Iterable[ChainRecord]) -> Iterator[SnapshotPolicy]:
        found: dict[str, SnapshotPolicy] = {}
        for record in records:
            for policy_type, levels in _by_type(record):
                for policy in (policy for level in levels for policy in level.policies):
                    if policy.policy_id not in BUILTIN_KINDS:
                        text = self._ceilings.text(policy.digest)
                        found[policy.policy_id] = SnapshotPolicy(policy.policy_id, policy.name, policy_type, text)
        yield from (policy for _, policy in sorted(found.items()))

    def _attachments(self) -> Iterator[SnapshotAttachment]:
        found = {
            (account.account_id if level.target_id == OWN_LEVEL else level.target_id, policy.policy_id)
            for account, record in self._chains
            for _, levels in _by_type(record)
            for level in levels
            for policy in level.policies
            # It hangs everywhere by itself while its type is enabled.
            if policy.policy_id != RCP_FULL_AWS_ACCESS_ID
        }
        for target_id, policy_id in sorted(found):
            yield SnapshotAttachment(policy_id, target_id)


def _by_type(record: ChainRecord) -> Iterator[tuple[str, Sequence[LevelRecord]]]:
    yield SERVICE_CONTROL_POLICY, record.levels or ()
    yield RESOURCE_CONTROL_POLICY, record.resource_levels or ()
