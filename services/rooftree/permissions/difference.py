"""
Where two chains decide differently, as diagrams.

What both sides share need not be told apart where nothing has changed: only requests that a changed statement speaks
of can be decided differently, so the space is cut by the statements that such requests can meet, and by no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rooftree.permissions.actions import services_of
from rooftree.permissions.chain import Limits, allowed, matched
from rooftree.permissions.diagram import FALSE, Node
from rooftree.permissions.keys import Side
from rooftree.permissions.predicate import BoundStatement
from rooftree.permissions.space import Space
from rooftree.policy.evaluate import Decision

__all__ = ["Difference", "Part", "find_difference"]


@dataclass(frozen=True, slots=True)
class Part:
    """
    The requests that went from one decision to another, where one of the two is to allow.
    """

    before: Decision
    after: Decision
    node: Node

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
    changed = before.denials ^ after.denials
    services = _services(changed)
    if side.services is not None:
        services = side.services if services is None else services & side.services
    old, new = _meeting(before, services), _meeting(after, services)
    space = Space([*old.statements, *new.statements], side, within=services)
    diagrams = space.diagrams
    common = matched(old.denials & new.denials, space)
    passed = diagrams.all_of(matched(grant, space) for grant in old.grants)
    passed = diagrams.without(diagrams.without(passed, common), space.impossible)
    lifted, added = matched(old.denials - new.denials, space), matched(new.denials - old.denials, space)
    lost = diagrams.both(passed, diagrams.without(added, lifted))
    gained = diagrams.both(passed, diagrams.without(lifted, added))
    parts = (
        Part(Decision.ALLOW, Decision.EXPLICIT_DENY, lost),
        Part(Decision.EXPLICIT_DENY, Decision.ALLOW, gained),
    )
    return space, tuple(part for part in parts if part.node != FALSE)


def _services(statements: frozenset[BoundStatement]) -> frozenset[str] | None:
    """
    Return the services of whose actions some statements speak; ``None`` if they do not name them.
    """
    found: frozenset[str] = frozenset()
    for statement in statements:
        services = None if statement.actions_negated else services_of(statement.actions)
        if services is None:
            return None
        found |= services
    return found


def _meeting(limits: Limits, services: frozenset[str] | None) -> Limits:
    """
    Return what of a chain decides requests for actions of some services.
    """
    if services is None:
        return limits
    return Limits(
        frozenset(_about(grant, services) for grant in limits.grants),
        _about(limits.denials, services),
    )


def _about(statements: frozenset[BoundStatement], services: frozenset[str]) -> frozenset[BoundStatement]:
    kept = set()
    for statement in statements:
        named = None if statement.actions_negated else services_of(statement.actions)
        if named is None or named & services:
            kept.add(statement)
    return frozenset(kept)


def _parts(space: Space, before: Limits, after: Limits) -> Iterator[Part]:
    diagrams = space.diagrams
    for one, other, flipped in ((before, after, False), (after, before, True)):
        lost = diagrams.without(diagrams.without(allowed(one, space), allowed(other, space)), space.impossible)
        explicit = diagrams.both(lost, matched(other.denials, space))
        for decision, node in (
            (Decision.EXPLICIT_DENY, explicit),
            (Decision.IMPLICIT_DENY, diagrams.without(lost, explicit)),
        ):
            if node != FALSE:
                yield Part(decision, Decision.ALLOW, node) if flipped else Part(Decision.ALLOW, decision, node)
