"""
Events of AWS in a batch: of which organization each is, and which change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rooftree.aws.events import AwsRecord, AwsRecords, is_relevant, place, translate
from rooftree.errors import ChangeError
from rooftree.organization.changes import Change
from rooftree.organization.facts import Attribute, FactKind
from rooftree.organization.memberships import Membership
from rooftree.ports.change_log import LogRecord
from rooftree.ports.projection import ProjectionStore
from rooftree.view.projection import OrganizationView

__all__ = ["Placement", "find_memberships"]


async def find_memberships(store: ProjectionStore, outcomes: Iterable[object]) -> Placement:
    """
    Ask the store for what is needed to place the events of AWS among the outcomes of decoding.

    Raises:
        UnavailableError: The store does not answer.
    """
    records = [one for outcome in outcomes if isinstance(outcome, AwsRecords) for one in outcome.records]
    accounts = {one.account_id for one in records if one.account_id is not None and is_relevant(one)}
    return Placement(await store.memberships(sorted(accounts)) if accounts else ())


class Placement:
    """
    What accounts belong to, as it is stored and as the changes before in the same batch have it.
    """

    def __init__(self, stored: Sequence[Membership]) -> None:
        self._stored = stored
        self._translated: dict[tuple[int, str], Change | None] = {}

    def changes(
        self, outcome: AwsRecords, record: LogRecord, views: Sequence[OrganizationView] = ()
    ) -> list[Change | ChangeError]:
        """
        Return the changes that a record of the topic comes to, and what is wrong with the others.

        Args:
            outcome: What is in the record.
            record: The record.
            views: Those that the batch has changed so far.
        """
        found: list[Change | ChangeError] = []
        for one in outcome.records:
            try:
                change = self._change(one, record.key, views) if is_relevant(one) else None
            except ChangeError as error:
                found.append(error)
                continue
            if change is not None:
                found.append(change)
        return found

    def _change(self, one: AwsRecord, key: bytes | None, views: Sequence[OrganizationView]) -> Change | None:
        organization_id = place(one, key, self._memberships(one.account_id, views))
        name = (id(one), organization_id)
        if name not in self._translated:
            self._translated[name] = translate(one, organization_id)
        return self._translated[name]

    def _memberships(self, account_id: str | None, views: Sequence[OrganizationView]) -> list[Membership]:
        changed = {view.organization_id for view in views}
        found = [one for one in self._stored if one.organization_id not in changed]
        if account_id is None:
            return found
        for view in views:
            registers = view.organization.registers
            keys = ((FactKind.ACCOUNT, account_id, name) for name in (Attribute.PRESENT, Attribute.OBSERVED))
            if any(registers.find(key) is not None for key in keys):
                found.append(Membership(view.organization_id, account_id, registers.is_present(account_id)))
        return found
