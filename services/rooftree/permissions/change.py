"""
Differences as people read them: few sets of requests, each with a witness and the statements to blame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rooftree.permissions.account import ACCOUNT_PLACEHOLDER, AccountBinding
from rooftree.permissions.catalog import catalog
from rooftree.permissions.chain import BoundChain, Entry, Origin, matched
from rooftree.permissions.cover import cover
from rooftree.permissions.diagram import FALSE, TRUE, Box
from rooftree.permissions.difference import Difference, Part
from rooftree.permissions.expression import ConditionLine, Pattern, Wording, word_box
from rooftree.permissions.glob import Atom
from rooftree.permissions.predicate import BoundStatement
from rooftree.permissions.space import Space
from rooftree.permissions.witness import Values, Witness, find_witness, of_account
from rooftree.policy.chain import Chain
from rooftree.policy.evaluate import Decision, decide_chain
from rooftree.policy.model import Effect
from rooftree.policy.request import Request

__all__ = ["Blame", "DecisionChange", "Standpoint", "describe", "known_actions", "pattern_json", "placed"]

SAMPLE_SIZE: Final = 5


@dataclass(frozen=True, slots=True)
class Blame:
    """
    A statement that decides requests of a change, and the side on which it stands.
    """

    origin: Origin
    side: str


@dataclass(frozen=True, slots=True)
class DecisionChange:
    """
    A set of requests that were decided one way and are now decided another.

    Attributes:
        witness: A request of the set, confirmed by the evaluator; ``None`` only where *exact* is false.
        exact: Whether every request of the set changes its decision as said.
    """

    before: Decision
    after: Decision
    actions: Pattern
    resources: Pattern
    conditions: tuple[ConditionLine, ...]
    witness: Witness | None
    statements: tuple[Blame, ...]
    known_actions: int
    exact: bool

    @property
    def direction(self) -> str:
        """
        ``denied`` for what was allowed, ``allowed`` for what was denied.
        """
        return "denied" if self.before is Decision.ALLOW else "allowed"

    def as_json(self, account: AccountBinding) -> dict[str, object]:
        """
        Return the change as it stands in an audit event about *account*.
        """
        known = catalog()
        described: dict[str, object] = {
            "direction": self.direction,
            "before": str(self.before),
            "after": str(self.after),
            "actions": pattern_json(self.actions, account),
            "resources": pattern_json(self.resources, account),
            "conditions": [
                {
                    "operator": line.operator,
                    "key": line.key,
                    "values": [placed(value, account) for value in line.values],
                }
                for line in self.conditions
            ],
            "witness": None if self.witness is None else _witness_json(self.witness, account),
            "statements": [
                {
                    "policy_id": blame.origin.policy_id,
                    "statement": blame.origin.statement,
                    "target_id": placed(blame.origin.target_id, account),
                    "side": blame.side,
                }
                for blame in self.statements
            ],
            "known_actions": {
                "count": self.known_actions.bit_count(),
                "sample": known.most_telling(self.known_actions, SAMPLE_SIZE),
            },
        }
        if not self.exact:
            described["exact"] = False
        return described


@dataclass(frozen=True, slots=True)
class Standpoint:
    """
    One of the two states that are compared.
    """

    name: str
    chain: Chain
    bound: BoundChain


def describe(
    difference: Difference, before: Standpoint, after: Standpoint, account: AccountBinding
) -> list[DecisionChange]:
    """
    Return the changes that tell of a difference, most severe first.
    """
    changes = [
        change
        for part in difference.parts
        for change in _describe(difference.space, part, _Sides(before, after, (part.before, part.after)), account)
    ]
    return sorted(changes, key=_gravity)


def _describe(space: Space, found: Part, sides: _Sides, account: AccountBinding) -> Iterator[DecisionChange]:
    """
    Yield the changes of one set of requests.

    Beyond the boxes that a cover holds, one last change tells of the rest: more than is so, and marked as inexact.
    """
    whole = space.diagrams.either(found.node, space.impossible)
    covered = cover(space.diagrams, found.node, space.impossible)
    worded = {wording: part for box in covered.boxes for wording, part in word_box(space, box, whole)}
    for wording, part in worded.items():
        yield _change(space, wording, part, sides, account)
    if covered.rest != FALSE:
        around = (space.diagrams.extent_of(covered.rest), *space.diagrams.full[1:])
        for wording, part in word_box(space, around, TRUE):
            sample = space.diagrams.a_box(space.diagrams.both(covered.rest, space.diagrams.box(part)))
            if sample is not None:
                yield _change(space, replace(wording, exact=False), sample, sides, account)


@dataclass(frozen=True, slots=True)
class _Sides:
    """
    The two states, and how both decide a set of requests.
    """

    old: Standpoint
    new: Standpoint
    decisions: tuple[Decision, Decision]

    def decide(self, request: Request) -> tuple[Decision, Decision]:
        return decide_chain(self.old.chain, request).decision, decide_chain(self.new.chain, request).decision


def _change(space: Space, wording: Wording, part: Box, sides: _Sides, account: AccountBinding) -> DecisionChange:
    """
    Return a change with its witness out of *part* and the statements to blame.
    """
    known = known_actions(wording.actions)
    in_part = known if wording.exact else known & space.known_actions(part[0])
    witness = find_witness(
        space,
        part,
        in_part,
        account,
        sample=wording.resources.sample,
        decide=sides.decide,
        expected=sides.decisions,
    )
    return DecisionChange(
        *sides.decisions,
        wording.actions,
        wording.resources,
        wording.conditions,
        witness,
        tuple(_blamed(space, part, sides)),
        known,
        wording.exact and witness is not None,
    )


def _blamed(space: Space, box: Box, sides: _Sides) -> Iterator[Blame]:
    """
    Yield the statements without which the requests of a box would not have changed their decision.

    Where a statement denies, it is to blame; where nothing allows, those that allow on the other side are.
    """
    allowing, denying = (sides.old, sides.new) if sides.decisions[0] is Decision.ALLOW else (sides.new, sides.old)
    if Decision.EXPLICIT_DENY in sides.decisions:
        changed = denying.bound.limits.denials - allowing.bound.limits.denials
        entries = [entry for entry in denying.bound.entries(Effect.DENY) if entry[0] in changed]
        yield from _meeting(space, box, entries, denying.name)
        return
    for target, present in _missing_levels(space, box, denying.bound):
        for level in allowing.bound.levels or ():
            if level.target_id == target:
                entries = [entry for entry in level.entries(Effect.ALLOW) if entry[0] not in present]
                # beside one that allows everything no other matters
                everything = [entry for entry in entries if entry[0].unlimited]
                yield from _meeting(space, box, everything or entries, allowing.name)


def _missing_levels(space: Space, box: Box, chain: BoundChain) -> Iterator[tuple[str, frozenset[BoundStatement]]]:
    """
    Yield the nodes at which nothing allows some request of the box, with what allows other requests there.
    """
    for level in chain.levels or ():
        allows = level.allows
        if not any(statement.unlimited for statement in allows) and not space.diagrams.contains(
            matched(allows, space), box
        ):
            yield level.target_id, allows


def _meeting(space: Space, box: Box, entries: Sequence[Entry], side: str) -> Iterator[Blame]:
    """
    Yield the statements that account for a box: those that hold all of it, or else as many as it takes together.
    """
    diagrams = space.diagrams
    inside = diagrams.box(box)
    nodes = {origin: space.node(statement) for statement, origin in entries}
    meeting = {origin: node for origin, node in nodes.items() if diagrams.both(node, inside) != FALSE}
    whole = [origin for origin, node in meeting.items() if diagrams.contains(node, box)]
    for origin in list(meeting) if not whole else ():
        others = diagrams.any_of(node for other, node in meeting.items() if other is not origin)
        if diagrams.contains(others, box):
            del meeting[origin]
    yield from (Blame(origin, side) for origin in whole or meeting)


def _gravity(change: DecisionChange) -> tuple[object, ...]:
    """
    Order changes: known actions before unknown ones, the gravest first, then the widest.
    """
    known = catalog()
    return (
        not change.known_actions,
        known.severity(change.known_actions),
        -change.known_actions.bit_count(),
        str(change.before),
        tuple(term.text for term in change.actions.any_of),
        tuple((line.operator, line.key, line.values) for line in change.conditions),
    )


def known_actions(actions: Pattern) -> int:
    """
    Return the known actions of a pattern.
    """
    known = catalog()

    def union(terms: Iterable[object]) -> int:
        found = 0
        for term in terms:
            found |= known.matching(term.globs) if isinstance(term, Atom) else 0
        return found

    found = union(actions.any_of) & ~union(actions.none_of)
    for term in actions.all_of:
        found &= union([term])
    return found


def placed(text: str, account: AccountBinding) -> str:
    """
    Write the account where its placeholder stands.
    """
    return text.replace(ACCOUNT_PLACEHOLDER, account.account_id)


def pattern_json(pattern: Pattern, account: AccountBinding) -> dict[str, list[str]]:
    """
    Return a pattern as it stands in an audit event about *account*.
    """
    described = {
        "any_of": [placed(term.text, account) for term in pattern.any_of],
        "none_of": [placed(term.text, account) for term in pattern.none_of],
    }
    if pattern.all_of:
        described["all_of"] = [placed(term.text, account) for term in pattern.all_of]
    return described


def _witness_json(witness: Witness, account: AccountBinding) -> dict[str, object]:
    def plain(value: Values) -> str | list[str]:
        return value if isinstance(value, str) else list(value)

    context = of_account(dict(witness.context), account)
    return {
        "action": witness.action,
        "resource": witness.resource,
        "context": {key: plain(value) for key, value in context.items()},
    }
