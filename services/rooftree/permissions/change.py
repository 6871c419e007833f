"""
Differences as people read them: few sets of requests, each with a witness and the statements to blame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from rooftree.permissions.account import ACCOUNT_PLACEHOLDER, AccountBinding
from rooftree.permissions.catalog import catalog
from rooftree.permissions.chain import BoundChain, Entry, Origin, matched
from rooftree.permissions.condition_line import ConditionLine
from rooftree.permissions.cover import Cover, cover, widened
from rooftree.permissions.diagram import FALSE, TRUE, Box, Node
from rooftree.permissions.difference import SHARED_DIFFERENCES, Difference, Part
from rooftree.permissions.dimension import Kind
from rooftree.permissions.expression import Wording, word_box
from rooftree.permissions.glob import Atom
from rooftree.permissions.keys import PRINCIPAL_KEY
from rooftree.permissions.pattern import Pattern
from rooftree.permissions.predicate import BoundStatement, PrincipalTerm
from rooftree.permissions.space import Space
from rooftree.permissions.witness import Values, Witness, find_witness, of_account
from rooftree.policy.chain import Chain
from rooftree.policy.evaluate import Decision, decide_chain
from rooftree.policy.model import Effect

__all__ = [
    "Blame",
    "DecisionChange",
    "Standpoint",
    "describe",
    "forget_tellings",
    "known_actions",
    "pattern_json",
    "placed",
]

SAMPLE_SIZE: Final = 5


@dataclass(frozen=True, slots=True)
class Blame:
    """
    A statement that decides requests of a change, and the side on which it stands.
    """

    origin: Origin
    side: str

    def as_json(self, account: AccountBinding) -> dict[str, object]:
        """
        Return the statement as it stands in an audit event about *account*.
        """
        return {
            "policy_id": self.origin.policy_id,
            "statement": self.origin.statement,
            "target_id": placed(self.origin.target_id, account),
            "side": self.side,
        }


@dataclass(frozen=True, slots=True)
class DecisionChange:
    """
    A set of requests that were decided one way and are now decided another.

    Attributes:
        witness: A request of the set, confirmed by the evaluator; ``None`` only where *exact* is false.
        unless: Statements that deny some of these requests both before and after: what they speak of is not meant.
        exact: Whether every other request of the set changes its decision as said.
        of_resources: Whether anybody's requests of the account's resources are meant, and not its principals' own.
    """

    before: Decision
    after: Decision
    actions: Pattern
    resources: Pattern
    conditions: tuple[ConditionLine, ...]
    witness: Witness | None
    statements: tuple[Blame, ...]
    unless: tuple[Blame, ...]
    known_actions: int
    exact: bool
    of_resources: bool

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
            "statements": [blame.as_json(account) for blame in self.statements],
            "known_actions": {
                "count": self.known_actions.bit_count(),
                "sample": known.most_telling(self.known_actions, SAMPLE_SIZE),
            },
        }
        if self.of_resources:
            described["policy_type"] = "resource_control"
        if self.unless and self.exact:
            # with words that hold too much as it is, what is excepted would not make them exact
            described["unless"] = [blame.as_json(account) for blame in self.unless]
        if not self.exact or self.unless:
            # the patterns alone say more than is so
            described["exact"] = False
        return described


@dataclass(frozen=True, slots=True)
class Standpoint:
    """
    One of the two states that are compared.

    Attributes:
        account: The account as it was then, or another one for which the chain means the same.
    """

    name: str
    chain: Chain
    bound: BoundChain
    account: AccountBinding


def describe(difference: Difference, before: Standpoint, after: Standpoint) -> list[DecisionChange]:
    """
    Return the changes that tell of a difference, most severe first.
    """
    changes = [
        _change(difference.space, telling, _Sides(before, after, (part.before, part.after)))
        for part in difference.parts
        for telling in _tellings(difference, part)
    ]
    return sorted(changes, key=_gravity)


FEW_BOXES: Final = 4
"""What takes no more sets of requests is told in patterns alone."""


@dataclass(frozen=True, slots=True)
class _Telling:
    """
    One change in words, whoever is to blame for it.

    Attributes:
        box: The requests that are spoken of.
        sample: Those of them that all change their decision.
    """

    wording: Wording
    box: Box
    sample: _Sample


@lru_cache(maxsize=SHARED_DIFFERENCES)
def _tellings(difference: Difference, part: Part) -> tuple[_Telling, ...]:
    """
    Return how one set of requests is told: in patterns alone if few will do, or else with what they do not hold.

    Differences are shared by chains that differ in what does not matter to them, and so are the words for them.
    """
    space = difference.space
    exactly = cover(space.diagrams, part.node, space.impossible, most=FEW_BOXES)
    if exactly.rest == FALSE:
        return tuple(_told(space, exactly, (part.node, space.impossible)))
    spared = space.diagrams.either(matched(part.spared, space), space.impossible)
    return tuple(_told(space, cover(space.diagrams, part.node, spared), (part.node, spared)))


def forget_tellings() -> None:
    """
    Drop the words that are kept.
    """
    _tellings.cache_clear()


def _told(space: Space, covered: Cover, sets: tuple[Node, Node]) -> Iterator[_Telling]:
    """
    Yield the changes that boxes tell of, out of a set of requests and those that may be told with it.

    Beyond the boxes that a cover holds, one last change tells of the rest: more than is so, and marked as inexact.
    """
    node, spared = sets
    whole = space.diagrams.either(node, spared)
    worded = {wording: part for box in covered.boxes for wording, part in word_box(space, box, whole)}
    for wording, part in worded.items():
        found = _sampled(space, node, wording, part)
        if found is not None and spared != space.impossible and _has_members(space, part):
            # the words for a key of several values may say more than the box
            found = replace(found, whole=False)
        if found is not None:
            yield _Telling(wording, part, found)
    if covered.rest != FALSE:
        around = (space.diagrams.extent_of(covered.rest), *space.diagrams.full[1:])
        for wording, part in word_box(space, around, TRUE):
            found = _sampled(space, covered.rest, wording, part)
            if found is not None:
                yield _Telling(replace(wording, exact=False), part, found)


def _has_members(space: Space, box: Box) -> bool:
    return any(one.kind == Kind.MEMBER and mask != 0b11 for one, mask in zip(space.dimensions, box, strict=True))


@dataclass(frozen=True, slots=True)
class _Sample:
    """
    A box inside that of a change, of requests that all change their decision, with the known actions in it.

    Attributes:
        whole: Whether the box of the change holds no others either.
    """

    box: Box
    known: int
    whole: bool


def _sampled(space: Space, node: Node, wording: Wording, box: Box) -> _Sample | None:
    """
    Return a sample of what of a box lies in *node*: all of it where that may be, or else one for the most telling
    action; ``None`` if nothing does that anybody may ask for.
    """
    diagrams = space.diagrams
    known = known_actions(wording.actions) if wording.exact else space.known_actions(box[0])
    whole = diagrams.contains(diagrams.either(node, space.impossible), box)
    node = diagrams.without(node, space.uncalled)
    if whole and diagrams.contains(diagrams.either(node, space.impossible), box):
        return _Sample(box, known, whole)
    inside = diagrams.both(node, diagrams.box(box))
    if inside == FALSE:
        return None
    extent = diagrams.extent_of(inside)
    telling = catalog().most_telling(known & space.known_actions(extent), 1)
    points = [1 << index for index in range(len(space.dimensions[0].points)) if extent >> index & 1]
    if telling:
        number = catalog().number(telling[0])
        points = [point for point in points if space.known_actions(point) >> number & 1]
    inside = diagrams.both(inside, diagrams.literal(0, points[0]))
    sample = diagrams.a_box(inside)
    assert sample is not None
    sample = widened(diagrams, diagrams.either(inside, space.impossible), sample)
    return _Sample(sample, known & space.known_actions(sample[0]), whole)


@dataclass(frozen=True, slots=True)
class _Sides:
    """
    The two states, and how both decide a set of requests.
    """

    old: Standpoint
    new: Standpoint
    decisions: tuple[Decision, Decision]

    @property
    def allowing(self) -> Standpoint:
        return self.old if self.decisions[0] is Decision.ALLOW else self.new

    @property
    def denying(self) -> Standpoint:
        return self.new if self.decisions[0] is Decision.ALLOW else self.old

    def told_by(self, wording: Wording) -> bool:
        """
        Tell whether words name principals by the ARNs that they have.

        Where an account was taken to be in another partition, a pattern of the old side may name them by those that
        they were taken to have.
        """
        side = self.new.account.side
        if side.partition == self.old.account.partition or not side.own_principals:
            return True
        named = {text for line in wording.conditions if line.key.lower() == PRINCIPAL_KEY for text in line.values}
        old, new = (_named_principals(each.bound) for each in (self.old, self.new))
        return named <= {text for text, _meaning in new} and named.isdisjoint(text for text, _meaning in old - new)

    def decide(self, witness: Witness) -> tuple[Decision, Decision]:
        # what an account determines is as it was on each side: its path, and the partition that its ARNs name
        old, new = (decide_chain(each.chain, witness.request_of(each.account)) for each in (self.old, self.new))
        return old.decision, new.decision


def _named_principals(chain: BoundChain) -> set[tuple[str, str]]:
    """
    Return the patterns for principals in a chain, each with what it means for the account.
    """
    tests = (test for statement in chain.limits.statements for test in statement.tests if test.key == PRINCIPAL_KEY)
    return {(term.text, term.identity) for test in tests for term in test.terms if isinstance(term, PrincipalTerm)}


def _change(space: Space, telling: _Telling, sides: _Sides) -> DecisionChange:
    """
    Return a change with its witness and the statements to blame.
    """
    wording, box, found = telling.wording, telling.box, telling.sample
    witness = find_witness(
        space,
        found.box,
        found.known,
        sides.new.account,
        wording=wording,
        decide=sides.decide,
        expected=sides.decisions,
    )
    return DecisionChange(
        *sides.decisions,
        wording.actions,
        wording.resources,
        wording.conditions,
        witness,
        tuple(_blamed(space, box, sides)),
        () if found.whole else tuple(_unless(space, box, sides)),
        known_actions(wording.actions),
        wording.exact and witness is not None and sides.told_by(wording),
        of_resources=not space.side.own_principals,
    )


def _unless(space: Space, box: Box, sides: _Sides) -> Iterator[Blame]:
    """
    Yield the statements by which some requests of a box are denied both before and after.
    """
    masks = (0b11 if one.kind == Kind.MEMBER else mask for one, mask in zip(space.dimensions, box, strict=True))
    inside = space.diagrams.box(tuple(masks))
    for statement, origin in sides.allowing.bound.entries(Effect.DENY):
        if space.knows(statement) and space.diagrams.both(space.node(statement), inside) != FALSE:
            yield Blame(origin, sides.allowing.name)


def _blamed(space: Space, box: Box, sides: _Sides) -> Iterator[Blame]:
    """
    Yield the statements without which the requests of a box would not have changed their decision.

    Where a statement denies, it is to blame; where nothing allows, those that allow on the other side are.
    """
    allowing, denying = sides.allowing, sides.denying
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
