"""
Which decisions differ between two states of an organization.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from rooftree import permissions as algebra
from rooftree.inquiry.alike import Alike
from rooftree.inquiry.grouping import Block, distinct_changes
from rooftree.inquiry.outcome import Outcome, Siblings
from rooftree.inquiry.progress import Progress, unseen
from rooftree.inquiry.sharing import common_changes
from rooftree.inquiry.sources import MemorySource, OrganizationSource, load_organization
from rooftree.inquiry.standing import Standing
from rooftree.inquiry.touches import AccountImpact
from rooftree.organization.snapshot import Snapshot
from rooftree.organization.tree import Organization
from rooftree.permissions import Comparison
from rooftree.view.ceilings import Ceilings
from rooftree.view.standing import Place

__all__ = [
    "Difference",
    "Report",
    "compare_organizations",
    "compare_reached",
    "compare_snapshots",
    "compare_times",
    "find_difference",
    "join_reports",
]


@dataclass(frozen=True, slots=True)
class Difference:
    """
    An account whose decisions differ.

    Attributes:
        before: The account on one side.
        account: The same on the other side.
        ceilings: What binds accounts on each side.
        comparison: How decisions differ, shared by accounts for which that is the same.
        principals: What becomes of its users and roles, as in an audit event; None if none is known, or if nobody asked.
    """

    before: Standing
    account: Standing
    ceilings: tuple[Ceilings, Ceilings]
    comparison: Comparison
    principals: Mapping[str, object] | None = None

    @property
    def places(self) -> tuple[Place, Place]:
        """
        The account as its principals depend on it, on each side.
        """
        old, new = self.ceilings
        return (
            old.place(self.before.placed_chain_id, self.before.bound(old)),
            new.place(self.account.placed_chain_id, self.account.bound(new)),
        )

    @property
    def verdict(self) -> str:
        """
        What becomes of it.
        """
        return self.comparison.verdict

    @property
    def changes(self) -> list[dict[str, object]]:
        """
        The changes of its decisions, in words of its own.
        """
        return self.comparison.changes(self.account.bound(self.ceilings[1]))

    @property
    def document(self) -> dict[str, object]:
        """
        The same as JSON.
        """
        told: dict[str, object] = {
            "account_id": self.account.account_id,
            "account_name": self.account.name,
            "verdict": self.verdict,
            "changes": self.changes,
        }
        return told if self.principals is None else {**told, "principals": self.principals}


@dataclass(frozen=True)
class Report:
    """
    Everything that differs between two states.

    Attributes:
        alike: The accounts whose decisions differ, in the order of the first of each group.
        compared: How many accounts are in both.
        added: Accounts that are in the second only.
        removed: Accounts that are in the first only.
        names: Names of organizational units and policies.
        principals: What becomes of the users and roles of each account, where that is known, as in an audit event.
        left_out: Accounts whose users and roles were not looked at, since there are too many of them.
    """

    # Not among what is printed of a report: asyncio prints the result of its main task when that has ended, and throws
    # the text away, which for thousands of accounts takes seconds.
    alike: Sequence[Alike] = field(repr=False)
    compared: int
    added: list[str]
    removed: list[str]
    names: Mapping[str, str]
    principals: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    left_out: Sequence[str] = ()

    @cached_property
    def differences(self) -> list[Difference]:
        """
        The accounts whose decisions differ, one by one.
        """
        return self.differences_of(self.account_ids)

    def differences_of(self, account_ids: Collection[str]) -> list[Difference]:
        """
        Return those of some accounts.
        """
        if not account_ids:
            return []
        wanted = frozenset(account_ids)
        found = [
            Difference(
                account,
                alike.after(account),
                alike.ceilings,
                alike.comparison,
                self.principals.get(account.account_id),
            )
            for alike in self.alike
            for account in alike.accounts
            if account.account_id in wanted
        ]
        return sorted(found, key=lambda one: (one.account.organization_id, one.account.account_id))

    @property
    def account_ids(self) -> list[str]:
        """
        The ids of the accounts whose decisions differ.
        """
        return sorted(account.account_id for alike in self.alike for account in alike.accounts)

    @property
    def verdicts(self) -> Counter[str]:
        """
        How many accounts have each verdict.
        """
        counts = Counter[str]()
        for alike in self.alike:
            counts[alike.comparison.verdict] += len(alike.accounts)
        return counts

    @property
    def documents(self) -> Iterator[dict[str, object]]:
        """
        The accounts whose decisions differ, as JSON.
        """
        left_out = frozenset(self.left_out)
        for difference in self.differences:
            is_left_out = difference.account.account_id in left_out
            yield {**difference.document, **({"principals_left_out": True} if is_left_out else {})}

    @property
    def impacts(self) -> list[AccountImpact]:
        """
        What becomes of the users and roles of each account, where that is known.
        """
        return list(self.principals.items())

    def blocks(self) -> list[Block]:
        """
        Return each distinct change once.
        """
        blocks = distinct_changes(common_changes(self.alike))
        for block in blocks:
            block.accounts.sort(key=lambda account: account.account_id)
        return blocks


def compare_organizations(before: Organization, after: Organization, *, progress: Progress = unseen) -> Report:
    """
    Return what differs for the accounts that are in both states of an organization.
    """
    old, new = MemorySource(before), MemorySource(after)
    was, now = old.standings(), new.standings()
    ceilings = old.chains_of(was), new.chains_of(now)
    return _report(was, now, ceilings, {**old.known_names(), **new.known_names()}, progress)


def compare_reached(
    before: MemorySource,
    after: Organization,
    reached: Collection[str],
    told: Collection[str],
    *,
    progress: Progress = unseen,
) -> Report:
    """
    Return what differs between two states of an organization with the same accounts.

    Args:
        before: The one state.
        after: The other.
        reached: The accounts of which something may differ.
        told: What is known otherwise of nodes and policies; of anything else, both states know the same.
        progress: Sees each account that is compared.
    """
    outcome = Outcome(before, after, told)
    groups = outcome.siblings(progress(before.standings(reached)))
    ceilings = (
        before.chains_of(group.accounts[0] for group in groups),
        outcome.source.chains_of(group.beside for group in groups),
    )
    known = before.known_names()
    return Report(
        alike=_alike(groups, ceilings),
        compared=before.count,
        added=[],
        removed=[],
        names={**known, **{subject: after.name_of(subject) for subject in known.keys() & set(told)}},
    )


def compare_snapshots(before: Snapshot, after: Snapshot, *, progress: Progress = unseen) -> Report:
    """
    Return what differs for the accounts that are in both of two snapshots of an organization.

    An organization never leaves its partition: where one of the two does not tell it, it is that of the other.
    """
    partition = after.partition or before.partition
    old, new = (load_organization(replace(one, partition=one.partition or partition)) for one in (before, after))
    return compare_organizations(old, new, progress=progress)


async def compare_times(
    source: OrganizationSource, since: datetime, until: datetime | None, *, progress: Progress = unseen
) -> Report:
    """
    Return what differs for the accounts that the stored view has at both times.

    Raises:
        UnavailableError: The database does not answer.
    """
    was, now = await source.accounts(at=since), await source.accounts(at=until)
    ceilings = await source.ceilings([*was, *now])
    return _report(was, now, (ceilings, ceilings), await source.names(), progress)


async def find_difference(source: OrganizationSource, before: Standing, after: Standing) -> Difference | None:
    """
    Return what an account may do in one standing and not in the other; None where no decision differs.

    Raises:
        UnavailableError: The database does not answer.
    """
    known = await source.ceilings([before, after])
    ceilings = known, known
    for alike in _alike([Siblings([before], after)], ceilings):
        return Difference(before, after, ceilings, alike.comparison)
    return None


def join_reports(reports: Sequence[Report]) -> Report:
    """
    Return several reports as one.
    """
    return Report(
        alike=[alike for report in reports for alike in report.alike],
        compared=sum(report.compared for report in reports),
        added=[account_id for report in reports for account_id in report.added],
        removed=[account_id for report in reports for account_id in report.removed],
        names={subject: name for report in reports for subject, name in report.names.items()},
        principals={account_id: told for report in reports for account_id, told in report.principals.items()},
    )


def _report(
    before: Iterable[Standing],
    after: Iterable[Standing],
    ceilings: _Ceilings,
    names: Mapping[str, str],
    progress: Progress,
) -> Report:
    was, now = ({account.account_id: account for account in accounts} for accounts in (before, after))
    both = sorted(was.keys() & now.keys())
    return Report(
        alike=_alike((Siblings([was[account_id]], now[account_id]) for account_id in progress(both)), ceilings),
        compared=len(both),
        added=sorted(now.keys() - was.keys()),
        removed=sorted(was.keys() - now.keys()),
        names=names,
    )


_Ceilings = tuple[Ceilings, Ceilings]
"""What binds accounts on each side of a comparison."""


def _alike(groups: Iterable[Siblings], ceilings: _Ceilings) -> list[Alike]:
    """
    Return the accounts whose decisions differ, in the order of the first of each group.
    """
    comparer = _Comparer(ceilings)
    found = [
        Alike(accounts, group.beside, ceilings, comparison)
        for group in groups
        for comparison, accounts in comparer.compared(group)
        if not comparison.is_equivalent
    ]
    return sorted(found, key=lambda alike: alike.accounts[0].account_id)


class _Comparer:
    """
    Compares accounts one by one, and those that policies do not tell apart once for each pair of chains.
    """

    def __init__(self, ceilings: _Ceilings) -> None:
        self._ceilings = ceilings
        self._shared: dict[tuple[str, str], Comparison] = {}

    def compared(self, group: Siblings) -> Iterable[tuple[Comparison, Sequence[Standing]]]:
        """
        Return how accounts differ, those together that do alike; nothing where their place is not known.
        """
        first, beside = group.accounts[0], group.beside
        if first.chain_id is None or beside.chain_id is None:
            return ()
        chains = first.chain_id, beside.chain_id
        comparison = self._shared.get(chains) or self._compare(first, beside)
        if len(group.accounts) == 1 or chains in self._shared:
            return [(comparison, group.accounts)]
        found: dict[Comparison, list[Standing]] = {}
        for account in group.accounts:
            found.setdefault(self._compare(account, beside), []).append(account)
        return found.items()

    def _compare(self, before: Standing, beside: Standing) -> Comparison:
        old, new = self._ceilings
        was, now = before.placed_chain_id, beside.placed_chain_id
        bound = before.bound(old)
        bound_then = new.binding(now, before.account_id, beside.path[:-1])
        comparison = algebra.compare(old.permissions(was, bound), new.permissions(now, bound_then))
        if not old.tells_accounts_apart(was) and not new.tells_accounts_apart(now):
            self._shared[was, now] = comparison
        return comparison
