"""
The dimensions of a comparison: action, resource, and each condition key, cut into classes by the terms in play.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from rooftree.permissions.actions import action_dimension
from rooftree.permissions.bounds import MAX_DIMENSIONS, TooComplexError
from rooftree.permissions.diagram import FALSE, Box, Diagrams, Node
from rooftree.permissions.dimension import Dimension, Kind, Point, bundled
from rooftree.permissions.glob import ANY_STRING, EMPTY_STRING, Atom, glob_atom
from rooftree.permissions.interval import Interval, interval_classes
from rooftree.permissions.keys import PRINCIPAL_KEY, Form, Side, form_of
from rooftree.permissions.language import (
    RESOURCE_STARTS,
    RESOURCES,
    STRING_STARTS,
    STRINGS,
    VALUES,
    classes_of,
    mask_of,
    principal_starts,
)
from rooftree.permissions.predicate import BoundStatement, KeyTest, PrincipalTerm, Relation, Term
from rooftree.permissions.principals import SERVICE_LINKED_ROLES, principal_classes
from rooftree.permissions.resources import resource_classes
from rooftree.policy.keys import ABSENT_FOR_OTHERS, ABSENT_FOR_SERVICES
from rooftree.policy.model import Quantifier
from rooftree.policy.variables import Piece

__all__ = ["Space"]


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

    With *within*, only requests for actions of these services are told apart.

    Attributes:
        impossible: Points that no request has, since their parts exclude each other.
        uncalled: Points of requests that nobody sends, since no caller has all of their keys.

    Raises:
        TooComplexError: If the values are cut into more classes than can be listed in reasonable time.
    """

    def __init__(
        self, statements: Iterable[BoundStatement], side: Side, *, within: Collection[str] | None = None
    ) -> None:
        listed = list(dict.fromkeys(statements))
        self._statements: Final = frozenset(listed)
        self.side: Final = side
        self._excepted = frozenset(glob_atom([Piece(action)], action, lower=True) for action in side.excepted)
        atoms = (atom for one in listed for atom in one.actions)
        self.actions: Final = action_dimension((*atoms, *self._excepted), within=within)
        self.dimensions: list[Dimension] = [self.actions.dimension]
        self._keys: dict[str, dict[Form, _KeyPlace]] = {}
        self._relations: dict[Relation, int] = {}
        self._add_resource([statement.resources for statement in listed])
        tests: dict[str, dict[KeyTest, None]] = {}
        for statement in listed:
            for test in statement.tests:
                tests.setdefault(test.key, {})[test] = None
        for key in sorted(tests):
            self._add_key(key, tests[key])
        if len(self.dimensions) > MAX_DIMENSIONS:
            raise TooComplexError
        self.diagrams: Final = Diagrams([len(dimension.points) for dimension in self.dimensions])
        self._nodes: dict[BoundStatement, Node] = {}
        self._tests: dict[KeyTest, Node] = {}
        self.impossible: Final = self._impossible()
        self.uncalled: Final = FALSE if side.own_principals else self._uncalled()

    def knows(self, statement: BoundStatement) -> bool:
        """
        Tell whether a statement is one of those that cut the space.
        """
        return statement in self._statements

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

    def is_exact(self, box: Box) -> bool:
        """
        Tell whether every combination of the points of a box can occur.
        """
        return all(
            dimension.exact or mask == full
            for dimension, mask, full in zip(self.dimensions, box, self.diagrams.full, strict=True)
        )

    def places(self) -> Iterator[tuple[int, int]]:
        """
        Yield the first dimension of each thing that is asked for, and of how many it is made.
        """
        several = {
            place.first: place.count for places in self._keys.values() for place in places.values() if place.many
        }
        index = 0
        while index < len(self.dimensions):
            count = several.get(index, 1)
            yield index, count
            index += count

    def known_actions(self, mask: int) -> int:
        """
        Return the known actions in a set of classes of actions.
        """
        found = 0
        for index, actions in enumerate(self.actions.known):
            if mask >> index & 1:
                found |= actions
        return found

    def _add_resource(self, lists: Sequence[Collection[Term]]) -> None:
        relations, terms = _parted(lists)
        bundles = bundled([*terms, [ANY_STRING]])
        classes = resource_classes([term for term in bundles if isinstance(term, Atom)])
        points = tuple(Point(one.witness, one.signature) for one in classes)
        made = Dimension(Kind.RESOURCE, "", "string", points, bundles, universe=RESOURCES, starts=RESOURCE_STARTS)
        self.dimensions.append(made)
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

    def _add_key(self, key: str, tests: Collection[KeyTest]) -> None:
        """
        Add the dimensions of a key: one for each form in which its values are compared.
        """
        forms: dict[Form, list[KeyTest]] = {}
        for test in tests:
            if test.family != "null":
                forms.setdefault(form_of(test), []).append(test)
        if not forms:
            forms[form_of(next(iter(tests)))] = []
        spelled = min(test.spelled for test in tests)
        for form in sorted(forms):
            self._add_form(key, form, forms[form], exact=len(forms) == 1, spelled=spelled)

    def _add_form(self, key: str, form: Form, tests: Sequence[KeyTest], *, exact: bool, spelled: str) -> None:
        many = form is Form.MEMBERS
        related = [test for test in tests if many and any(isinstance(term, Relation) for term in test.terms)]
        relations, terms = _parted([test.terms for test in tests if test not in related])
        relations += [_whole(test) for test in related]
        if form is Form.TEXT and any(test.quantifier is Quantifier.FOR_ALL_VALUES for test in tests):
            terms += [] if self._is_principal(key) else [[EMPTY_STRING]]
        arranged = bundled(terms)
        kind = Kind.MEMBER if many else Kind.KEY
        family = "principal" if self._is_principal(key) else "string" if many else str(form)
        dimension = Dimension(
            kind,
            key,
            family,
            (),
            arranged,
            exact=exact,
            spelled=spelled,
            always_sent=key in self.side.always_sent,
            usual=self.side.always_sent.get(key),
            universe=RESOURCES if key == PRINCIPAL_KEY else VALUES if many else STRINGS,
            starts=principal_starts(self.side.partition) if key == PRINCIPAL_KEY else STRING_STARTS,
        )
        self._place(dimension, form, _classes(dimension, form))
        for relation in relations:
            self._add_relation(relation)

    def _is_principal(self, key: str) -> bool:
        return key == PRINCIPAL_KEY and self.side.own_principals

    def _place(self, dimension: Dimension, form: Form, classes: Sequence[tuple[int, str]]) -> None:
        """
        Add the classes of a key: as the points of one dimension, or each as one of its own.
        """
        first = len(self.dimensions)
        points = [Point(value, signature) for signature, value in classes]
        if dimension.kind == Kind.MEMBER:
            self.dimensions += [replace(dimension, points=(Point(None, 0), point)) for point in points]
        else:
            absent = [] if dimension.always_sent else [Point(None, 0)]
            self.dimensions.append(replace(dimension, points=(*absent, *points)))
        place = _KeyPlace(first, len(self.dimensions) - first, dimension.kind == Kind.MEMBER)
        self._keys.setdefault(dimension.key, {})[form] = place

    def _impossible(self) -> Node:
        """
        Return the points that no request has.

        These are those where a pattern with variables matches what it cannot match for any, and those where a key
        is there in one form and not in another.
        """
        found = FALSE
        for relation, index in self._relations.items():
            holds = self.diagrams.literal(index, 0b10)
            if relation.place == "resource":
                found = self.diagrams.either(found, self.diagrams.without(holds, self._matching(1, [relation.relaxed])))
            elif not relation.whole_test:
                place = self._keys[relation.place][Form.TEXT]
                relaxed = self._matching(place.first, [relation.relaxed])
                found = self.diagrams.either(found, self.diagrams.without(holds, relaxed))
        for places in self._keys.values():
            for one, other in pairwise(self._absent(place) for place in places.values()):
                found = self.diagrams.either(found, self.diagrams.without(one, other))
                found = self.diagrams.either(found, self.diagrams.without(other, one))
        return found

    def _uncalled(self) -> Node:
        """
        Return the points of no caller: with keys of principals of an account and of service principals at once.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        """
        diagrams = self.diagrams
        by_service, by_others = (
            [
                diagrams.negation(self._absent(place))
                for key in sorted(keys)
                for place in self._keys.get(key, {}).values()
            ]
            for keys in (ABSENT_FOR_OTHERS, ABSENT_FOR_SERVICES)
        )
        service = self._keys.get("aws:principalisawsservice", {}).get(Form.TRUTH)
        if service is not None:
            dimension = self.dimensions[service.first]
            says_so = mask_of(number for number, point in enumerate(dimension.points) if point.value == "true")
            # the two values may be one class, and then the key does not tell
            if dimension.present.bit_count() > 1:
                by_service.append(diagrams.literal(service.first, says_so))
                by_others.append(diagrams.negation(by_service[-1]))
        return diagrams.both(diagrams.any_of(by_service), diagrams.any_of(by_others))

    def _absent(self, place: _KeyPlace) -> Node:
        """
        Return where a key is not there.
        """
        if place.many:
            indexes = range(place.first, place.first + place.count)
            return self.diagrams.all_of(self.diagrams.literal(index, 0b01) for index in indexes)
        dimension = self.dimensions[place.first]
        return self.diagrams.literal(place.first, self.diagrams.full[place.first] & ~dimension.present)

    def _action(self, statement: BoundStatement) -> Node:
        mask = self.dimensions[0].around(statement.actions)
        if statement.actions_negated:
            mask = self.diagrams.full[0] & ~mask
        return self.diagrams.literal(0, mask & ~self.dimensions[0].around(self._excepted))

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
            places = self._keys[test.key]
            place = next(iter(places.values())) if test.family == "null" else places[form_of(test)]
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
        absent = self._absent(place)
        if test.family == "null":
            return diagrams.negation(absent) if test.negated else absent
        if any(isinstance(term, Relation) for term in test.terms):
            holds = diagrams.literal(self._relations[_whole(test)], 0b10)
            return diagrams.either(holds, absent) if test.if_absent else diagrams.without(holds, absent)
        hits = {index: bool(self.dimensions[index].around(test.terms) & 0b10) for index in indexes}
        some_match, some_miss = (
            diagrams.any_of(diagrams.literal(index, 0b10) for index, matches in hits.items() if matches is wanted)
            for wanted in (True, False)
        )
        match test.quantifier:
            case Quantifier.FOR_ALL_VALUES:
                holds = diagrams.negation(some_match if test.negated else some_miss)
            case Quantifier.FOR_ANY_VALUE:
                holds = some_miss if test.negated else some_match
            case None:
                holds = diagrams.negation(some_match) if test.negated else some_match
        return diagrams.either(holds, absent) if test.if_exists else holds


