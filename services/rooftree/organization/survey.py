"""
Where each account stands: its path, its chain, and the documents that the chain is made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from rooftree.organization.chains import (
    OWN_LEVEL,
    ChainRecord,
    LevelRecord,
    Levels,
    PolicyRecord,
    identify_chain,
)
from rooftree.organization.documents import BUILTIN_POLICIES, Document
from rooftree.organization.identifiers import RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY, is_root
from rooftree.organization.tree import Organization

__all__ = ["Placement", "Survey"]


class Placement(NamedTuple):
    """
    Where an account stands.

    Attributes:
        path: The nodes from the root to the account.
        chain: The service and resource control policies along it.
    """

    path: tuple[str, ...]
    chain: ChainRecord


@dataclass(frozen=True, slots=True)
class _Ancestry:
    """
    The nodes from the root to one, and for each type of policies what hangs on them.
    """

    path: tuple[str, ...]
    levels: tuple[Levels, ...]


class Survey:
    """
    The placements of an organization's accounts, as of one state.

    What accounts have in common is worked out once: the levels above them by parent, the chain by parent and by what
    hangs on the account itself. A survey is of no use after the organization has changed.

    Attributes:
        documents: The documents of all chains met so far, by digest.
    """

    def __init__(self, organization: Organization) -> None:
        self._organization = organization
        self._types = organization.limiting_types
        self._management_account_id = organization.management_account_id
        self._unlimited = identify_chain(None, partition=organization.partition)
        self._ancestries: dict[str, _Ancestry | None] = {}
        self._records: dict[str, PolicyRecord | None] = {}
        self._chains: dict[tuple[str, tuple[tuple[PolicyRecord, ...], ...]], ChainRecord] = {}
        self.documents: dict[str, Document] = {}

    def path(self, node_id: str) -> tuple[str, ...] | None:
        """
        Return the nodes from the root to an account or an organizational unit; None where one is not known.
        """
        parent_id = self._above(node_id)
        ancestry = None if parent_id is None else self._ancestry(parent_id)
        return None if ancestry is None else (*ancestry.path, node_id)

    def placement(self, account_id: str) -> Placement | None:
        """
        Return where an account stands; None while an ancestor is not known, or for an account that is not there.
        """
        parent_id = self._above(account_id)
        return None if parent_id is None else self.placement_under(parent_id, account_id)

    def placement_under(self, parent_id: str, account_id: str) -> Placement | None:
        """
        Return where an account stands of which it is known that it is there, and under which parent.
        """
        ancestry = self._ancestries[parent_id] if parent_id in self._ancestries else self._ancestry(parent_id)
        if ancestry is None:
            return None
        return Placement((*ancestry.path, account_id), self._chain(account_id, parent_id, ancestry))

    def _chain(self, account_id: str, parent_id: str, ancestry: _Ancestry) -> ChainRecord:
        if not self._types or account_id == self._management_account_id:
            return self._unlimited
        own = self._policies(account_id)
        chain = self._chains.get((parent_id, own))
        if chain is None:
            chain = self._chains[parent_id, own] = self._join(ancestry, own)
        return chain

    def _join(self, ancestry: _Ancestry, own: tuple[tuple[PolicyRecord, ...], ...]) -> ChainRecord:
        levels: dict[str, Levels] = {
            kind: (*above, LevelRecord(OWN_LEVEL, policies))
            for kind, above, policies in zip(self._types, ancestry.levels, own, strict=True)
        }
        resource_levels = levels.get(RESOURCE_CONTROL_POLICY, ())
        # what AWS hangs everywhere, and lets nobody take away, limits nothing
        says_more = any(
            policy.policy_id not in BUILTIN_POLICIES for level in resource_levels for policy in level.policies
        )
        return identify_chain(
            levels.get(SERVICE_CONTROL_POLICY),
            resource_levels if says_more else None,
            partition=self._organization.partition,
        )

    def _ancestry(self, node_id: str) -> _Ancestry | None:
        """
        Return what is at and above a root or an organizational unit; None where the way to the root is not known.
        """
        climb: list[str] = []
        current: str | None = node_id
        while current is not None and current not in self._ancestries and current not in climb:
            climb.append(current)
            current = self._above(current)
        # A cycle, which only wrong events can make, leads to no root.
        ancestry = self._ancestries.get(current) if current is not None else None
        for node in reversed(climb):
            if is_root(node):
                ancestry = _Ancestry((), tuple(() for _kind in self._types))
            if ancestry is not None:
                levels = zip(ancestry.levels, self._policies(node), strict=True)
                ancestry = _Ancestry(
                    (*ancestry.path, node), tuple((*above, LevelRecord(node, here)) for above, here in levels)
                )
            self._ancestries[node] = ancestry
        return ancestry

    def _above(self, node_id: str) -> str | None:
        registers = self._organization.registers
        return registers.parent(node_id) if not is_root(node_id) and registers.is_present(node_id) else None

    def _policies(self, node_id: str) -> tuple[tuple[PolicyRecord, ...], ...]:
        """
        Return what hangs on a node, for each type.
        """
        return tuple([tuple(self._attached(node_id, kind)) for kind in self._types])

    def _attached(self, node_id: str, kind: str) -> list[PolicyRecord]:
        found = []
        for policy_id in self._organization.attachable_ids(node_id, kind):
            record = self._record(policy_id, kind)
            if record is not None and self._organization.registers.is_attached(node_id, policy_id, kind):
                found.append(record)
        return found

    def _record(self, policy_id: str, kind: str) -> PolicyRecord | None:
        """
        Return a policy if it is of a type and its document is known. Each is asked for once: it is on many nodes.
        """
        key = f"{kind} {policy_id}"
        if key not in self._records:
            policy = self._organization.policy(policy_id)
            document = None if policy is None or policy.type != kind else policy.document
            if policy is None or document is None:
                self._records[key] = None
            else:
                self.documents[document.digest] = document
                self._records[key] = PolicyRecord(policy_id, policy.name, document.digest)
        return self._records[key]
