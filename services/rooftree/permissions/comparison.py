"""
Which decisions differ between two sets of maximum permissions: exactly, with witnesses and statements to blame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rooftree.permissions.account import ACCOUNT_PLACEHOLDER, AccountBinding
from rooftree.permissions.catalog import catalog
from rooftree.permissions.chain import BoundChain, CompiledChain, Origin, compile_chain
from rooftree.permissions.cover import cover
from rooftree.permissions.diagram import FALSE, TRUE, Box, Node
from rooftree.permissions.expression import ConditionLine, Pattern, Wording, word_box
from rooftree.permissions.glob import Atom
from rooftree.permissions.predicate import BoundStatement
from rooftree.permissions.space import Space
from rooftree.permissions.witness import Values, Witness, find_witness, of_account
from rooftree.policy.chain import Chain
from rooftree.policy.evaluate import Decision, decide_chain
from rooftree.policy.model import Effect
from rooftree.policy.request import Request

__all__ = ["EQUIVALENT", "Blame", "Comparison", "DecisionChange", "compare_chains", "known_actions", "pattern_json"]

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
class Comparison:
    """
    All decision changes between two states.
    """

    all_changes: tuple[DecisionChange, ...]

    @property
    def verdict(self) -> str:
        """
        ``equivalent``, ``tightened``, ``loosened`` or ``mixed``.
        """
        directions = {change.direction for change in self.all_changes}
        if not directions:
            return "equivalent"
        if len(directions) > 1:
            return "mixed"
        return "tightened" if "denied" in directions else "loosened"

    def changes(self, account: AccountBinding) -> list[dict[str, object]]:
        """
        Return the changes as they stand in an audit event about *account*, most severe first.
        """
        return [change.as_json(account) for change in self.all_changes]


EQUIVALENT: Final = Comparison(())


@dataclass(frozen=True, slots=True)
class _Side:
    """
    One of the two states that are compared.
    """

    name: str
    chain: Chain
    bound: BoundChain
    compiled: CompiledChain


def compare_chains(
    before: tuple[Chain, BoundChain], after: tuple[Chain, BoundChain], account: AccountBinding
) -> Comparison:
    """
    Return the decision changes between two chains of one account.

    Raises:
        TooComplexError: If the patterns cannot be told apart in reasonable time.
    """
    if before[1].identity == after[1].identity:
        return EQUIVALENT
    space = Space([*before[1].statements, *after[1].statements])
    old = _Side("before", *before, compile_chain(before[1], space))
    new = _Side("after", *after, compile_chain(after[1], space))
    changes = [change for kind in _differences(space, old, new) for change in _describe(space, kind, old, new, account)]
    return Comparison(tuple(sorted(changes, key=_gravity)))


Difference = tuple[Decision, Decision, Node]


def _differences(space: Space, old: _Side, new: _Side) -> Iterator[Difference]:
    """
    Yield the sets of requests that went from one decision to another, where one of the two is to allow.
    """
    diagrams = space.diagrams
    for one, other, flipped in ((old, new, False), (new, old, True)):
        lost = diagrams.without(diagrams.without(one.compiled.allowed, other.compiled.allowed), space.impossible)
        explicit = diagrams.both(lost, other.compiled.denied)
        for decision, node in (
            (Decision.EXPLICIT_DENY, explicit),
            (Decision.IMPLICIT_DENY, diagrams.without(lost, explicit)),
        ):
            if node != FALSE:
                yield (decision, Decision.ALLOW, node) if flipped else (Decision.ALLOW, decision, node)


def _describe(
    space: Space, difference: Difference, old: _Side, new: _Side, account: AccountBinding
) -> Iterator[DecisionChange]:
    """
    Yield the changes of one set of requests.

    Beyond the boxes that a cover holds, one last change tells of the rest: more than is so, and marked as inexact.
    """
    before, after, node = difference
    sides = _Sides(old, new, (before, after))
    whole = space.diagrams.either(node, space.impossible)
    found = cover(space.diagrams, node, space.impossible)
    worded = {wording: part for box in found.boxes for wording, part in word_box(space, box, whole)}
    for wording, part in worded.items():
        yield _change(space, wording, part, sides, account)
    if found.rest != FALSE:
        around = (space.diagrams.extent_of(found.rest), *space.diagrams.full[1:])
        for wording, part in word_box(space, around, TRUE):
            sample = space.diagrams.a_box(space.diagrams.both(found.rest, space.diagrams.box(part)))
            if sample is not None:
                yield _change(space, replace(wording, exact=False), sample, sides, account)


@dataclass(frozen=True, slots=True)
class _Sides:
    """
    The two states, and how both decide a set of requests.
    """

    old: _Side
    new: _Side
    decisions: tuple[Decision, Decision]

    def decide(self, request: Request) -> tuple[Decision, Decision]:
        return decide_chain(self.old.chain, request).decision, decide_chain(self.new.chain, request).decision


def _change(space: Space, wording: Wording, part: Box, sides: _Sides, account: AccountBinding) -> DecisionChange:
    """
    Return a change with its witness out of *part* and the statements to blame.
    """
    known = known_actions(wording.actions)
    in_part = known if wording.exact else known & space.known_actions(part[0])
    witness = find_witness(space, part, in_part, account, decide=sides.decide, expected=sides.decisions)
    return DecisionChange(
        *sides.decisions,
        wording.actions,
        wording.resources,
        wording.conditions,
        witness,
        tuple(_blamed(space, part, sides.old, sides.new, sides.decisions)),
        known,
        wording.exact and witness is not None,
    )


def _blamed(space: Space, box: Box, old: _Side, new: _Side, decisions: tuple[Decision, Decision]) -> Iterator[Blame]:
    """
    Yield the statements without which the requests of a box would not have changed their decision.

    Where a statement denies, it is to blame; where nothing allows, those that allow on the other side are.
    """
    allowing, denying = (old, new) if decisions[0] is Decision.ALLOW else (new, old)
    if Decision.EXPLICIT_DENY in decisions:
        denies = _statements(denying, Effect.DENY)
        common = {statement for statement, _origin in _statements(allowing, Effect.DENY)}
        yield from _meeting(space, box, [entry for entry in denies if entry[0] not in common], denying.name)
        return
    target_of_missing = _missing_levels(space, box, denying)
    present = _statements(denying, Effect.ALLOW)
    for target in target_of_missing:
        lacking = {statement for statement, origin in present if origin.target_id == target}
        candidates = [
            (statement, origin)
            for statement, origin in _statements(allowing, Effect.ALLOW)
            if origin.target_id == target and statement not in lacking
        ]
        yield from _meeting(space, box, candidates, allowing.name)


def _statements(side: _Side, effect: Effect) -> list[tuple[BoundStatement, Origin]]:
    return [entry for level in side.bound.levels or () for entry in level.statements if entry[0].effect is effect]


def _missing_levels(space: Space, box: Box, side: _Side) -> list[str]:
    """
    Return the nodes at which nothing allows some request of the box.
    """
    return [
        level.target_id
        for level, node in zip(side.bound.levels or (), side.compiled.levels, strict=True)
        if not space.diagrams.contains(node, box)
    ]


def _meeting(space: Space, box: Box, entries: Sequence[tuple[BoundStatement, Origin]], side: str) -> Iterator[Blame]:
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
            found |= known.matching(term) if isinstance(term, Atom) else 0
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