def _classes(dimension: Dimension, form: Form) -> list[tuple[int, str]]:
    """
    Return the classes of the values of a key, each as the terms around it and one value.
    """
    terms = dimension.terms
    if form in (Form.NUMBER, Form.DATE, Form.ADDRESS):
        return interval_classes(str(form), [term for term in terms if isinstance(term, Interval)])
    if dimension.family == "principal":
        return principal_classes(tuple(term for term in terms if isinstance(term, PrincipalTerm)))
    if form is Form.TRUTH:
        # a key compared as a truth value is never sent as anything else
        return sorted({dimension.signature(value): value for value in ("true", "false")}.items())
    atoms = [term for term in terms if isinstance(term, Atom)]
    if dimension.key == PRINCIPAL_KEY:
        found = classes_of(dimension.universe, dimension.starts, [*atoms, SERVICE_LINKED_ROLES])
        return [(one.signature, one.witness) for one in found if not one.signature >> len(atoms)]
    return [(one.signature, one.witness) for one in classes_of(dimension.universe, dimension.starts, atoms)]


def _whole(test: KeyTest) -> Relation:
    """
    Return a condition on a key of several values, with a variable in it, as one thing that holds or not.
    """
    variables = {key for term in test.terms if isinstance(term, Relation) for key in term.variables}
    return Relation(test.key, test.identity, ANY_STRING, tuple(sorted(variables)), whole_test=True)


def _parted(lists: Sequence[Collection[Term]]) -> tuple[list[Relation], list[list[Term]]]:
    """
    Return the relations among some terms, and the lists of the others; what relaxes a relation is a list by itself.
    """
    relations = {term for terms in lists for term in terms if isinstance(term, Relation)}
    arranged = sorted(relations, key=lambda term: (term.text, term.identity))
    plain: list[list[Term]] = [[term for term in terms if not isinstance(term, Relation)] for terms in lists]
    plain += [[relation.relaxed] for relation in arranged]
    return arranged, plain
