"""
One axis of the space of requests: its classes of values, and the terms that cut them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from rooftree.permissions.glob import Atom
from rooftree.permissions.interval import Interval
from rooftree.permissions.language import STRING_STARTS, STRINGS, Start, Universe, mask_of
from rooftree.permissions.predicate import PrincipalTerm, Relation, Term, members_of

__all__ = ["Dimension", "Kind", "Point", "arounds_of", "bundled", "ordered"]


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
    signature: int = 0


@dataclass(frozen=True)
class Dimension:
    """
    One axis of the space of requests.

    Attributes:
        kind: See `Kind`. A ``member`` asks whether some value of a key lies in one class; point 1 says yes.
            A ``relation`` asks whether a pattern with variables matches; point 1 says yes.
        key: The condition key in lower case; empty for actions and resources.
        family: How values of the key compare; ``principal`` for the principals of the account itself.
        points: The classes.
        terms: The terms that cut the classes, by bit of their signatures.
        exact: Whether every combination of its points with those of other dimensions can occur.
        spelled: The key as a policy spells it.
        always_sent: Whether no request lacks the key.
        usual: A value of it that is nothing special, if one is known.
        universe: The values that exist, where they are text.
        starts: How these begin.
        beyond: The points of values that are not looked at, as a mask.
        arounds: For each term the points that lie in it; worked out from the signatures unless given.
    """

    kind: str
    key: str
    family: str
    points: tuple[Point, ...]
    terms: tuple[Term, ...]
    exact: bool = True
    relation: Relation | None = None
    spelled: str = ""
    always_sent: bool = False
    usual: str | None = None
    universe: Universe = STRINGS
    starts: tuple[Start, ...] = STRING_STARTS
    beyond: int = 0
    arounds: Mapping[Term, int] | None = None

    @cached_property
    def present(self) -> int:
        """
        The points at which the key is there.
        """
        return mask_of(index for index, point in enumerate(self.points) if point.value is not None)

    @cached_property
    def _around(self) -> Mapping[Term, int]:
        return arounds_of(self.terms, self.points) if self.arounds is None else self.arounds

    def signature(self, text: str) -> int:
        """
        Return the patterns among the terms that match a text, as a bit mask.
        """
        return mask_of(bit for bit, term in enumerate(self.terms) if isinstance(term, Atom) and term.matches(text))

    def around(self, terms: Iterable[Term]) -> int:
        """
        Return the points that lie in one of *terms*.
        """
        points = 0
        around = self._around
        for term in terms:
            points |= around[term]
        return points


def arounds_of(terms: tuple[Term, ...], points: Iterable[Point]) -> dict[Term, int]:
    """
    Return, for each term and each member of one, the points whose signature names it.
    """
    found = [0] * len(terms)
    for index, point in enumerate(points):
        signature = point.signature
        while signature:
            lowest = signature & -signature
            found[lowest.bit_length() - 1] |= 1 << index
            signature ^= lowest
    around = dict(zip(terms, found, strict=True))
    for term, mask in zip(terms, found, strict=True):
        # those who ask for one member ask for all
        around.update(dict.fromkeys(members_of(term), mask))
    return around


def bundled(lists: Iterable[Collection[Term]]) -> tuple[Term, ...]:
    """
    Return the terms of some lists, those as one that stand in the same lists.

    No statement tells such terms apart, and classes that nobody tells apart need not be found.
    """
    standing: dict[Term, int] = {}
    told = list(lists)
    for number, terms in enumerate(told):
        for term in terms:
            standing[term] = standing.get(term, 0) | 1 << number
    groups: dict[tuple[object, ...], list[Term]] = {}
    for term in ordered(term for terms in told for term in terms):
        spelling = term.spelling if isinstance(term, Atom | PrincipalTerm) else term
        groups.setdefault((type(term), spelling, standing[term]), []).append(term)
    return ordered(_union(terms) for terms in groups.values())


def _union(terms: Sequence[Term]) -> Term:
    first = terms[0]
    text = ", ".join(term.text for term in terms)
    if isinstance(first, Atom) and len(terms) > 1:
        atoms = tuple(term for term in terms if isinstance(term, Atom))
        return Atom(frozenset().union(*(atom.globs for atom in atoms)), text, first.spelling, atoms)
    if isinstance(first, PrincipalTerm) and len(terms) > 1:
        own = tuple(term for term in terms if isinstance(term, PrincipalTerm))
        iam, sts = (frozenset().union(*globs) for globs in zip(*((term.iam, term.sts) for term in own), strict=True))
        return PrincipalTerm(iam, sts, text, first.spelling, own)
    return first


def ordered(terms: Iterable[Term]) -> tuple[Term, ...]:
    """
    Return terms once each, in an order and with a text that do not depend on where they came from.
    """
    found: dict[Term, Term] = {}
    for term in terms:
        known = found.get(term)
        if known is None or (known is not term and _wording(term) < _wording(known)):
            found[term] = term
    return tuple(sorted(found.values(), key=lambda term: (type(term).__name__, term.text, term.identity)))


def _wording(term: Term) -> tuple[str, str]:
    return term.text, "" if isinstance(term, Interval) else term.spelling.value
