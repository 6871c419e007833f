"""
The differences between what is known of an organization and what AWS itself says, as the changes that were missed.

Everything that was seen counts as of one moment, and a change that is made of it has that moment for its time. So a
fact that is younger than what was seen is not overruled by it, whichever of the two is processed first: there is
nothing to decide here that the merging of facts does not decide anyway. A difference that the merging would not mend
is too young to be told from an event that is under way, and is left to a later look.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Final, Protocol

from rooftree.organization.changes import (
    CHANGE_TYPES,
    AccountCreated,
    AccountMoved,
    AccountRemoved,
    AccountUpdated,
    Change,
    ChangeData,
    OuCreated,
    OuDeleted,
    OuRenamed,
    PolicyAttached,
    PolicyCreated,
    PolicyDeleted,
    PolicyDetached,
    PolicyTypeDisabled,
    PolicyTypeEnabled,
    PolicyUpdated,
)
from rooftree.organization.claims import facts_of
from rooftree.organization.documents import AUTHORIZING_TYPES, BUILTIN_POLICIES
from rooftree.organization.facts import Attribute, FactKind
from rooftree.organization.observation import Observation
from rooftree.organization.snapshot import SnapshotAccount, SnapshotPolicy, SnapshotUnit
from rooftree.organization.tree import Organization
from rooftree.policy.builtin import RCP_FULL_AWS_ACCESS_ID

__all__ = ["RECONCILER", "RECONCILIATION", "Drift", "find_drift", "subject_of"]

RECONCILER: Final = "urn:rooftree:reconciler"
"""The source of the changes that are found so."""

RECONCILIATION: Final = "reconciliation"
"""What is said to have caused them."""


@dataclass(frozen=True, slots=True)
class Drift:
    """
    What was found.

    Attributes:
        changes: The changes that nobody has told, in the order in which they are to be told.
        postponed: How many differences are too young to be believed.
    """

    changes: tuple[Change, ...]
    postponed: int


def find_drift(organization: Organization, observation: Observation) -> Drift:
    """
    Return what *organization* does not know of *observation*, and take it in.

    INVARIANT: types come before nodes and policies, and these before attachments, in the sequence of the changes too:
    enabling a type and creating a node imply attachments, which what is seen of attachments then corrects.
    """
    search = _Search(organization, observation)
    search.look(1, search.policy_types())
    search.look(2, search.units())
    search.look(2, search.accounts())
    search.look(3, search.policies())
    search.look(4, search.attachments())
    return Drift(tuple(search.changes), search.postponed)


def subject_of(data: ChangeData) -> str:
    """
    Return the node or the policy that a change is about; of an attachment, the node.
    """
    match data:
        case PolicyAttached() | PolicyDetached():
            return data.target_id
        case OuCreated() | OuRenamed() | OuDeleted():
            return data.ou_id
        case PolicyCreated() | PolicyUpdated() | PolicyDeleted():
            return data.policy_id
        case AccountCreated() | AccountMoved() | AccountUpdated() | AccountRemoved():
            return data.account_id
        case PolicyTypeEnabled() | PolicyTypeDisabled():
            return data.policy_type
        case _:
            raise TypeError(data)


class _Difference(Protocol):
    """
    A way to ask for one difference, before and after it was taken in.
    """

    def find(self) -> ChangeData | None: ...


class _Search:
    def __init__(self, organization: Organization, observation: Observation) -> None:
        self._organization = organization
        self._registers = organization.registers
        self._seen = observation
        self.changes: list[Change] = []
        self.postponed = 0

    def look(self, step: int, differences: Iterable[_Difference]) -> None:
        for difference in list(differences):
            data = difference.find()
            if data is None:
                continue
            change = self._change(step, data)
            self._organization.merge(facts_of(change))
            rest = difference.find()
            if rest != data:
                self.changes.append(change)
            if rest is not None:
                self.postponed += 1

    def _change(self, step: int, data: ChangeData) -> Change:
        organization_id, moment = self._organization.organization_id, self._seen.moment
        identity = json.dumps(
            [organization_id, CHANGE_TYPES[type(data)], asdict(data), moment.isoformat()], sort_keys=True
        )
        return Change(
            event_id=hashlib.sha256(identity.encode()).hexdigest()[:32],
            source=RECONCILER,
            type=CHANGE_TYPES[type(data)],
            time=moment,
            sequence=str(step),
            organization_id=organization_id,
            actor=None,
            data=data,
            origin=RECONCILIATION,
        )

    def policy_types(self) -> Iterator[_Difference]:
        if self._seen.policy_types is not None:
            for kind in sorted({*self._seen.policy_types, *self._organization.policy_types()}):
                yield _TypeDifference(self._organization, kind, enabled=kind in self._seen.policy_types)

    def units(self) -> Iterator[_Difference]:
        known = sorted(self._organization.units()) if self._seen.whole else []
        for unit_id in dict.fromkeys([*self._seen.units, *known]):
            yield _UnitDifference(self._organization, unit_id, self._seen.units.get(unit_id))

    def accounts(self) -> Iterator[_Difference]:
        known = sorted(self._organization.accounts()) if self._seen.whole else []
        for account_id in dict.fromkeys([*self._seen.accounts, *known]):
            yield _AccountDifference(self._organization, account_id, self._seen.accounts.get(account_id))

    def policies(self) -> Iterator[_Difference]:
        known = sorted(self._organization.policies()) if self._seen.whole else []
        for policy_id in dict.fromkeys([*self._seen.policies, *known]):
            # What decides nothing is not read, so nothing is known of it here.
            if policy_id not in BUILTIN_POLICIES and (policy_id in self._seen.policies or self._decides(policy_id)):
                yield _PolicyDifference(self._organization, policy_id, self._seen.policies.get(policy_id))

    def attachments(self) -> Iterator[_Difference]:
        pairs: dict[tuple[str, str], bool] = {}
        for node_id, seen in self._seen.attached.items():
            known = (each for each in self._organization.attached_ids(node_id) if self._limits(each))
            pairs |= {(policy_id, node_id): policy_id in seen for policy_id in {*seen, *known}}
        for policy_id, nodes in self._seen.targets.items():
            if self._limits(policy_id):
                known = (node for node in self._nodes() if policy_id in self._organization.attached_ids(node))
                pairs |= {(policy_id, node_id): node_id in nodes for node_id in {*nodes, *known}}
        for (policy_id, node_id), is_there in sorted(pairs.items()):
            if policy_id != RCP_FULL_AWS_ACCESS_ID:
                yield _AttachmentDifference(self._organization, policy_id, node_id, attached=is_there)

    def _nodes(self) -> Iterator[str]:
        root_id = self._registers.root()
        yield from [root_id] if root_id is not None else []
        yield from self._organization.units()
        yield from self._organization.accounts()

    def _decides(self, policy_id: str) -> bool:
        policy = self._organization.policy(policy_id)
        return policy is not None and policy.type in AUTHORIZING_TYPES

    def _limits(self, policy_id: str) -> bool:
        # Of a type that is not enabled nothing hangs anywhere, whatever was said of it before.
        policy = self._organization.policy(policy_id)
        return policy is not None and policy.type in self._organization.limiting_types


@dataclass(frozen=True, slots=True)
class _TypeDifference:
    organization: Organization
    policy_type: str
    enabled: bool

    def find(self) -> ChangeData | None:
        if self.organization.registers.has_policy_type(self.policy_type) == self.enabled:
            return None
        return PolicyTypeEnabled(self.policy_type) if self.enabled else PolicyTypeDisabled(self.policy_type)


@dataclass(frozen=True, slots=True)
class _UnitDifference:
    organization: Organization
    unit_id: str
    seen: SnapshotUnit | None

    def find(self) -> ChangeData | None:
        registers, seen = self.organization.registers, self.seen
        is_known = registers.is_present(self.unit_id)
        if seen is None:
            return OuDeleted(self.unit_id) if is_known else None
        if not is_known:
            return OuCreated(self.unit_id, seen.parent_id, seen.name)
        has_moved = registers.parent(self.unit_id) != seen.parent_id
        if not has_moved and registers.text(FactKind.OU, self.unit_id, Attribute.NAME) == seen.name:
            return None
        return OuRenamed(self.unit_id, seen.name, seen.parent_id if has_moved else None)


@dataclass(frozen=True, slots=True)
class _AccountDifference:
    organization: Organization
    account_id: str
    seen: SnapshotAccount | None

    def find(self) -> ChangeData | None:
        registers, seen = self.organization.registers, self.seen
        is_known = registers.is_present(self.account_id)
        if seen is None:
            return AccountRemoved(self.account_id) if is_known else None
        if not is_known:
            return AccountCreated(self.account_id, seen.name, seen.email, seen.parent_id, seen.status)
        name = self._new(Attribute.NAME, seen.name)
        email = self._new(Attribute.EMAIL, seen.email)
        status = seen.status if seen.status not in (None, registers.status(self.account_id)) else None
        if registers.parent(self.account_id) != seen.parent_id:
            return AccountMoved(self.account_id, name, email, seen.parent_id, status)
        told = (name, email, status)
        return AccountUpdated(self.account_id, name, email, None, status) if told != (None, None, None) else None

    def _new(self, attribute: Attribute, value: str | None) -> str | None:
        known = self.organization.registers.text(FactKind.ACCOUNT, self.account_id, attribute)
        return value if value != known else None


@dataclass(frozen=True, slots=True)
class _PolicyDifference:
    organization: Organization
    policy_id: str
    seen: SnapshotPolicy | None

    def find(self) -> ChangeData | None:
        seen = self.seen
        is_known = self.organization.registers.has_policy(self.policy_id)
        if seen is None:
            return PolicyDeleted(self.policy_id) if is_known else None
        if not is_known:
            return PolicyCreated(self.policy_id, seen.type, seen.name, seen.content)
        policy_type = self._new(Attribute.TYPE, seen.type)
        name, content = self._new(Attribute.NAME, seen.name), self._new(Attribute.CONTENT, seen.content)
        if (policy_type, name, content) == (None, None, None):
            return None
        # With a new content the type is told too: of what a text means it decides a part.
        return PolicyUpdated(self.policy_id, seen.type if content is not None else policy_type, name, content)

    def _new(self, attribute: Attribute, value: str | None) -> str | None:
        known = self.organization.registers.text(FactKind.POLICY, self.policy_id, attribute)
        return value if value != known else None


@dataclass(frozen=True, slots=True)
class _AttachmentDifference:
    organization: Organization
    policy_id: str
    node_id: str
    attached: bool

    def find(self) -> ChangeData | None:
        if (self.policy_id in self.organization.attached_ids(self.node_id)) == self.attached:
            return None
        return (PolicyAttached if self.attached else PolicyDetached)(self.policy_id, self.node_id)
