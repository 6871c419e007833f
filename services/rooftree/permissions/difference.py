"""
Where two chains decide differently, as diagrams.

What both sides share need not be told apart where nothing has changed: only requests that a changed statement speaks
of can be decided differently, so the space is cut by the statements that such requests can meet, and by no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rooftree.permissions.chain import Limits, allowed, matched
from rooftree.permissions.diagram import FALSE, Node
from rooftree.permissions.keys import Side
from rooftree.permissions.meeting import may_meet, services_of
from rooftree.permissions.predicate import BoundStatement
from rooftree.permissions.space import Space
from rooftree.policy.evaluate import Decision

__all__ = ["Difference", "Part", "find_difference"]


@dataclass(frozen=True, slots=True)
class Part:
    """
    The requests that went from one decision to another, where one of the two is to allow.

    Attributes:
        spared: Statements that deny others, both before and after.
    """

    before: Decision
    after: Decision
    node: Node
    spared: frozenset[BoundStatement]

    @property
    def direction(self) -> str:
        """
        ``denied`` for what was allowed, ``allowed`` for what was denied.
        """
        return "denied" if self.before is Decision.ALLOW else "allowed"


@dataclass(frozen=True, slots=True)
class Difference:
    """
    Every request that is decided one way under one chain and another way under the other.
    """

    space: Space
    parts: tuple[Part, ...]


def find_difference(before: Limits, after: Limits, side: Side) -> Difference | None:
    """
    Return where two chains of one account decide differently; ``None`` if they do not.

    Raises:
        TooComplexError: If the patterns cannot be told apart in reasonable time.
    """
    if before == after:
        return None
    if before.grants == after.grants:
        space, parts = _of_denials(before, after, side)
    else:
        space = Space([*before.statements, *after.statements], side, within=side.services)
        parts = tuple(_parts(space, before, after))
    return Difference(space, parts) if parts else None


def _of_denials(before: Limits, after: Limits, side: Side) -> tuple[Space, tuple[Part, ...]]:
    """
    Find the difference of chains whose levels allow the same.
    """
    lifted, added = before.denials - after.denials, after.denials - before.denials
    changed = lifted | added
    common = frozenset(denial for denial in before.denials & after.denials if may_meet(denial, changed))
    grants = [frozenset(allow for allow in grant if may_meet(allow, changed)) for grant in before.grants]
    services = _services(changed)
    if side.services is not None:
        services = side.services if services is None else services & side.services
    space = Space((*changed, *common, *(allow for grant in grants for allow in grant)), side, within=services)
    diagrams = space.diagrams
    parts = []
    for gone, come, decisions in (
        (lifted, added, (Decision.ALLOW, Decision.EXPLICIT_DENY)),
        (added, lifted, (Decision.EXPLICIT_DENY, Decision.ALLOW)),
    ):
        # what has changed is the smallest set at hand: all else is taken from it, one by one
        node = diagrams.without(matched(come, space), space.impossible)
        for grant in grants:
            node = diagrams.both(node, matched(grant, space))
        for denial in (*gone, *common):
            node = diagrams.without(node, space.node(denial))
        if diagrams.without(node, space.uncalled) != FALSE:
            parts.append(Part(*decisions, node, gone | common))
    return space, tuple(parts)


def _services(statements: frozenset[BoundStatement]) -> frozenset[str] | None:
    """
    Return the services of whose actions some statements speak; ``None`` if they do not name them.
    """
    found: frozenset[str] = frozenset()
    for statement in statements:
        services = services_of(statement)
        if services is None:
            return None
        found |= services
    return found


def _parts(space: Space, before: Limits, after: Limits) -> Iterator[Part]:
    diagrams = space.diagrams
    for one, other, flipped in ((before, after, False), (after, before, True)):
        lost = diagrams.without(diagrams.without(allowed(one, space), allowed(other, space)), space.impossible)
        explicit = diagrams.both(lost, matched(other.denials, space))
        for decision, node in (
            (Decision.EXPLICIT_DENY, explicit),
            (Decision.IMPLICIT_DENY, diagrams.without(lost, explicit)),
        ):
            if diagrams.without(node, space.uncalled) != FALSE:
                decisions = (decision, Decision.ALLOW) if flipped else (Decision.ALLOW, decision)
                yield Part(*decisions, node, one.denials)
