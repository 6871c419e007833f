"""
An organization in memory: its facts, and what follows from them for nodes, policies and the accounts below a node.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from copy import copy
from dataclasses import dataclass
from typing import Final

from rooftree.organization.documents import AUTHORIZING_TYPES, BUILTIN_POLICIES, Policy, read_document
from rooftree.organization.facts import Attribute, Fact, FactKind
from rooftree.organization.identifiers import is_account, is_root
from rooftree.organization.indexes import Index
from rooftree.organization.probes import Probe
from rooftree.organization.registers import Registers, Replacement, kind_of_node
from rooftree.policy.builtin import FULL_AWS_ACCESS_ID
from rooftree.policy.partitions import DEFAULT_PARTITION

__all__ = ["Merge", "Organization"]

# Told again and again; only another value has an effect.
_SETTINGS = frozenset({Attribute.ROOT, Attribute.MANAGEMENT_ACCOUNT, Attribute.FEATURE_SET, Attribute.PARTITION})

_BUILTIN_IDS: Final = {
    kind: tuple(sorted(policy_id for policy_id, policy in BUILTIN_POLICIES.items() if policy.type == kind))
    for kind in AUTHORIZING_TYPES
}
_BUILTIN_SETS: Final = {kind: frozenset(policy_ids) for kind, policy_ids in _BUILTIN_IDS.items()}


@dataclass(frozen=True, slots=True)
class Merge:
    """
    What taking in some facts has done.

    Attributes:
        facts: Those that have changed their register.
        accounts: The accounts whose row may differ now, present or not.
        retold: Those of them of which something else than their limits may: their name, email address, status or
            parent, or whether they are there.
        renamed: The policies that may have got another name.
    """

    facts: tuple[Fact, ...]
    accounts: frozenset[str]
    retold: frozenset[str]
    renamed: frozenset[str]


class Organization:
    """
    One organization.

    INVARIANT: whatever can be asked is a function of the set of merged facts; the indexes only find it fast.
    """

    def __init__(self, organization_id: str, facts: Iterable[Fact] = ()) -> None:
        self.organization_id = organization_id
        self.registers = Registers(organization_id, facts)
        self._accounts: set[str] = set()
        self._units: set[str] = set()
        self._policies: set[str] = set()
        self._policy_types: set[str] = set()
        self._probes: set[str] = set()
        # By parent as it was told last, void or not; None stands for the root, whichever it is.
        self._children: Index[str | None] = Index()
        self._attached: Index[str] = Index()
        self._targets: Index[str] = Index()
        for fact in self.registers:
            self._index(fact)

    def copy(self) -> Organization:
        """
        Return an organization of its own with the same facts, without looking at any of them again.
        """
        twin = copy(self)
        vars(twin).update({name: _copied(held) for name, held in vars(self).items()})
        return twin

    def merge(self, facts: Iterable[Fact]) -> Merge:
        """
        Take in *facts* and tell what they have done.
        """
        taken = self.registers.merge(facts)
        for replacement in taken:
            if replacement.previous is not None:
                self._forget(replacement.previous)
            self._index(replacement.fact)
        return Merge(
            facts=tuple(replacement.fact for replacement in taken),
            accounts=self._touched_accounts(taken),
            retold=self._retold_accounts(taken),
            renamed=frozenset(
                replacement.fact.subject
                for replacement in taken
                if replacement.fact.kind == FactKind.POLICY and replacement.fact.attribute == Attribute.NAME
            ),
        )

    @property
    def limiting_types(self) -> tuple[str, ...]:
        """
        The types of policies that limit something in this organization.

        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
        """
        feature_set = self.registers.text(FactKind.ORGANIZATION, self.organization_id, Attribute.FEATURE_SET)
        if feature_set not in (None, "ALL"):
            return ()
        return tuple(kind for kind in AUTHORIZING_TYPES if self.registers.has_policy_type(kind))

    @property
    def management_account_id(self) -> str | None:
        """
        The account that no service or resource control policy limits; None while it is not known.
        """
        return self.registers.text(FactKind.ORGANIZATION, self.organization_id, Attribute.MANAGEMENT_ACCOUNT)

    @property
    def partition(self) -> str:
        """
        The AWS partition that the organization is in; the one that nearly all are in while it is not known.
        """
        told = self.registers.text(FactKind.ORGANIZATION, self.organization_id, Attribute.PARTITION)
        return told or DEFAULT_PARTITION

    def accounts(self) -> Iterator[str]:
        """
        Yield the accounts that exist, placed or not.
        """
        return (account_id for account_id in self._accounts if self.registers.is_present(account_id))

    def units(self) -> Iterator[str]:
        """
        Yield the organizational units that exist, placed or not.
        """
        return (unit_id for unit_id in self._units if self.registers.is_present(unit_id))

    def has_node(self, node_id: str) -> bool:
        """
        Tell whether this is the root, or an organizational unit or an account that exists.
        """
        if is_root(node_id):
            return node_id == self.registers.root()
        return (node_id in self._accounts or node_id in self._units) and self.registers.is_present(node_id)

    def policy_types(self) -> list[str]:
        """
        Return the policy types that are enabled, ordered.
        """
        return sorted(kind for kind in self._policy_types if self.registers.has_policy_type(kind))

    def policies(self) -> Iterator[str]:
        """
        Yield the policies of the organization's own making that exist.
        """
        return (policy_id for policy_id in self._policies if self.registers.has_policy(policy_id))

    def probes(self) -> Iterator[Probe]:
        """
        Yield the decisions that are watched.
        """
        return (probe for name in self._probes if (probe := self.probe(name)) is not None)

    def probe(self, name: str) -> Probe | None:
        """
        Return a decision that is watched.
        """
        text = self.registers.text(FactKind.PROBE, name, Attribute.REQUEST)
        return None if text is None else Probe.of_text(name, text)

    def policy(self, policy_id: str) -> Policy | None:
        """
        Return a policy if it exists.
        """
        if policy_id in BUILTIN_POLICIES:
            return BUILTIN_POLICIES[policy_id]
        if not self.registers.has_policy(policy_id):
            return None
        kind = self.registers.text(FactKind.POLICY, policy_id, Attribute.TYPE)
        content = self.registers.text(FactKind.POLICY, policy_id, Attribute.CONTENT)
        authorizing = AUTHORIZING_TYPES.get(kind or "")
        document = read_document(content, authorizing) if content is not None and authorizing is not None else None
        return Policy(policy_id, self.name_of(policy_id), kind or "", document)

    def attached(self, target_id: str, policy_type: str) -> list[Policy]:
        """
        Return the policies of one type that hang on a node and whose document is known, ordered by id.
        """
        found = []
        for policy_id in self.attachable_ids(target_id, policy_type):
            policy = self.policy(policy_id)
            if policy is None or policy.type != policy_type or policy.document is None:
                continue
            if self.registers.is_attached(target_id, policy_id, policy_type):
                found.append(policy)
        return found

    def attachable_ids(self, target_id: str, policy_type: str) -> Sequence[str]:
        """
        Return the ids of all policies of which it was ever said that they hang on a node, and of those of AWS's own of
        one type, ordered: no other can be attached.
        """
        builtin = _BUILTIN_IDS[policy_type]
        said = self._attached.of(target_id)
        return builtin if said <= _BUILTIN_SETS[policy_type] else sorted({*said, *builtin})

    def attached_ids(self, target_id: str) -> list[str]:
        """
        Return the ids of all policies that hang on a node by fact, of whatever type, known or not, ordered.
        """
        candidates = self._attached.of(target_id) | {FULL_AWS_ACCESS_ID}
        return [
            policy_id
            for policy_id in sorted(candidates)
            if self.registers.is_attached(target_id, policy_id, self._type_of(policy_id))
        ]

    def name_of(self, subject: str) -> str:
        """
        Return what people call a node or a policy; its id while that is not known.
        """
        if is_root(subject):
            return "the root"
        if subject in BUILTIN_POLICIES:
            return BUILTIN_POLICIES[subject].name
        kind = FactKind.POLICY if subject.startswith("p-") else kind_of_node(subject)
        return self.registers.text(kind, subject, Attribute.NAME) or subject

    def names(self) -> dict[str, str]:
        """
        Return what people call the organizational units and policies that exist, by their ids.
        """
        return {subject: self.name_of(subject) for subject in (*self.units(), *self.policies())}

    def nodes_named(self, name: str) -> list[str]:
        """
        Return the accounts and organizational units that exist and go by a name.
        """
        known = ((FactKind.OU, self._units), (FactKind.ACCOUNT, self._accounts))
        called = (
            node_id
            for kind, nodes in known
            for node_id in nodes
            if self.registers.value(kind, node_id, Attribute.NAME) == name
        )
        return [node_id for node_id in called if self.registers.is_present(node_id)]

    def accounts_under(self, node_id: str) -> set[str]:
        """
        Return the accounts at and below a node by the parents told last, present or not.
        """
        if is_account(node_id):
            return {node_id}
        accounts: set[str] = set()
        seen = {node_id}
        pending = [node_id]
        while pending:
            children = self._children_of(pending.pop())
            accounts |= children & self._accounts
            units = children - self._accounts - seen
            seen |= units
            pending.extend(units)
        return accounts

    def _children_of(self, node_id: str) -> AbstractSet[str]:
        children = self._children.of(node_id)
        if node_id == self.registers.root():
            return children | self._children.of(None)
        return children

    def _type_of(self, policy_id: str) -> str:
        if policy_id in BUILTIN_POLICIES:
            return BUILTIN_POLICIES[policy_id].type
        return self.registers.text(FactKind.POLICY, policy_id, Attribute.TYPE) or ""

    def _index(self, fact: Fact) -> None:
        match fact.kind:
            case FactKind.ACCOUNT:
                self._accounts.add(fact.subject)
            case FactKind.OU:
                self._units.add(fact.subject)
            case FactKind.POLICY:
                self._policies.add(fact.subject)
            case FactKind.POLICY_TYPE:
                self._policy_types.add(fact.subject)
            case FactKind.PROBE:
                self._probes.add(fact.subject)
            case FactKind.ATTACHMENT:
                self._attached.add(fact.subject, fact.attribute)
                self._targets.add(fact.attribute, fact.subject)
        if fact.attribute == Attribute.PARENT:
            self._children.add(_parent(fact), fact.subject)

    def _forget(self, fact: Fact) -> None:
        if fact.attribute == Attribute.PARENT:
            self._children.discard(_parent(fact), fact.subject)

    def _touched_accounts(self, taken: Iterable[Replacement]) -> frozenset[str]:
        nodes: set[str] = set()
        for replacement in taken:
            touched = self._touched(replacement)
            if touched is None:
                return frozenset(self._accounts)
            nodes |= touched
        accounts: set[str] = set()
        for node in nodes:
            accounts |= self.accounts_under(node)
        return frozenset(accounts & self._accounts)

    def _retold_accounts(self, taken: Iterable[Replacement]) -> frozenset[str]:
        retold: set[str] = set()
        for replacement in taken:
            fact = replacement.fact
            if fact.kind == FactKind.ORGANIZATION and self._touched(replacement) is None:
                # A snapshot says of all of them whether they are there; a root is a parent.
                return frozenset(self._accounts)
            if fact.kind == FactKind.ACCOUNT:
                retold.add(fact.subject)
        return frozenset(retold)

    def _touched(self, replacement: Replacement) -> AbstractSet[str] | None:
        """
        Return the nodes at and below which something may differ; None for everywhere.
        """
        fact = replacement.fact
        match fact.kind:
            case FactKind.ORGANIZATION:
                return set() if fact.attribute in _SETTINGS and not replacement.is_new_value else None
            case FactKind.POLICY_TYPE:
                return None if fact.subject in AUTHORIZING_TYPES else set()
            case FactKind.POLICY:
                is_text = fact.attribute in (Attribute.TYPE, Attribute.CONTENT)
                is_idle = fact.attribute == Attribute.NAME or (is_text and not replacement.is_new_value)
                return set() if is_idle else self._targets.of(fact.subject)
            case FactKind.OU if fact.attribute == Attribute.NAME:
                return set()
            case FactKind.PROBE:
                return set()
            case _:
                return {fact.subject}


def _copied(held: object) -> object:
    if isinstance(held, Registers | Index):
        return held.copy()
    return set(held) if isinstance(held, set) else held


def _parent(fact: Fact) -> str | None:
    return fact.value if isinstance(fact.value, str) else None
