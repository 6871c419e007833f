"""
The dimensions of a comparison: action, resource, and each condition key, cut into classes by the terms in play.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final

from rooftree.permissions.catalog import catalog
from rooftree.permissions.diagram import FALSE, TRUE, Diagrams, Node
from rooftree.permissions.glob import ANY_STRING, EMPTY_STRING, Atom, Glob, glob_atom, sample_of
from rooftree.permissions.interval import Interval, interval_classes
from rooftree.permissions.keys import ALWAYS_SENT, PRINCIPAL_KEY, holds_many
from rooftree.permissions.language import (
    ACTION_STARTS,
    ACTIONS,
    RESOURCE_STARTS,
    RESOURCES,
    STRING_STARTS,
    STRINGS,
    VALUES,
    Start,
    classes_of,
    partition,
)
from rooftree.permissions.predicate import BoundStatement, KeyTest, PrincipalTerm, Relation, Term
from rooftree.policy.model import Quantifier
from rooftree.policy.variables import Piece

__all__ = ["Dimension", "Kind", "Point", "Space"]


class Kind:
    """
    What a dimension stands for.
    """

    ACTION: Final = "action"
    RESOURCE: Final = "resource"
    KEY: Final = "key"
    MEMBER: Final = "member"
    RELATION: Final = "relation"


@dataclass(frozen=True, slots=True)
class Point:
    """
    One class of values: a value of it, ``None`` where the key is absent; and the terms around it, as a bit mask.
    """

    value: str | None
    signature: int


@dataclass(frozen=True)
class Dimension:
    """
    One axis of the space of requests.

    Attributes:
        kind: See `Kind`. A ``member`` asks whether some value of a key lies in one class; point 1 says yes.
            A ``relation`` asks whether a pattern with variables matches; point 1 says yes.
        key: The condition key in lower case; empty for actions and resources.
        family: How values of the key compare.
        points: The classes.
        terms: The terms that cut the classes, by bit of their signatures.
        exact: Whether every combination of its points with those of other dimensions can occur.
        spelled: The key as a policy spells it.
    """

    kind: str
    key: str
    family: str
    points: tuple[Point, ...]
    terms: tuple[Term, ...]
    exact: bool = True
    relation: Relation | None = None
    spelled: str = ""

    @cached_property
    def present(self) -> int:
        """
        The points at which the key is there.
        """
        return _mask(index for index, point in enumerate(self.points) if point.value is not None)

    @cached_property
    def _around(self) -> dict[Term, int]:
        """
        For each term the points that lie in it.
        """
        found = [0] * len(self.terms)
        for index, point in enumerate(self.points):
            signature = point.signature
            while signature:
                lowest = signature & -signature
                found[lowest.bit_length() - 1] |= 1 << index
                signature ^= lowest
        return dict(zip(self.terms, found, strict=True))

    def around(self, terms: Iterable[Term]) -> int:
        """
        Return the points that lie in one of *terms*.
        """
        points = 0
        for term in terms:
            points |= self._around[term]
        return points


@dataclass(frozen=True, slots=True)
class _KeyPlace:
    """
    Where a key lies: one dimension, or one for each class of its members.
    """

    first: int
    count: int
    many: bool


class Space:
    """
    The dimensions that a set of statements needs, and the diagrams over them.
    """

    def __init__(self, statements: Iterable[BoundStatement]) -> None:
        listed = list(dict.fromkeys(statements))
        self.dimensions: list[Dimension] = []
        self._keys: dict[tuple[str, str], _KeyPlace] = {}
        self._relations: dict[Relation, int] = {}
        self._add_action([atom for statement in listed for atom in statement.actions])
        self._add_resource([term for statement in listed for term in statement.resources])
        tests: dict[str, list[KeyTest]] = {}
        for statement in listed:
            for test in statement.tests:
                tests.setdefault(test.key, []).append(test)
        for key in sorted(tests):
            self._add_key(key, tests[key])
        self.diagrams: Final = Diagrams([len(dimension.points) for dimension in self.dimensions])
        self._nodes: dict[BoundStatement, Node] = {}
        self._tests: dict[KeyTest, Node] = {}
        self.impossible: Final = self._impossible()

    def node(self, statement: BoundStatement) -> Node:
        """
        Return the requests that a statement applies to, whatever its effect.
        """
        found = self._nodes.get(statement)
        if found is None:
            tests = sorted((self._test(test) for test in statement.tests), reverse=True)
            resource = self._resource(statement)
            action = self._action(statement)
            everything = self.diagrams.all_of([*tests, resource])
            found = self._nodes[statement] = self.diagrams.both(action, everything)
        return found

    def known_actions(self, mask: int) -> int:
        """
        Return the known actions in a set of classes of actions.
        """
        found = 0
        for index, actions in enumerate(self._known_actions):
            if mask >> index & 1:
                found |= actions
        return found

    @cached_property
    def _known_actions(self) -> list[int]:
        """
        For each class of actions, the known ones in it.
        """
        dimension = self.dimensions[0]
        matching = [catalog().matching(term) if isinstance(term, Atom) else 0 for term in dimension.terms]
        listed = []
        for point in dimension.points:
            actions = catalog().all
            others = 0
            for bit, known in enumerate(matching):
                if point.signature >> bit & 1:
                    actions &= known
                else:
                    others |= known
            listed.append(actions & ~others)
        return listed

    def _add_action(self, atoms: Iterable[Atom]) -> None:
        terms = _ordered([*atoms, ANY_STRING])
        classes = classes_of(ACTIONS, ACTION_STARTS, [term for term in terms if isinstance(term, Atom)])
        points = tuple(Point(found.witness, found.signature) for found in classes)
        self.dimensions.append(Dimension(Kind.ACTION, "", "string", points, terms))

    def _add_resource(self, found: Sequence[Atom | Relation]) -> None:
        relations = sorted({term for term in found if isinstance(term, Relation)}, key=lambda term: term.text)
        atoms = [term for term in found if isinstance(term, Atom)]
        terms = _ordered([*atoms, *(term.relaxed for term in relations), ANY_STRING])
        classes = classes_of(RESOURCES, RESOURCE_STARTS, [term for term in terms if isinstance(term, Atom)])
        points = tuple(Point(one.witness, one.signature) for one in classes)
        self.dimensions.append(Dimension(Kind.RESOURCE, "", "string", points, terms))
        for relation in relations:
            self._add_relation(relation)

    def _add_relation(self, relation: Relation) -> None:
        if relation in self._relations:
            return
        self._relations[relation] = len(self.dimensions)
        points = (Point("no", 0), Point("yes", 1))
        self.dimensions.append(
            Dimension(Kind.RELATION, relation.place, "string", points, (), exact=False, relation=relation)
        )

    def _add_key(self, key: str, tests: Sequence[KeyTest]) -> None:
        families = sorted({_kind(test.family) for test in tests if test.family != "null"}) or ["string"]
        typed_bool = any(test.family == "bool" for test in tests)
        for family in families:
            found = [term for test in tests if _kind(test.family) == family for term in test.terms]
            relations = sorted({term for term in found if isinstance(term, Relation)}, key=lambda term: term.text)
            terms: list[Term] = [term for term in found if not isinstance(term, Relation)]
            terms += [term.relaxed for term in relations]
            many = family == "string" and not typed_bool and key != PRINCIPAL_KEY and _is_many(key, tests)
            if not many and family == "string" and key != PRINCIPAL_KEY and _asks_for_all(tests):
                terms.append(EMPTY_STRING)
            ordered = _ordered(terms)
            compared = "bool" if typed_bool and family == "string" else family
            classes = _classes(key, compared, ordered, many=many)
            dimension = Dimension(
                Kind.MEMBER if many else Kind.KEY,
                key,
                compared,
                (),
                ordered,
                exact=len(families) == 1,
                spelled=min(test.spelled for test in tests),
            )
            self._place(dimension, classes)
            for relation in relations:
                self._add_relation(relation)

    def _place(self, dimension: Dimension, classes: Sequence[tuple[int, str]]) -> None:
        """
        Add the classes of a key: as the points of one dimension, or each as one of its own.
        """
        first = len(self.dimensions)
        points = [Point(value, signature) for signature, value in classes]
        if dimension.kind == Kind.MEMBER:
            self.dimensions += [replace(dimension, points=(Point(None, 0), point)) for point in points]
        else:
            absent = [] if dimension.key in ALWAYS_SENT else [Point(None, 0)]
            self.dimensions.append(replace(dimension, points=(*absent, *points)))
        place = _KeyPlace(first, len(self.dimensions) - first, dimension.kind == Kind.MEMBER)
        self._keys[dimension.key, _kind(dimension.family)] = place

    def _impossible(self) -> Node:
        """
        Return the points that no request has: where a pattern with variables matches what it cannot match for any.
        """
        found = FALSE
        for relation, index in self._relations.items():
            holds = self.diagrams.literal(index, 0b10)
            if relation.place == "resource":
                found = self.diagrams.either(found, self.diagrams.without(holds, self._matching(1, [relation.relaxed])))
            elif not (place := self._keys[relation.place, "string"]).many:
                relaxed = self._matching(place.first, [relation.relaxed])
                found = self.diagrams.either(found, self.diagrams.without(holds, relaxed))
        return found

    def _action(self, statement: BoundStatement) -> Node:
        mask = self.dimensions[0].around(statement.actions)
        if statement.actions_negated:
            mask = self.diagrams.full[0] & ~mask
        return self.diagrams.literal(0, mask)

    def _resource(self, statement: BoundStatement) -> Node:
        matched = self._matching(1, statement.resources)
        return self.diagrams.negation(matched) if statement.resources_negated else matched

    def _matching(self, index: int, terms: Iterable[Term]) -> Node:
        """
        Return where one of *terms* matches the value in a dimension.
        """
        listed = list(terms)
        plain = [term for term in listed if not isinstance(term, Relation)]
        found = self.diagrams.literal(index, self.dimensions[index].around(plain))
        for term in listed:
            if isinstance(term, Relation):
                relaxed = self.diagrams.literal(index, self.dimensions[index].around([term.relaxed]))
                holds = self.diagrams.literal(self._relations[term], 0b10)
                found = self.diagrams.either(found, self.diagrams.both(relaxed, holds))
        return found

    def _test(self, test: KeyTest) -> Node:
        found = self._tests.get(test)
        if found is None:
            place = self._keys.get((test.key, _kind(test.family)))
            if place is None:
                place = next(place for (key, _family), place in self._keys.items() if key == test.key)
            made = self._many(test, place) if place.many else self._single(test, place.first)
            found = self._tests[test] = made
        return found

    def _single(self, test: KeyTest, index: int) -> Node:
        diagrams, dimension = self.diagrams, self.dimensions[index]
        present = diagrams.literal(index, dimension.present)
        absent = diagrams.negation(present)
        if test.family == "null":
            return present if test.negated else absent
        matched = self._matching(index, test.terms)
        holds = diagrams.without(present, matched) if test.negated else diagrams.both(present, matched)
        if test.quantifier is Quantifier.FOR_ALL_VALUES and EMPTY_STRING in dimension.terms:
            # a value that is the empty string counts as no value
            holds = diagrams.either(holds, diagrams.literal(index, dimension.around([EMPTY_STRING])))
        return diagrams.either(holds, absent) if test.if_absent else holds

    def _many(self, test: KeyTest, place: _KeyPlace) -> Node:
        diagrams = self.diagrams
        indexes = range(place.first, place.first + place.count)
        absent = diagrams.all_of(diagrams.literal(index, 0b01) for index in indexes)
        if test.family == "null":
            return diagrams.negation(absent) if test.negated else absent
        plain = [term for term in test.terms if not isinstance(term, Relation)]
        matching: list[Node] = []
        missing: list[Node] = []
        for index in indexes:
            hit = diagrams.literal(index, 0b10)
            matches = bool(self.dimensions[index].around(plain) & 0b10)
            certain = TRUE if matches else self._related(index, test.terms)
            matching.append(diagrams.both(hit, certain))
            missing.append(diagrams.without(hit, certain))
        some_match, some_miss = diagrams.any_of(matching), diagrams.any_of(missing)
        match test.quantifier:
            case Quantifier.FOR_ALL_VALUES:
                holds = diagrams.negation(some_match if test.negated else some_miss)
            case Quantifier.FOR_ANY_VALUE:
                holds = some_miss if test.negated else some_match
            case None:
                holds = diagrams.negation(some_match) if test.negated else some_match
        return diagrams.either(holds, absent) if test.if_exists else holds

    def _related(self, index: int, terms: Iterable[Term]) -> Node:
        """
        Return when a pattern with variables matches the members of a class, which is only known as a whole.
        """
        found = FALSE
        for term in terms:
            if isinstance(term, Relation) and self.dimensions[index].around([term.relaxed]) & 0b10:
                found = self.diagrams.either(found, self.diagrams.literal(self._relations[term], 0b10))
        return found


def _kind(family: str) -> str:
    """
    Truth values are compared as text.
    """
    return "string" if family == "bool" else family


def _is_many(key: str, tests: Sequence[KeyTest]) -> bool:
    """
    Tell whether a key holds several values: because it is known to, or because a policy treats it so.
    """
    if holds_many(key):
        return True
    return not key.startswith("aws:") and any(test.quantifier is not None for test in tests)


def _asks_for_all(tests: Sequence[KeyTest]) -> bool:
    return any(test.quantifier is Quantifier.FOR_ALL_VALUES for test in tests)


def _ordered(terms: Iterable[Term]) -> tuple[Term, ...]:
    """
    Return terms once each, in an order and with a text that do not depend on where they came from.
    """
    found: dict[Term, Term] = {}
    for term in terms:
        known = found.get(term)
        if known is None or _wording(term) < _wording(known):
            found[term] = term
    return tuple(sorted(found.values(), key=lambda term: (type(term).__name__, term.text, repr(term))))


def _wording(term: Term) -> tuple[str, str]:
    return term.text, "" if isinstance(term, Interval) else term.spelling.value


def _classes(key: str, family: str, terms: tuple[Term, ...], *, many: bool) -> list[tuple[int, str]]:
    if family not in ("string", "bool"):
        return interval_classes(family, [term for term in terms if isinstance(term, Interval)])
    if key == PRINCIPAL_KEY:
        return _principal_classes(tuple(term for term in terms if isinstance(term, PrincipalTerm)))
    atoms = [term for term in terms if isinstance(term, Atom)]
    if family == "bool":
        # a key compared as a truth value is never sent as anything else
        found = {_signature(atoms, value): value for value in ("true", "false")}
        return sorted(found.items())
    return [(one.signature, one.witness) for one in classes_of(VALUES if many else STRINGS, STRING_STARTS, atoms)]


def _signature(atoms: Sequence[Atom], value: str) -> int:
    return _mask(index for index, atom in enumerate(atoms) if atom.matches(value))


_IAM_PRINCIPALS: Final = tuple(glob_atom([Piece(text)], text) for text in ("root", "user/?*", "role/?*"))
_SERVICE_LINKED: Final = glob_atom([Piece("role/aws-service-role/*")], "role/aws-service-role/*")
_STS_PRINCIPALS: Final = (glob_atom([Piece("federated-user/?*")], "federated-user/?*"),)


@lru_cache(maxsize=4096)
def _principal_classes(terms: tuple[PrincipalTerm, ...]) -> list[tuple[int, str]]:
    """
    Return the classes of an account's principals that service control policies bind.

    Service-linked roles are not among them.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    """
    found: dict[int, str] = {}
    iam = _tails("iam:", [term.iam for term in terms], _IAM_PRINCIPALS, _SERVICE_LINKED)
    sts = _tails("sts:", [term.sts for term in terms], _STS_PRINCIPALS, None)
    for signature, value in [*iam, *sts]:
        found.setdefault(signature, value)
    # rather a role than the root user, and rather whole words, where either will do
    readable = sorted(
        {sample_of(glob) for term in terms for glob in term.iam}, key=lambda tail: ("role/" in tail, tail)
    )
    for tail in (*readable, "user/example", "role/Example"):
        signature = _mask(index for index, term in enumerate(terms) if Atom(term.iam, "").matches(tail))
        if (
            signature in found
            and any(atom.matches(tail) for atom in _IAM_PRINCIPALS)
            and not _SERVICE_LINKED.matches(tail)
        ):
            found[signature] = f"iam:{tail}"
    return sorted(found.items())


def _tails(
    prefix: str, rests: Sequence[frozenset[Glob]], inside: Sequence[Atom], outside: Atom | None
) -> list[tuple[int, str]]:
    bounds = [atom.globs for atom in (*inside, *([outside] if outside else []))]
    classes = partition(STRINGS, (Start(prefix, 0),), ((*rests, *bounds),))
    count = len(rests)
    within = ((1 << len(inside)) - 1) << count
    beyond = 1 << (count + len(inside)) if outside else 0
    return [
        (one.signature & ((1 << count) - 1), one.witness)
        for one in classes
        if one.signature & within and not one.signature & beyond
    ]


def _mask(indexes: Iterable[int]) -> int:
    mask = 0
    for index in indexes:
        mask |= 1 << index
    return mask
