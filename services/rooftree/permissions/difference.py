"""
Where two chains decide differently, as diagrams.

What both sides share need not be told apart where nothing has changed: only requests that a changed statement speaks
of can be decided differently, so the space is cut by the statements that such requests can meet, and by no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from rooftree.permissions.chain import Limits, allowed, matched
from rooftree.permissions.diagram import FALSE, Node
from rooftree.permissions.keys import Side
from rooftree.permissions.meeting import may_meet, services_of
from rooftree.permissions.predicate import BoundStatement
from rooftree.permissions.space import Space
from rooftree.policy.evaluate import Decision

__all__ = ["SHARED_DIFFERENCES", "Difference", "Part", "find_difference", "forget_differences"]

SHARED_DIFFERENCES: Final = 1024
"""Differences kept, at some ten kilobytes each: one policy is hung on many nodes, whose chains differ elsewhere."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """
    Every request that is decided one way under one chain and another way under the other.
    """

    space: Space
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Denials:
    """
    All that the difference of two chains depends on whose levels allow the same.

    INVARIANT: equal only to one of the very same statements. Those that decide alike may be written differently, and
    how a change is told must not depend on what was told before.

    Attributes:
        lifted: The denials that are gone.
        added: Those that are new.
        common: Those that were there and still are, and that can speak of the same requests.
        grants: For each level what can allow such requests.
    """

    lifted: frozenset[BoundStatement]
    added: frozenset[BoundStatement]
    common: frozenset[BoundStatement]
    grants: frozenset[frozenset[BoundStatement]]
    _same: tuple[frozenset[object], ...] = field(init=False)

    def __post_init__(self) -> None:
        # they live as long as this does
        sets = (frozenset(map(id, some)) for some in (self.lifted, self.added, self.common))
        grants = frozenset(frozenset(map(id, grant)) for grant in self.grants)
        object.__setattr__(self, "_same", (*sets, grants))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Denials) and self._same == other._same

    def __hash__(self) -> int:
        return hash(self._same)

    @classmethod
    def between(cls, before: Limits, after: Limits) -> _Denials:
        lifted, added = before.denials - after.denials, after.denials - before.denials
        changed = lifted | added
        return cls(
            lifted,
            added,
            frozenset(denial for denial in before.denials & after.denials if may_meet(denial, changed)),
            frozenset(frozenset(allow for allow in grant if may_meet(allow, changed)) for grant in before.grants),
        )


def find_difference(before: Limits, after: Limits, side: Side) -> Difference | None:
    """
    Return where two chains of one account decide differently; ``None`` if they do not.

    Raises:
        TooComplexError: If the patterns cannot be told apart in reasonable time.
    """
    if before == after:
        return None
    if before.grants == after.grants:
        return _of_denials(_Denials.between(before, after), side)
    space = Space([*before.statements, *after.statements], side, within=side.services)
    return _found(space, _parts(space, before, after))


def forget_differences() -> None:
    """
    Drop the differences that are kept.
    """
    _of_denials.cache_clear()


@lru_cache(maxsize=SHARED_DIFFERENCES)
def _of_denials(denials: _Denials, side: Side) -> Difference | None:
    """
    Find the difference of chains whose levels allow the same.
    """
    changed = denials.lifted | denials.added
    services = _services(changed)
    if side.services is not None:
        services = side.services if services is None else services & side.services
    allows = (allow for grant in denials.grants for allow in grant)
    space = Space((*changed, *denials.common, *allows), side, within=services)
    return _found(space, _parts_of_denials(space, denials))


def _found(space: Space, parts: Iterator[Part]) -> Difference | None:
    some = tuple(parts)
    return Difference(space, some) if some else None


def _parts_of_denials(space: Space, denials: _Denials) -> Iterator[Part]:
    diagrams, lifted, added = space.diagrams, denials.lifted, denials.added
    for gone, come, decisions in (
        (lifted, added, (Decision.ALLOW, Decision.EXPLICIT_DENY)),
        (added, lifted, (Decision.EXPLICIT_DENY, Decision.ALLOW)),
    ):
        # what has changed is the smallest set at hand: all else is taken from it, one by one
        node = diagrams.without(matched(come, space), space.impossible)
        for grant in denials.grants:
            node = diagrams.both(node, matched(grant, space))
        for denial in (*gone, *denials.common):
            node = diagrams.without(node, space.node(denial))
        if diagrams.without(node, space.uncalled) != FALSE:
            yield Part(*decisions, node, gone | denials.common)


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
