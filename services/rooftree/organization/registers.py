"""
The facts of one organization, merged, and which of them hold.

A fact can be void although nothing newer was said in its own register:

- A snapshot is the whole truth, so what was said to exist before it and is not in it exists no more. Its version is
  the *floor*.
- What hung on a node before the node was removed is gone, and so is what hung anywhere before its type was disabled.
- Enabling service control policies hangs FullAWSAccess on every node.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_disable.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime

from rooftree.organization.branches import branch
from rooftree.organization.facts import Attribute, Fact, FactKey, FactKind, FactValue, Version
from rooftree.organization.identifiers import (
    RESOURCE_CONTROL_POLICY,
    SERVICE_CONTROL_POLICY,
    is_account,
    is_root,
)
from rooftree.policy.builtin import FULL_AWS_ACCESS_ID, RCP_FULL_AWS_ACCESS_ID

__all__ = ["Registers", "Replacement", "kind_of_node"]

_BEGINNING = Version(datetime.min.replace(tzinfo=UTC), "", 0, "")


def kind_of_node(node_id: str) -> FactKind:
    """
    Return the kind of the facts about an account or an organizational unit.
    """
    return FactKind.ACCOUNT if is_account(node_id) else FactKind.OU


@dataclass(frozen=True, slots=True)
class Replacement:
    """
    A fact that was taken in, and the one that it overruled, if any.
    """

    fact: Fact
    previous: Fact | None

    @property
    def is_new_value(self) -> bool:
        """
        Whether the register holds another value than before, or its first.
        """
        return self.previous is None or self.previous.value != self.fact.value


class Registers:
    """
    The merged facts of one organization.
    """

    def __init__(self, organization_id: str, facts: Iterable[Fact] = ()) -> None:
        self.organization_id = organization_id
        self._facts: MutableMapping[FactKey, Fact] = {fact.key: fact for fact in facts}
        # Asked for each node that a change touches, and moved by snapshots alone.
        self._floor = self._moment(FactKind.ORGANIZATION, organization_id, Attribute.FLOOR)

    def __iter__(self) -> Iterator[Fact]:
        return iter(self._facts.values())

    def __len__(self) -> int:
        return len(self._facts)

    def copy(self) -> Registers:
        """
        Return registers of their own with the same facts.
        """
        twin = copy(self)
        self._facts, copied = branch(self._facts)
        vars(twin).update(_facts=copied)
        return twin

    def merge(self, facts: Iterable[Fact]) -> list[Replacement]:
        """
        Take in *facts* and return those that have changed their register.
        """
        taken = []
        for fact in facts:
            known = self._facts.get(fact.key)
            if known is None or fact.overrules(known):
                self._facts[fact.key] = fact
                taken.append(Replacement(fact, known))
        self._floor = self._moment(FactKind.ORGANIZATION, self.organization_id, Attribute.FLOOR)
        return taken

    def find(self, key: FactKey) -> Fact | None:
        """
        Return the fact that a register holds, whether void or not.
        """
        return self._facts.get(key)

    def value(self, kind: FactKind, subject: str, attribute: str) -> FactValue:
        """
        Return the value last said, whether void or not; None for nothing.
        """
        fact = self._facts.get((kind, subject, attribute))
        return None if fact is None else fact.value

    def text(self, kind: FactKind, subject: str, attribute: str) -> str | None:
        """
        Return the text last said, whether void or not; None for nothing.
        """
        value = self.value(kind, subject, attribute)
        return value if isinstance(value, str) else None

    @property
    def floor(self) -> Version:
        """
        The version of the latest snapshot, or the beginning of time.
        """
        return self._floor

    def is_present(self, node_id: str) -> bool:
        """
        Tell whether the node exists, as far as is known.

        A root exists once it is spoken of: AWS sends no event for it.
        """
        return is_root(node_id) or self._is_stated(node_id) or self._is_observed(node_id)

    def has_policy(self, policy_id: str) -> bool:
        """
        Tell whether a policy of the organization's own making exists.
        """
        return self._holds((FactKind.POLICY, policy_id, Attribute.PRESENT), self._floor)

    def has_policy_type(self, policy_type: str) -> bool:
        """
        Tell whether a policy type is enabled.
        """
        return self._holds((FactKind.POLICY_TYPE, policy_type, Attribute.ENABLED), self._floor)

    def parent(self, node_id: str) -> str | None:
        """
        Return the parent of an account or an organizational unit; None while it is not known.
        """
        kind = kind_of_node(node_id)
        fact = self._facts.get((kind, node_id, Attribute.PARENT))
        if fact is None or fact.version < self._since_removal(kind, node_id):
            return None
        return fact.value if isinstance(fact.value, str) else self.root()

    def parent_told_at(self, node_id: str) -> datetime | None:
        """
        Return the time of the change that told a node's parent last.
        """
        fact = self._facts.get((kind_of_node(node_id), node_id, Attribute.PARENT))
        return None if fact is None else fact.version.time

    def root(self) -> str | None:
        """
        Return the root, if it has been spoken of.
        """
        return self.text(FactKind.ORGANIZATION, self.organization_id, Attribute.ROOT)

    def status(self, account_id: str) -> str:
        """
        Return an account's status; what was said before it last left does not count.
        """
        fact = self._facts.get((FactKind.ACCOUNT, account_id, Attribute.STATUS))
        if fact is None or fact.version < self._since_removal(FactKind.ACCOUNT, account_id):
            return "ACTIVE"
        return str(fact.value)

    def is_attached(self, target_id: str, policy_id: str, policy_type: str) -> bool:
        """
        Tell whether a policy of the given type hangs on a node, outright or by implication.
        """
        if policy_id == RCP_FULL_AWS_ACCESS_ID:
            # It cannot be detached while its type is enabled.
            return self.has_policy_type(RESOURCE_CONTROL_POLICY)
        valid_from = self._attachments_since(target_id, policy_type)
        fact = self._facts.get((FactKind.ATTACHMENT, target_id, policy_id))
        if fact is not None and fact.version < valid_from:
            fact = None
        if policy_id == FULL_AWS_ACCESS_ID:
            return self._has_full_access(target_id, fact, valid_from)
        return fact is not None and fact.value is True

    def _has_full_access(self, target_id: str, fact: Fact | None, valid_from: Version) -> bool:
        enabled_at = self._moment(FactKind.POLICY_TYPE, SERVICE_CONTROL_POLICY, Attribute.ENABLED_AT)
        if enabled_at > valid_from and (fact is None or enabled_at > fact.version):
            return True
        if fact is not None:
            return fact.value is True
        # The event that created the node, and hung FullAWSAccess on it, is late or lost.
        return not is_root(target_id) and not self._is_stated(target_id)

    def _attachments_since(self, target_id: str, policy_type: str) -> Version:
        disabled_at = self._moment(FactKind.POLICY_TYPE, policy_type, Attribute.DISABLED_AT)
        if is_root(target_id):
            return max(self._floor, disabled_at)
        return max(self._since_removal(kind_of_node(target_id), target_id), disabled_at)

    def _since_removal(self, kind: FactKind, node_id: str) -> Version:
        removed = self._facts.get((kind, node_id, Attribute.REMOVED_AT))
        return self._floor if removed is None else max(self._floor, removed.version)

    def _is_stated(self, node_id: str) -> bool:
        return self._holds((kind_of_node(node_id), node_id, Attribute.PRESENT), self._floor)

    def _is_observed(self, node_id: str) -> bool:
        kind = kind_of_node(node_id)
        observed = self._facts.get((kind, node_id, Attribute.OBSERVED))
        if observed is None or observed.version < self._since_removal(kind, node_id):
            return False
        present = self._facts.get((kind, node_id, Attribute.PRESENT))
        return present is None or present.value is True or present.version < observed.version

    def _holds(self, key: FactKey, valid_from: Version) -> bool:
        fact = self._facts.get(key)
        return fact is not None and fact.value is True and fact.version >= valid_from

    def _moment(self, kind: FactKind, subject: str, attribute: Attribute) -> Version:
        fact = self._facts.get((kind, subject, attribute))
        return _BEGINNING if fact is None else fact.version
