"""
Sets of points as AWS would write them: patterns to match, patterns to leave out, and conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from rooftree.permissions.condition_line import OPERATORS, ConditionLine, by_operator, if_exists, line_of
from rooftree.permissions.diagram import Box, Node
from rooftree.permissions.dimension import Dimension, Kind
from rooftree.permissions.glob import ANY_STRING, Atom
from rooftree.permissions.interval import Interval
from rooftree.permissions.keys import canonical_key
from rooftree.permissions.language import RESOURCE_STARTS, RESOURCES, classes_of
from rooftree.permissions.members import demands_of, word_members
from rooftree.permissions.pattern import EVERYTHING, Pattern, inside, word_points
from rooftree.permissions.predicate import Term, members_of
from rooftree.permissions.space import Space
from rooftree.policy.conditions import condition_holds
from rooftree.policy.model import Condition
from rooftree.policy.operators import parse_operator
from rooftree.policy.patterns import action_matches, compile_glob, complete_arn
from rooftree.policy.request import Request
from rooftree.policy.variables import parse_template, resolve_template

__all__ = ["Wording", "speaks_of", "word_box"]


@dataclass(frozen=True, slots=True)
class Wording:
    """
    One box in words. The conditions hold together.

    Attributes:
        exact: Whether the words say neither more nor less than the box.
    """

    actions: Pattern
    resources: Pattern
    conditions: tuple[ConditionLine, ...]
    exact: bool


def speaks_of(wording: Wording, request: Request) -> bool:
    """
    Tell whether a box, as it is worded, holds a request.
    """
    actions, resources = wording.actions, wording.resources
    return (
        _fits(actions, lambda term: action_matches(term.text, request.action))
        and _fits(resources, lambda term: _names(term.text, request))
        and all(
            condition_holds(
                Condition(parse_operator(line.operator), line.key, line.values), request.context, variables=True
            )
            for line in wording.conditions
        )
    )


def _fits(pattern: Pattern, matches: Callable[[Term], bool]) -> bool:
    return (
        any(map(matches, pattern.any_of))
        and all(map(matches, pattern.all_of))
        and not any(map(matches, pattern.none_of))
    )


def _names(text: str, request: Request) -> bool:
    pieces = resolve_template(parse_template(complete_arn(text, variables=True), variables=True), request.context)
    return pieces is not None and compile_glob(pieces).matches(request.resource)


def word_box(space: Space, box: Box, whole: Node) -> list[tuple[Wording, Box]]:
    """
    Return wordings that together say the box, each with the part of the box that it says.

    The box lies in *whole*; a wording may say more of it than the box, where that is simpler.
    """
    alternatives: list[_Alternative] = [_Alternative((), {}, space.is_exact(box))]
    constrained = {
        dimension.key
        for dimension, mask, full in zip(space.dimensions, box, space.diagrams.full, strict=True)
        if mask != full and dimension.kind in (Kind.KEY, Kind.MEMBER)
    }
    for key in sorted(constrained):
        choices = _word_key(space, box, key, whole)
        alternatives = [one.joined(other) for one in alternatives for other in choices]
    relations = _relation_lines(space, box)
    worded = []
    for action in word_points(space.dimensions[0], box[0]):
        for resource, shown in _resources(space, box):
            for one in alternatives:
                part = {0: inside(space.dimensions[0], action), 1: inside(space.dimensions[1], resource), **one.part}
                wording = Wording(action, shown, (*one.lines, *relations), one.exact)
                worded.append((wording, tuple(mask & part.get(index, mask) for index, mask in enumerate(box))))
    return worded


@dataclass(frozen=True, slots=True)
class _Alternative:
    """
    Lines that hold together, the points that they leave in each dimension, and whether they say just that.
    """

    lines: tuple[ConditionLine, ...]
    part: dict[int, int]
    exact: bool

    def joined(self, other: _Alternative) -> _Alternative:
        return _Alternative(self.lines + other.lines, {**self.part, **other.part}, self.exact and other.exact)


def _resources(space: Space, box: Box) -> Iterator[tuple[Pattern, Pattern]]:
    """
    Yield the patterns of the resources, each bare and with those that hold a variable.
    """
    demanded: list[Term] = []
    excluded: list[Term] = []
    for dimension, mask in zip(space.dimensions, box, strict=True):
        if dimension.relation is not None and dimension.key == "resource":
            if mask == 0b10:
                demanded.append(dimension.relation)
            elif mask == 0b01:
                excluded.append(dimension.relation)
    for pattern in _flat(word_points(space.dimensions[1], box[1])):
        if demanded and pattern == EVERYTHING:
            yield pattern, Pattern((demanded[0],), tuple(excluded), tuple(demanded[1:]))
        else:
            none_of, all_of = (*pattern.none_of, *excluded), (*pattern.all_of, *demanded)
            yield pattern, replace(pattern, none_of=none_of, all_of=all_of)


def _flat(patterns: Iterable[Pattern]) -> Iterator[Pattern]:
    """
    Yield patterns that together say the same, of which none must match all of a union.
    """
    for pattern in patterns:
        if any(len(members_of(term)) > 1 for term in pattern.all_of):
            for chosen in product(*(members_of(term) for term in pattern.all_of)):
                sample = _meeting(pattern, chosen)
                if sample is not None:
                    yield replace(pattern, all_of=chosen, sample=sample)
        else:
            yield pattern


def _meeting(pattern: Pattern, chosen: Sequence[Term]) -> str | None:
    """
    Return a resource that matches a pattern and all of the terms *chosen*, if there is one.
    """
    wanted = [term for term in (*pattern.any_of, *chosen) if isinstance(term, Atom)]
    barred = [term for term in pattern.none_of if isinstance(term, Atom)]
    all_of, any_of = ((1 << len(chosen)) - 1) << len(pattern.any_of), (1 << len(pattern.any_of)) - 1
    for found in classes_of(RESOURCES, RESOURCE_STARTS, [*wanted, *barred]):
        if found.signature & all_of == all_of and found.signature & any_of and not found.signature >> len(wanted):
            return found.witness
    return None


def _relation_lines(space: Space, box: Box) -> list[ConditionLine]:
    lines = []
    for dimension, mask in zip(space.dimensions, box, strict=True):
        relation = dimension.relation
        if relation is None or dimension.key == "resource" or mask == 0b11 or relation.whole_test:
            # where there are no words for it, more is said rather than less
            continue
        positive, negative = OPERATORS[relation.spelling]
        operator = positive if mask == 0b10 else negative
        lines.append(ConditionLine(operator, canonical_key(relation.place), (relation.text,)))
    return lines


def _word_key(space: Space, box: Box, key: str, whole: Node) -> list[_Alternative]:
    """
    Return the alternatives for one key.
    """
    alternatives = [_Alternative((), {}, exact=True)]
    members: dict[int, int] = {}
    for index, (dimension, mask) in enumerate(zip(space.dimensions, box, strict=True)):
        if dimension.key != key or dimension.kind not in (Kind.KEY, Kind.MEMBER):
            continue
        if dimension.kind == Kind.MEMBER:
            members[index] = mask
        elif mask != space.diagrams.full[index]:
            choices = [
                _Alternative(tuple(lines), {index: part}, exact=True) for lines, part in _word_single(dimension, mask)
            ]
            alternatives = [one.joined(other) for one in alternatives for other in choices]
    if any(mask != 0b11 for mask in members.values()):
        demands = demands_of(space, box, members, whole)
        lines, exact = word_members(space, members, demands)
        alternatives = [one.joined(_Alternative(tuple(lines), {}, exact)) for one in alternatives]
    return alternatives


def _word_single(dimension: Dimension, mask: int) -> Iterator[tuple[list[ConditionLine], int]]:
    """
    Yield the alternatives for a key with one value, each with the points that it leaves.
    """
    key = canonical_key(dimension.spelled)
    absent, present = mask & ~dimension.present, mask & dimension.present
    if not present:
        yield [ConditionLine("Null", key, ("true",))], absent
    elif present == dimension.present:
        yield [ConditionLine("Null", key, ("false",))], present
    elif dimension.family == "bool":
        values = tuple(str(point.value) for index, point in enumerate(dimension.points) if present >> index & 1)
        yield [if_exists(ConditionLine("Bool", key, values), when=absent)], mask
    elif dimension.family in ("number", "date"):
        for comparisons, part in _ranges(dimension, present):
            lines = [if_exists(ConditionLine(operator, key, (text,)), when=absent) for operator, text in comparisons]
            if not absent and not dimension.always_sent and all("Not" in operator for operator, _text in comparisons):
                # a negated operator holds for a request without the key
                lines.append(ConditionLine("Null", key, ("false",)))
            yield lines, part | absent
    else:
        yield from _word_patterns(dimension, present, absent)


def _word_patterns(dimension: Dimension, present: int, absent: int) -> Iterator[tuple[list[ConditionLine], int]]:
    """
    Yield the alternatives for a key whose values are matched by patterns or lie in networks.
    """
    key = canonical_key(dimension.spelled)
    for pattern in word_points(dimension, present):
        for positive in by_operator(pattern.any_of):
            groups = [positive, *(list(members_of(term)) for term in pattern.all_of)]
            wanted = [group for group in groups if group != [ANY_STRING]]
            lines = [if_exists(line_of(group, key, negated=False), when=absent) for group in wanted]
            lines += [line_of(group, key, negated=True) for group in by_operator(pattern.none_of)]
            if not wanted and not absent and not dimension.always_sent:
                lines.append(ConditionLine("Null", key, ("false",)))
            part = inside(dimension, Pattern(tuple(positive), pattern.none_of, pattern.all_of))
            yield lines, part | absent


def _ranges(dimension: Dimension, present: int) -> Iterator[tuple[list[tuple[str, str]], int]]:
    """
    Yield conjunctions of comparisons that together say the points, each with those that it says.
    """
    masks = [(term, dimension.around([term])) for term in dimension.terms if isinstance(term, Interval)]
    whole = dimension.present
    left = present
    for term, around in sorted(masks, key=lambda entry: -entry[1].bit_count()):
        for operator, part in ((term.operator, around), (_opposite(term.operator), whole & ~around)):
            if part & left and not part & ~present:
                yield [(operator, term.text)], part
                left &= ~part
    for index in range(len(dimension.points)):
        if left >> index & 1:
            comparisons = [
                (term.operator if around >> index & 1 else _opposite(term.operator), term.text)
                for term, around in masks
            ]
            yield comparisons, 1 << index


def _opposite(operator: str) -> str:
    family = "Numeric" if operator.startswith("Numeric") else "Date"
    return (
        family
        + {
            "Equals": "NotEquals",
            "LessThan": "GreaterThanEquals",
            "LessThanEquals": "GreaterThan",
            "GreaterThan": "LessThanEquals",
            "GreaterThanEquals": "LessThan",
        }[operator.removeprefix(family)]
    )
