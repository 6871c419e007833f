"""
What a change has altered, gathered account by account for the audit topic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rooftree.organization.directory import Directory
from rooftree.permissions import AccountBinding, Comparison
from rooftree.view.audit import Flips, Notice, PrincipalVerdict, Verdict
from rooftree.view.ceilings import Ceilings
from rooftree.view.events import canonical_json
from rooftree.view.impact import ImpactFinder
from rooftree.view.patch import AccountState
from rooftree.view.principals import PrincipalStep
from rooftree.view.probes import Flip
from rooftree.view.shared_changes import SharedChanges
from rooftree.view.steps import Step

__all__ = ["NoticeWriter"]


class NoticeWriter:
    """
    Words what a change has altered, as one notice for each audit event. Good for one change.

    Args:
        accounts: The rows before the change.
        ceilings: The chains before and after it.
        directory: The principals.
    """

    def __init__(self, accounts: Mapping[str, AccountState], ceilings: Ceilings, directory: Directory) -> None:
        self._accounts = accounts
        self._ceilings = ceilings
        self._directory = directory
        self._changes: dict[Comparison, SharedChanges] = {}
        self._finder = ImpactFinder(ceilings.algebra, directory)

    def of_accounts(self, steps: Sequence[Step], flips: Sequence[Flip]) -> list[Notice]:
        """
        Return what is to be told of accounts and of probes, in the order of account ids.
        """
        rows = {step.after.account_id: step.after for step in steps}
        flipped = self._by_account(flips, rows)
        notices: list[Notice] = [
            Verdict(
                step.after,
                self._shared(step.comparison, step.binding),
                flipped.pop(step.after.account_id, ()),
                self._impact(step, step.binding, step.comparison),
            )
            for step in steps
            if step.comparison is not None and step.binding is not None
        ]
        return _ordered([*notices, *self._flips(flipped, rows)])

    def of_principals(self, account_id: str, steps: Iterable[PrincipalStep], flips: Sequence[Flip]) -> list[Notice]:
        """
        Return what is to be told of principals of one account and of probes.
        """
        return _ordered([*self._principals(account_id, steps), *self._flips(self._by_account(flips, {}), {})])

    def _shared(self, comparison: Comparison, binding: AccountBinding) -> SharedChanges:
        found = self._changes.get(comparison)
        if found is None:
            found = self._changes[comparison] = SharedChanges(comparison, binding)
        return found

    def _impact(self, step: Step, binding: AccountBinding, comparison: Comparison) -> str | None:
        before = None if step.before is None else step.before.reported_chain_id
        chain_id = step.after.chain_id
        if before is None or chain_id is None or not self._directory.knows(binding.account_id):
            return None
        ceilings = self._ceilings
        places = ceilings.place(before, ceilings.reported_binding(before, binding)), ceilings.place(chain_id, binding)
        impact = self._finder.of_account(comparison.verdict, *places)
        return None if impact is None else canonical_json(impact.as_json())

    def _principals(self, account_id: str, steps: Iterable[PrincipalStep]) -> Iterator[PrincipalVerdict]:
        row = self._accounts.get(account_id)
        if row is None or row.chain_id is None:
            # What an account without a place may do at most is not known, so neither is what its principals may.
            return
        binding = self._ceilings.binding(row.chain_id, account_id, row.path[:-1])
        place = self._ceilings.place(row.chain_id, binding)
        for step in steps:
            impact = self._finder.of_principal(place, step)
            if impact is not None:
                yield PrincipalVerdict(row, impact)

    def _by_account(
        self, flips: Iterable[Flip], rows: Mapping[str, AccountState]
    ) -> dict[str | None, list[dict[str, object]]]:
        found: defaultdict[str | None, list[dict[str, object]]] = defaultdict(list)
        for flip in flips:
            account_id = flip.after.account_id
            found[account_id if account_id in rows or account_id in self._accounts else None].append(flip.as_json())
        return dict(found)

    def _flips(
        self, flipped: Mapping[str | None, list[dict[str, object]]], rows: Mapping[str, AccountState]
    ) -> Iterator[Flips]:
        for account_id, told in flipped.items():
            yield Flips(None if account_id is None else rows.get(account_id) or self._accounts[account_id], told)


def _ordered(notices: Iterable[Notice]) -> list[Notice]:
    return sorted(notices, key=lambda notice: notice.account.account_id if notice.account else "")
