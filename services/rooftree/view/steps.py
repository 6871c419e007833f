"""
Where the accounts that a change touches stood before it and stand after it, and which decisions that changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Final, NamedTuple

from rooftree.organization.chains import ChainRecord
from rooftree.organization.facts import Attribute, FactKind
from rooftree.organization.survey import Placement, Survey
from rooftree.organization.tree import Organization
from rooftree.permissions import AccountBinding, Comparison, Permissions
from rooftree.view.ceilings import Ceilings
from rooftree.view.patch import AccountState, DocumentRecord

__all__ = ["Step", "Steps"]

# Stands in the row of an account that has just appeared, until its cause is filled in.
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class Step(NamedTuple):
    """
    An account's row before and after a change.

    Attributes:
        after: The row with the revision, the start and the cause of the row before, as if nothing had changed.
        permissions: What the account may do now, where that had to be worked out.
        comparison: How that differs from what was reported last, where it does.
    """

    before: AccountState | None
    after: AccountState
    binding: AccountBinding | None = None
    permissions: Permissions | None = None
    comparison: Comparison | None = None


class Steps:
    """
    Takes the steps of accounts one by one. Good for one change.

    Args:
        organization: After the change.
        accounts: The rows before it.
        ceilings: The chains before it; those after it are added.
        anew: Whether rows are worked out that seem to be right.

    Attributes:
        chains: The chains that were not known before.
        documents: The policies in them that were not.
    """

    def __init__(
        self,
        organization: Organization,
        accounts: Mapping[str, AccountState],
        ceilings: Ceilings,
        *,
        anew: bool = False,
    ) -> None:
        self._organization = organization
        self._survey = Survey(organization)
        self._accounts = accounts
        self._ceilings = ceilings
        self._anew = anew
        self.chains: list[ChainRecord] = []
        self.documents: list[DocumentRecord] = []

    def of(self, account_ids: Iterable[str], retold: AbstractSet[str]) -> list[Step]:
        """
        Return the steps of those accounts that are there.

        Args:
            account_ids: The accounts.
            retold: Those of them whose rows may differ in more than their limits and the units above them.
        """
        registers = self._organization.registers
        steps = []
        for account_id in account_ids:
            before = self._accounts.get(account_id)
            if before is None or account_id in retold:
                if registers.is_present(account_id):
                    steps.append(self._step(before, self._told(account_id, before)))
            else:
                steps.append(self._step(before, before))
        return steps

    def _told(self, account_id: str, before: AccountState | None) -> AccountState:
        """
        Return the row before a change with what was told of the account itself.
        """
        registers = self._organization.registers
        return (before or _nothing_of(account_id))._replace(
            name=self._organization.name_of(account_id),
            email=registers.text(FactKind.ACCOUNT, account_id, Attribute.EMAIL),
            status=registers.status(account_id),
            parent_id=registers.parent(account_id),
        )

    def _step(self, before: AccountState | None, told: AccountState) -> Step:
        account_id, parent_id = told.account_id, told.parent_id
        placement = None if parent_id is None else self._survey.placement_under(parent_id, account_id)
        if placement is None:
            return Step(before, _unplaced(told))
        self._learn(placement.chain)
        chain_id = placement.chain.chain_id
        binding = self._ceilings.binding(chain_id, account_id, placement.path[:-1])
        if before is not None and before.chain_id == chain_id and not self._anew:
            return Step(before, _placed(told, placement, before.permissions_id), binding)
        permissions = self._ceilings.permissions(chain_id, binding)
        return Step(
            before,
            _placed(told, placement, permissions.permissions_id),
            binding,
            permissions,
            self._comparison(before, chain_id, permissions, binding),
        )

    def _learn(self, chain: ChainRecord) -> None:
        chains, documents = self._ceilings.learn(chain, self._survey.documents)
        self.chains += chains
        self.documents += documents

    def _comparison(
        self, before: AccountState | None, chain_id: str, permissions: Permissions, binding: AccountBinding
    ) -> Comparison | None:
        # An account that appears had no decisions before, so none of them has changed.
        reported = None if before is None else before.reported_chain_id
        if reported is None or reported == chain_id:
            return None
        if self._anew and not self._ceilings.knows(reported):
            # What the store has lost cannot be compared with; outside of a view computed anew that is a fault.
            return None
        comparison = self._ceilings.compare(self._ceilings.reported_permissions(reported, binding), permissions)
        return None if comparison.is_equivalent else comparison


def _nothing_of(account_id: str) -> AccountState:
    return AccountState(
        account_id=account_id,
        name=account_id,
        email=None,
        status="",
        parent_id=None,
        path=(account_id,),
        placed=False,
        chain_id=None,
        permissions_id=None,
        reported_chain_id=None,
        revision=0,
        since=_NEVER,
        cause_event_id="",
    )


def _placed(told: AccountState, placement: Placement, permissions_id: str | None) -> AccountState:
    chain_id = placement.chain.chain_id
    return told._replace(
        path=placement.path,
        placed=True,
        chain_id=chain_id,
        permissions_id=permissions_id,
        reported_chain_id=chain_id,
    )


def _unplaced(told: AccountState) -> AccountState:
    return told._replace(path=(told.account_id,), placed=False, chain_id=None, permissions_id=None)
