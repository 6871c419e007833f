"""
Values of one dimension as patterns: those to match and those to leave out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rooftree.permissions.dimension import Dimension
from rooftree.permissions.glob import ANY_STRING
from rooftree.permissions.predicate import Term, members_of

__all__ = ["EVERYTHING", "Pattern", "inside", "word_points"]


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


EVERYTHING: Final = Pattern((ANY_STRING,))


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
        return [EVERYTHING]
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
