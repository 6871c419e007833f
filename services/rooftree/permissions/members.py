"""
Keys that hold several values: what must be among them, and what must not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product
from math import prod
from typing import Final

from rooftree.permissions.condition_line import ConditionLine, by_operator, line_of
from rooftree.permissions.diagram import Box, Node
from rooftree.permissions.dimension import Dimension, Kind, Point
from rooftree.permissions.glob import ANY_STRING
from rooftree.permissions.keys import canonical_key
from rooftree.permissions.pattern import Pattern, word_points
from rooftree.permissions.space import Space

__all__ = ["demands_of", "word_members"]


def demands_of(space: Space, box: Box, members: dict[int, int], whole: Node) -> list[int]:
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


def word_members(space: Space, members: dict[int, int], demands: Sequence[int]) -> tuple[list[ConditionLine], bool]:
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
        if pattern.any_of == (ANY_STRING,) and len(by_operator(pattern.none_of)) == 1:
            lines.append(line_of(pattern.none_of, key, negated=True, prefix="ForAnyValue:"))
        elif len(by_operator(pattern.any_of)) == 1:
            lines.append(line_of(pattern.any_of, key, negated=False, prefix="ForAnyValue:"))
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
        groups = by_operator(pattern.any_of)
        if pattern.any_of == (ANY_STRING,) or len(groups) == 1:
            lines = [] if pattern.any_of == (ANY_STRING,) else [line_of(groups[0], key, negated=False, prefix=_ALL)]
            return lines + [
                line_of(group, key, negated=True, prefix=_ALL) for group in by_operator(pattern.none_of)
            ], True
    barred = word_points(elements, forbidden)
    # AWS has no words for keeping out what matches one pattern and not another: say more rather than less
    said = [pattern for pattern in barred if not pattern.none_of and not pattern.all_of]
    lines = [
        line_of(group, key, negated=True, prefix=_ALL) for pattern in said for group in by_operator(pattern.any_of)
    ]
    return lines, len(said) == len(barred)


_ALL: Final = "ForAllValues:"


def _bits(flags: Iterable[bool]) -> int:
    mask = 0
    for index, flag in enumerate(flags):
        mask |= flag << index
    return mask
