"""
Sets of points as AWS would write them: patterns to match, patterns to leave out, and conditions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Final

from rooftree.permissions.diagram import Box, Node
from rooftree.permissions.dimension import Dimension, Kind, Point
from rooftree.permissions.glob import ANY_STRING, Atom, Spelling
from rooftree.permissions.interval import Interval
from rooftree.permissions.keys import canonical_key
from rooftree.permissions.language import RESOURCE_STARTS, RESOURCES, classes_of
from rooftree.permissions.predicate import PrincipalTerm, Term, members_of
from rooftree.permissions.space import Space
from rooftree.policy.conditions import condition_holds
from rooftree.policy.model import Condition
from rooftree.policy.operators import parse_operator
from rooftree.policy.patterns import action_matches, compile_glob, complete_arn
from rooftree.policy.request import Request
from rooftree.policy.variables import parse_template, resolve_template

__all__ = ["ConditionLine", "Pattern", "Wording", "speaks_of", "word_box"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """
    Values that match one of *any_of*, all of *all_of* and none of *none_of*.

    Attributes:
        sample: Such a value, where one is hard to come by.
    """

    any_of: tuple[Term, ...]
    none_of: tuple[Term, ...] = ()
    all_of: tuple[Term, ...] = ()
    sample: str | None = None


@dataclass(frozen=True, slots=True)
class ConditionLine:
    """
    One operator on one key with its values, in AWS's spelling.
    """

    operator: str
    key: str
    values: tuple[str, ...]


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


_EVERYTHING: Final = Pattern((ANY_STRING,))


def word_box(space: Space, box: Box, whole: Node) -> list[tuple[Wording, Box]]:
    """
    Return wordings that together say the box, each with the part of the box that it says.

    The box lies in *whole*; a wording may say more of it than the box, where that is simpler.
    """
    exact = all(
        dimension.exact or mask == full
        for dimension, mask, full in zip(space.dimensions, box, space.diagrams.full, strict=True)
    )
    alternatives: list[_Alternative] = [_Alternative((), {}, exact)]
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


def inside(dimension: Dimension, pattern: Pattern) -> int:
    """
    Return the points of a dimension that a pattern matches.
    """
    points = dimension.present if ANY_STRING in pattern.any_of else dimension.around(pattern.any_of)
    for term in pattern.all_of:
        points &= dimension.around([term])
    return points & ~dimension.around(pattern.none_of)


def word_points(dimension: Dimension, mask: int) -> list[Pattern]:
    """
    Return patterns over the terms of a dimension whose union is the set of points in *mask*.
    """
    universe = dimension.present
    mask &= universe
    if mask == universe:
        return [_EVERYTHING]
    masks = [(term, dimension.around([term]) & universe) for term in dimension.terms]
    # what is not looked at is not known to lie in any pattern
    seen = [(term, around & ~dimension.beyond) for term, around in masks]
    found = [pattern for pattern in (_positive(masks, mask), _negative(seen, mask, universe)) if pattern]
    if not found:
        found = [pattern for pattern in (_mixed(masks, seen, mask, universe),) if pattern]
    if found:
        simplest = min(found, key=lambda pattern: (len(pattern.any_of) + len(pattern.none_of), len(pattern.none_of)))
        return [_taken_apart(simplest)]
    return [_taken_apart(pattern) for pattern in _singly(dimension, masks, mask)]


def _taken_apart(pattern: Pattern) -> Pattern:
    """
    Return a pattern with the members of each union in its place, but for those that must match all together.
    """

    def members(terms: Iterable[Term]) -> tuple[Term, ...]:
        return tuple(sorted((member for term in terms for member in members_of(term)), key=lambda term: term.text))

    return replace(pattern, any_of=members(pattern.any_of), none_of=members(pattern.none_of))


def _positive(masks: Sequence[tuple[Term, int]], mask: int) -> Pattern | None:
    chosen = _greedy([(term, around) for term, around in masks if around and not around & ~mask], mask)
    return None if chosen is None else Pattern(tuple(chosen))


def _negative(masks: Sequence[tuple[Term, int]], mask: int, universe: int) -> Pattern | None:
    outside = universe & ~mask
    chosen = _greedy([(term, around) for term, around in masks if around and not around & mask], outside)
    return None if chosen is None else Pattern((ANY_STRING,), tuple(chosen))


def _mixed(
    masks: Sequence[tuple[Term, int]], seen: Sequence[tuple[Term, int]], mask: int, universe: int
) -> Pattern | None:
    """
    Return a pattern with exceptions, where neither side alone will do.
    """
    removable = [(term, around) for term, around in seen if around and not around & mask]
    removed = 0
    for _term, around in removable:
        removed |= around
    usable = [(term, around) for term, around in masks if around & mask and not around & ~removed & ~mask]
    chosen = _greedy([(term, around & mask) for term, around in usable], mask)
    if chosen is None:
        return None
    covered = 0
    for term, around in usable:
        if term in chosen:
            covered |= around
    excess = covered & universe & ~mask
    exceptions = _greedy([(term, around & excess) for term, around in removable], excess)
    return None if exceptions is None else Pattern(tuple(chosen), tuple(exceptions))


def _singly(dimension: Dimension, masks: Sequence[tuple[Term, int]], mask: int) -> list[Pattern]:
    """
    Return one pattern a point: all that matches it, and nothing that does not.
    """
    patterns = []
    for index in range(len(dimension.points)):
        if not mask >> index & 1:
            continue
        inside = [(term, around) for term, around in masks if around >> index & 1]
        smallest = [
            term
            for term, around in inside
            if not any(other != around and not other & ~around for _term, other in inside)
        ]
        meeting = dimension.present
        for term, around in inside:
            if term in smallest:
                meeting &= around
        outside = [term for term, around in masks if not around >> index & 1 and around & meeting]
        first, *others = smallest or [ANY_STRING]
        patterns.append(Pattern((first,), tuple(outside), tuple(others)))
    return patterns


def _greedy(masks: Sequence[tuple[Term, int]], wanted: int) -> list[Term] | None:
    """
    Return few terms that together cover *wanted*; ``None`` if they cannot. Wide terms go first, then short texts.
    """
    chosen: list[tuple[Term, int]] = []
    missing = wanted
    for term, around in sorted(masks, key=lambda entry: (-entry[1].bit_count(), len(entry[0].text), entry[0].text)):
        if around & missing:
            chosen.append((term, around & wanted))
            missing &= ~around
    return None if missing else sorted(_irredundant(chosen), key=lambda term: term.text)


def _irredundant(chosen: list[tuple[Term, int]]) -> list[Term]:
    """
    Leave out terms whose points others hold too.
    """
    once = twice = 0
    for _term, around in chosen:
        twice |= once & around
        once |= around
    needed = [term for term, around in chosen if around & ~twice]
    covered = 0
    for term, around in chosen:
        covered |= around if term in needed else 0
    for term, around in chosen:
        if around & ~covered:
            needed.append(term)
            covered |= around
    return needed


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
        if demanded and pattern == _EVERYTHING:
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
        positive, negative = _OPERATORS[relation.spelling]
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
        demands = _demands(space, box, members, whole)
        lines, exact = _word_members(space, members, demands)
        alternatives = [one.joined(_Alternative(tuple(lines), {}, exact)) for one in alternatives]
    return alternatives


_OPERATORS: Final = {
    Spelling.LITERAL: ("StringEquals", "StringNotEquals"),
    Spelling.GLOB: ("StringLike", "StringNotLike"),
    Spelling.IGNORE_CASE: ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    Spelling.ARN: ("ArnLike", "ArnNotLike"),
}


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
        yield [_if_exists(ConditionLine("Bool", key, values), when=absent)], mask
    elif dimension.family in ("number", "date"):
        for comparisons, part in _ranges(dimension, present):
            lines = [_if_exists(ConditionLine(operator, key, (text,)), when=absent) for operator, text in comparisons]
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
        for positive in _by_operator(pattern.any_of):
            groups = [positive, *(list(members_of(term)) for term in pattern.all_of)]
            wanted = [group for group in groups if group != [ANY_STRING]]
            lines = [_if_exists(_line(group, key, negated=False), when=absent) for group in wanted]
            lines += [_line(group, key, negated=True) for group in _by_operator(pattern.none_of)]
            if not wanted and not absent and not dimension.always_sent:
                lines.append(ConditionLine("Null", key, ("false",)))
            part = inside(dimension, Pattern(tuple(positive), pattern.none_of, pattern.all_of))
            yield lines, part | absent


def _if_exists(line: ConditionLine, *, when: int) -> ConditionLine:
    return ConditionLine(f"{line.operator}IfExists", line.key, line.values) if when else line


def _by_operator(terms: Sequence[Term]) -> list[list[Term]]:
    """
    Part terms by the operator that says them; literals join the patterns, where there are any.
    """
    groups: dict[str, list[Term]] = {}
    for term in terms:
        groups.setdefault(_operators(term)[0], []).append(term)
    if "StringLike" in groups and "StringEquals" in groups:
        groups["StringLike"] += groups.pop("StringEquals")
    return list(groups.values())


def _operators(term: Term) -> tuple[str, str]:
    if isinstance(term, Interval):
        return ("IpAddress", "NotIpAddress")
    return _OPERATORS[term.spelling]


def _line(terms: Sequence[Term], key: str, *, negated: bool, prefix: str = "") -> ConditionLine:
    names = {_operators(term)[negated] for term in terms}
    operator = max(names) if len(names) == 1 else ("StringNotLike" if negated else "StringLike")
    mixed = len(names) > 1
    values = tuple(sorted(_escaped(term) if mixed and _is_literal(term) else term.text for term in terms))
    return ConditionLine(f"{prefix}{operator}", key, values)


def _is_literal(term: Term) -> bool:
    return isinstance(term, Atom | PrincipalTerm) and term.spelling is Spelling.LITERAL


def _escaped(term: Term) -> str:
    """
    Write a literal so that an operator with wildcards takes it as it is.
    """
    return _WILDCARD.sub(lambda found: found[0] if len(found[0]) > 1 else f"${{{found[0]}}}", term.text)


_WILDCARD: Final = re.compile(r"\$\{[*?$]\}|[*?]")
"""A wildcard, escaped already or not."""


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


def _demands(space: Space, box: Box, members: dict[int, int], whole: Node) -> list[int]:
    """
    Return, for each class that the box asks for, all classes of which any one would do in its place.

    INVARIANT: whichever classes are picked, one of each demand, a request with them lies in *whole*.
    """
    asked = [index for index, mask in members.items() if mask == 0b10]
    demands = [[index] for index in asked]
    base = [0b11 if index in asked else mask for index, mask in enumerate(box)]
    for number in range(len(demands)):
        others = demands[:number] + demands[number + 1 :]
        if prod(len(other) for other in others) > MAX_PICKS:
            continue
        for index, mask in members.items():
            if (
                mask != 0b01
                and index not in demands[number]
                and all(
                    space.diagrams.contains(whole, _with_members(base, (*picked, index))) for picked in product(*others)
                )
            ):
                demands[number].append(index)
    return _told_apart(space, base, members, demands, whole)


def _told_apart(
    space: Space, base: Sequence[int], members: dict[int, int], demands: list[list[int]], whole: Node
) -> list[int]:
    """
    Return demands as masks over the classes; what takes a pattern with exceptions becomes two demands, where it may.
    """
    places = list(members)
    left = _elements(space, members, forbidden=_bits(mask == 0b01 for mask in members.values()))
    told: list[int] = []
    for number, demand in enumerate(demands):
        wanted = sum(1 << places.index(index) for index in demand)
        told.append(wanted)
        if wanted == left.present or _says_one(word_points(left, wanted)):
            continue
        halves = _supersets(left, wanted)
        others = demands[:number] + demands[number + 1 :]
        picks = [[places[bit] for bit in range(len(places)) if half >> bit & 1] for half in halves]
        if prod(len(pick) for pick in [*picks, *others]) <= MAX_PICKS and all(
            space.diagrams.contains(whole, _with_members(base, picked)) for picked in product(*picks, *others)
        ):
            told[-1:] = halves
            demands[number : number + 1] = [[index for pick in picks for index in pick]]
    return told


def _says_one(patterns: Sequence[Pattern]) -> bool:
    """
    Tell whether one line can say these patterns of the values of a key.
    """
    first = patterns[0]
    if len(patterns) > 1 or first.all_of:
        return False
    return (first.any_of == (ANY_STRING,)) != (not first.none_of)


def _supersets(elements: Dimension, wanted: int) -> list[int]:
    """
    Return the smallest sets around *wanted* that a term, or the lack of one, says.
    """
    arounds = [elements.around([term]) & elements.present for term in elements.terms]
    sets = {around for each in arounds for around in (each, elements.present & ~each) if not wanted & ~around}
    return sorted(one for one in sets if not any(other != one and not other & ~one for other in sets))


def _elements(space: Space, members: Iterable[int], *, forbidden: int) -> Dimension:
    """
    Return the classes of the values of a key as one dimension, without those that are barred.
    """
    dimensions = [space.dimensions[index] for index in members]
    points = tuple(
        Point(None, 0) if forbidden >> number & 1 else dimension.points[1]
        for number, dimension in enumerate(dimensions)
    )
    return replace(dimensions[0], kind=Kind.KEY, points=points)


MAX_PICKS: Final = 64
"""More combinations are not worth a shorter wording."""


def _with_members(base: Sequence[int], indexes: Iterable[int]) -> Box:
    masks = list(base)
    for index in indexes:
        masks[index] = 0b10
    return tuple(masks)


def _word_members(space: Space, members: dict[int, int], demands: Sequence[int]) -> tuple[list[ConditionLine], bool]:
    """
    Return lines for a key with several values: what must be among them, and what must not; and whether they are exact.
    """
    forbidden = _bits(mask == 0b01 for mask in members.values())
    everything = (1 << len(members)) - 1
    elements = _elements(space, members, forbidden=0)
    key = canonical_key(elements.spelled)
    if forbidden == everything:
        return [ConditionLine("Null", key, ("true",))], True
    lines: list[ConditionLine] = []
    exact = True
    if forbidden:
        lines, exact = _word_forbidden(elements, everything & ~forbidden, forbidden, key)
    # where some classes are barred, a pattern that reaches into them says no more than one that does not
    left = _elements(space, members, forbidden=forbidden)
    for wanted in demands:
        if wanted == left.present:
            lines.append(ConditionLine("Null", key, ("false",)))
            continue
        patterns = word_points(left, wanted)
        if not _says_one(patterns):
            # AWS has no words for a value that matches one pattern and not another: say more rather than less
            exact = False
            patterns = word_points(left, (*_supersets(left, wanted), left.present)[0])
        pattern = patterns[0]
        if pattern.any_of == (ANY_STRING,) and len(_by_operator(pattern.none_of)) == 1:
            lines.append(_line(pattern.none_of, key, negated=True, prefix="ForAnyValue:"))
        elif len(_by_operator(pattern.any_of)) == 1:
            lines.append(_line(pattern.any_of, key, negated=False, prefix="ForAnyValue:"))
        else:
            # no one operator says `some value is one of these`: again more rather than less
            exact = False
            lines.append(ConditionLine("Null", key, ("false",)))
    return list(dict.fromkeys(lines)), exact


def _word_forbidden(elements: Dimension, allowed: int, forbidden: int, key: str) -> tuple[list[ConditionLine], bool]:
    """
    Return lines that keep classes out of the values of a key: by naming those, or by naming all others.
    """
    inside = word_points(elements, allowed)
    if len(inside) == 1 and not inside[0].all_of:
        pattern = inside[0]
        groups = _by_operator(pattern.any_of)
        if pattern.any_of == (ANY_STRING,) or len(groups) == 1:
            lines = [] if pattern.any_of == (ANY_STRING,) else [_line(groups[0], key, negated=False, prefix=_ALL)]
            return lines + [
                _line(group, key, negated=True, prefix=_ALL) for group in _by_operator(pattern.none_of)
            ], True
    barred = word_points(elements, forbidden)
    # AWS has no words for keeping out what matches one pattern and not another: say more rather than less
    said = [pattern for pattern in barred if not pattern.none_of and not pattern.all_of]
    lines = [_line(group, key, negated=True, prefix=_ALL) for pattern in said for group in _by_operator(pattern.any_of)]
    return lines, len(said) == len(barred)


_ALL: Final = "ForAllValues:"


def _bits(flags: Iterable[bool]) -> int:
    mask = 0
    for index, flag in enumerate(flags):
        mask |= flag << index
    return mask
