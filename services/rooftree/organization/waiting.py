"""
What is known already but has no effect yet, since something that it refers to is not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from rooftree.organization.documents import AUTHORIZING_TYPES
from rooftree.organization.facts import FactKind
from rooftree.organization.identifiers import is_root
from rooftree.organization.tree import Organization

__all__ = ["Waiting", "waiting"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """
    One thing that waits.

    Attributes:
        subject: The node whose place or whose attachment waits.
        waits_for: The id of the policy or of the node that is missing; empty for a parent that nobody has told.
        since: The time of the change that waits; None for a parent that nobody has told.
    """

    subject: str
    waits_for: str
    since: datetime | None


def waiting(organization: Organization) -> list[Waiting]:
    """
    Return everything that waits: attachments to policies not known, and nodes under nodes not known.
    """
    found = [*_attachments(organization), *_nodes(organization)]
    return sorted(found, key=lambda one: (one.subject, one.waits_for))


def _attachments(organization: Organization) -> Iterator[Waiting]:
    registers = organization.registers
    for fact in registers:
        if fact.kind != FactKind.ATTACHMENT or not registers.is_present(fact.subject):
            continue
        policy = organization.policy(fact.attribute)
        if policy is not None and (policy.document is not None or policy.type not in {*AUTHORIZING_TYPES, ""}):
            continue
        if registers.is_attached(fact.subject, fact.attribute, policy.type if policy is not None else ""):
            yield Waiting(fact.subject, fact.attribute, fact.version.time)


def _nodes(organization: Organization) -> Iterator[Waiting]:
    registers = organization.registers
    for node_id in (*organization.units(), *organization.accounts()):
        parent_id = registers.parent(node_id)
        if parent_id is None:
            yield Waiting(node_id, "", None)
        elif not is_root(parent_id) and not registers.is_present(parent_id):
            yield Waiting(node_id, parent_id, registers.parent_told_at(node_id))
