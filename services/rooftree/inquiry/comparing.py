"""
Which decisions differ between two states of an organization.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from rooftree import permissions as algebra
from rooftree.inquiry.aftermath import Aftermath
from rooftree.inquiry.grouping import AccountName, Block, distinct_changes
from rooftree.inquiry.progress import Progress, unseen
from rooftree.inquiry.sharing import CommonChanges
from rooftree.inquiry.sources import MemorySource, OrganizationSource
from rooftree.inquiry.standing import Standing
from rooftree.inquiry.touches import AccountImpact
from rooftree.organization.tree import Organization
from rooftree.permissions import Comparison
from rooftree.view.ceilings import Ceilings
from rooftree.view.standing import Place

__all__ = [
    "Difference",
    "Report",
    "compare_organizations",
    "compare_reached",
    "compare_times",
    "find_difference",
    "join_reports",
]

EQUIVALENT: Final = "equivalent"


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
            old.place(self.before.placed_chain_id, self.before.binding),
            new.place(self.account.placed_chain_id, self.account.binding),
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
        return self.comparison.changes(self.account.binding)

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


@dataclass(frozen=True, slots=True)
class Report:
    """
    Everything that differs between two states.

    Attributes:
        compared: How many accounts are in both.
        added: Accounts that are in the second only.
        removed: Accounts that are in the first only.
        names: Names of organizational units and policies.
        left_out: Accounts whose users and roles were not looked at, since there are too many of them.
    """

    # Not among what is printed of a report: asyncio prints the result of its main task when that has ended, and throws
    # the text away, which for thousands of accounts takes seconds.
    differences: list[Difference] = field(repr=False)
    compared: int
    added: list[str]
    removed: list[str]
    names: Mapping[str, str]
    left_out: Sequence[str] = ()

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
        found = ((difference.account.account_id, difference.principals) for difference in self.differences)
        return [(account_id, impact) for account_id, impact in found if impact is not None]

    def blocks(self) -> list[Block]:
        """
        Return each distinct change once.
        """
        common = CommonChanges()
        return distinct_changes(
            (AccountName(one.account.account_id, one.account.name), common.of(one.comparison, one.account))
            for one in self.differences
        )


def compare_organizations(before: Organization, after: Organization, *, progress: Progress = unseen) -> Report:
    """
    Return what differs for the accounts that are in both states of an organization.
    """
    old, new = MemorySource(before), MemorySource(after)
    names = {**old.known_names(), **new.known_names()}
    return _compare((old, old.standings()), (new, new.standings()), names, progress)


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
    aftermath = Aftermath(before, after, told)
    was = before.standings(reached)
    now = list(aftermath.standings(was))
    known = before.known_names()
    names = {**known, **{subject: after.name_of(subject) for subject in known.keys() & set(told)}}
    return replace(_compare((before, was), (aftermath.source, now), names, progress), compared=before.count)


async def compare_times(
    source: OrganizationSource, since: datetime, until: datetime | None, *, progress: Progress = unseen
) -> Report:
    """
    Return what differs for the accounts that the stored view has at both times.

    Raises:
        UnavailableError: The database does not answer.
    """
    was, now = _by_id(await source.accounts(at=since)), _by_id(await source.accounts(at=until))
    ceilings = await source.ceilings([*was.values(), *now.values()])
    return _report(was, now, (ceilings, ceilings), await source.names(), progress)


async def find_difference(source: OrganizationSource, before: Standing, after: Standing) -> Difference | None:
    """
    Return what an account may do in one standing and not in the other; None where no decision differs.

    Raises:
        UnavailableError: The database does not answer.
    """
    ceilings = await source.ceilings([before, after])
    return _Comparer((ceilings, ceilings)).difference(before, after)


def join_reports(reports: Sequence[Report]) -> Report:
    """
    Return several reports as one.
    """
    return Report(
        differences=[difference for report in reports for difference in report.differences],
        compared=sum(report.compared for report in reports),
        added=[account_id for report in reports for account_id in report.added],
        removed=[account_id for report in reports for account_id in report.removed],
        names={subject: name for report in reports for subject, name in report.names.items()},
    )


def _compare(before: _State, after: _State, names: Mapping[str, str], progress: Progress) -> Report:
    (old, was), (new, now) = before, after
    ceilings = old.chains_of(was), new.chains_of(now)
    return _report(_by_id(was), _by_id(now), ceilings, names, progress)


_State = tuple[MemorySource, Sequence[Standing]]
"""An organization, with those of its accounts that are compared."""

_Accounts = Mapping[str, Standing]
"""The accounts on one side of a comparison, by id."""


def _by_id(accounts: Iterable[Standing]) -> _Accounts:
    return {account.account_id: account for account in accounts}


def _report(
    was: _Accounts,
    now: _Accounts,
    ceilings: tuple[Ceilings, Ceilings],
    names: Mapping[str, str],
    progress: Progress,
) -> Report:
    both, comparer = sorted(was.keys() & now.keys()), _Comparer(ceilings)
    found = [comparer.difference(was[account_id], now[account_id]) for account_id in progress(both)]
    return Report(
        differences=[difference for difference in found if difference is not None],
        compared=len(both),
        added=sorted(now.keys() - was.keys()),
        removed=sorted(was.keys() - now.keys()),
        names=names,
    )


class _Comparer:
    """
    Compares accounts one by one, and those that policies do not tell apart once for each pair of chains.
    """

    def __init__(self, ceilings: tuple[Ceilings, Ceilings]) -> None:
        self._ceilings = ceilings
        self._shared: dict[tuple[str, str], Comparison] = {}

    def difference(self, before: Standing, after: Standing) -> Difference | None:
        """
        Return how an account differs; None where no decision does, or where its place is not known.
        """
        if before.chain_id is None or after.chain_id is None:
            return None
        comparison = self._shared.get((before.chain_id, after.chain_id)) or self._compare(before, after)
        if comparison.verdict == EQUIVALENT:
            return None
        return Difference(before, after, self._ceilings, comparison)

    def _compare(self, before: Standing, after: Standing) -> Comparison:
        old, new = self._ceilings
        was, now = before.placed_chain_id, after.placed_chain_id
        bound = before.binding
        # what is bound follows from the path, and most accounts stay where they are
        bound_then = bound if after.path == before.path else after.binding
        comparison = algebra.compare(old.permissions(was, bound), new.permissions(now, bound_then))
        if not old.tells_accounts_apart(was) and not new.tells_accounts_apart(now):
            self._shared[was, now] = comparison
        return comparison
