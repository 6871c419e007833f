"""
What names a set of requests: equal for equal sets, however the policies that they come from were written.

A diagram is unique for the classes of values over which it stands. So the classes that it does not tell apart are
taken together, each partition that is left gets its canonical form, and the diagram is spelled over these.

Where a key is compared in several forms, and where policy variables relate keys, equal sets may still get two names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from rooftree.permissions.actions import ActionDimension, ServiceClasses
from rooftree.permissions.automaton import Parting, parting_of
from rooftree.permissions.diagram import FALSE, TRUE, Node
from rooftree.permissions.dimension import Dimension, Kind
from rooftree.permissions.glob import Atom, Glob
from rooftree.permissions.interval import Interval, parted_intervals
from rooftree.permissions.language import (
    ACTION_STARTS,
    ACTIONS,
    STRINGS,
    Start,
    Universe,
)
from rooftree.permissions.predicate import PrincipalTerm
from rooftree.permissions.principals import BOUNDS, PRINCIPAL_STARTS, principal_rests
from rooftree.permissions.space import Space

__all__ = ["identity_of"]


def identity_of(space: Space, node: Node) -> str:
    """
    Return the name of a set of requests.

    Raises:
        TooComplexError: If the patterns are too tangled.
    """
    nowhere = space.diagrams.either(space.impossible, space.uncalled)
    spelled = _Speller(space, space.diagrams.without(node, nowhere)).spelled()
    return hashlib.sha256(repr((space.side.name, spelled)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class _Axis:
    """
    A dimension in canonical form.

    Attributes:
        index: The dimension.
        name: What only equal axes share.
        samples: For each class, in canonical order, a point in it.
    """

    index: int
    name: object
    samples: tuple[int, ...]


class _Speller:
    """
    Spells a function over canonical dimensions, from the first to the last.
    """

    def __init__(self, space: Space, node: Node) -> None:
        self._space = space
        self._diagrams = space.diagrams
        self._node = node
        self._axes: list[_Axis] = []
        self._rows: dict[tuple[int, ...], int] = {}
        self._memo: dict[tuple[Node, int], int] = {}

    def spelled(self) -> object:
        """
        Return a value that only equal functions share.
        """
        for first, count in self._space.places():
            if self._space.dimensions[first].kind == Kind.MEMBER:
                self._add_members(first, count)
            else:
                self._add(first)
        root = self._spell(self._node, 0)
        return [axis.name for axis in self._axes], list(self._rows), root

    def _add(self, index: int) -> None:
        points = self._diagrams.told_apart(self._node, index)
        if max(points) == 0:
            return
        dimension = self._space.dimensions[index]
        if dimension.kind == Kind.ACTION:
            name, order = _of_actions(self._space.actions, points)
        elif dimension.relation is not None:
            name, order = dimension.relation.identity, points
        else:
            name, order = _of_values(dimension, points)
        samples = tuple(points.index(part) for part in dict.fromkeys(order))
        self._axes.append(_Axis(index, (dimension.kind, dimension.key, name), samples))

    def _add_members(self, first: int, count: int) -> None:
        """
        Add the classes of the values of a key, those as one of which any one will do.
        """
        groups: list[int] = []
        grouped: dict[int, int] = {}
        for index in sorted(self._diagrams.support(self._node) & set(range(first, first + count))):
            for number, kept in enumerate(groups):
                if self._alike(kept, index):
                    self._node = self._diagrams.restricted(self._node, index, 0)
                    grouped[index] = number
                    break
            else:
                grouped[index] = len(groups)
                groups.append(index)
        if not groups:
            return
        dimension = self._space.dimensions[first]
        others = len(groups)
        labelled = {
            self._space.dimensions[index].points[1].signature: grouped.get(index, others)
            for index in range(first, first + count)
        }
        atoms = [term.globs for term in dimension.terms if isinstance(term, Atom)]
        parting = _parting(dimension.universe, dimension.starts, [atoms], labelled)
        for position, group in enumerate(parting.labels):
            if group != others:
                name = (dimension.kind, dimension.key, dimension.family, parting.digest, position)
                self._axes.append(_Axis(groups[group], name, (0, 1)))

    def _alike(self, one: int, other: int) -> bool:
        """
        Tell whether it is all the same which of two classes has a value among those of the key.
        """
        restricted = self._diagrams.restricted
        with_one, without = restricted(self._node, one, 1), restricted(self._node, one, 0)
        both, first, second = (
            restricted(with_one, other, 1),
            restricted(with_one, other, 0),
            restricted(without, other, 1),
        )
        return both == first == second

    def _spell(self, node: Node, depth: int) -> int:
        """
        Return the number of a function of the axes from *depth* on.
        """
        if node in (FALSE, TRUE):
            return -1 if node == FALSE else -2
        found = self._memo.get((node, depth))
        if found is None:
            axis = self._axes[depth]
            children = [
                self._spell(self._diagrams.restricted(node, axis.index, sample), depth + 1) for sample in axis.samples
            ]
            same = len(set(children)) == 1
            found = children[0] if same else self._rows.setdefault((depth, *children), len(self._rows))
            self._memo[node, depth] = found
        return found


Named = tuple[object, Sequence[int]]
"""What only equal partitions share, and the parts in an order that such partitions have in common."""


def _of_values(dimension: Dimension, points: Sequence[int]) -> Named:
    """
    Name the partition of the values of a key, or of resources.
    """
    present = {
        point.signature: points[number] for number, point in enumerate(dimension.points) if point.value is not None
    }
    absent = next((points[number] for number, point in enumerate(dimension.points) if point.value is None), None)
    # where all values are treated alike, it does not count how they are compared
    alike = len(set(present.values())) == 1
    name, order = ("any value", list(set(present.values()))) if alike else _of_present(dimension, present)
    where = None if absent is None else order.index(absent) if absent in order else len(order)
    return (dimension.family if len(order) > 1 else "", name, where), [*order, *([] if absent is None else [absent])]


def _of_present(dimension: Dimension, labelled: dict[int, int]) -> tuple[object, list[int]]:
    if dimension.family in ("number", "date", "ip"):
        intervals = [term for term in dimension.terms if isinstance(term, Interval)]
        cells = parted_intervals(dimension.family, intervals, labelled)
        order = list(dict.fromkeys(part for _start, part in cells))
        return [(start, order.index(part)) for start, part in cells], order
    if dimension.family == "principal":
        terms = [term for term in dimension.terms if isinstance(term, PrincipalTerm)]
        labels = tuple(sorted(labelled.items()))
        parting = parting_of(STRINGS, PRINCIPAL_STARTS, principal_rests(terms), labels, BOUNDS)
        return parting.digest, list(parting.labels)
    atoms = [term for term in dimension.terms if isinstance(term, Atom)]
    if dimension.family == "bool":
        parts = [
            labelled[sum(atom.matches(value) << bit for bit, atom in enumerate(atoms))] for value in ("false", "true")
        ]
        order = list(dict.fromkeys(parts))
        return [order.index(part) for part in parts], order
    rests = [[atom.after(start.prefix) for atom in atoms] for start in dimension.starts]
    parting = _parting(dimension.universe, dimension.starts, rests, labelled)
    return parting.digest, list(parting.labels)


def _of_actions(actions: ActionDimension, points: Sequence[int]) -> Named:
    """
    Name the partition of actions: service by service, without those that are like the rest, if patterns name services.
    """
    first, others = actions.others
    rest = points[first : first + len(others.points)]
    if len(set(rest)) > 1:
        return _of_all_actions(actions.dimension, points)
    named: list[tuple[str, Sequence[int]]] = [("", rest[:1])]
    services = []
    for service, (start, classes) in sorted(actions.services.items()):
        own = points[start : start + len(classes.points)]
        if set(own) != set(rest):
            services.append(service)
            named.append(_of_service(classes, own))
    order = list(dict.fromkeys(part for _digest, parts in named for part in parts))
    spelled = [(digest, [order.index(part) for part in parts]) for digest, parts in named]
    return (services, spelled), order


def _of_all_actions(dimension: Dimension, points: Sequence[int]) -> Named:
    atoms = [term for term in dimension.terms if isinstance(term, Atom)]
    arounds = [dimension.around([atom]) for atom in atoms]
    labelled = {
        sum((around >> number & 1) << bit for bit, around in enumerate(arounds)): part
        for number, part in enumerate(points)
    }
    parting = _parting(ACTIONS, ACTION_STARTS, [[atom.globs for atom in atoms]], labelled)
    return parting.digest, parting.labels


def _of_service(classes: ServiceClasses, points: Sequence[int]) -> tuple[str, Sequence[int]]:
    order = list(dict.fromkeys(points))
    if len(order) == 1:
        return "", order
    # labels of its own, so that services treated alike by other chains are known already
    labelled = {point.signature: order.index(part) for point, part in zip(classes.points, points, strict=True)}
    parting = _parting(ACTIONS, (classes.start,), [list(classes.patterns)], labelled)
    return parting.digest, [order[label] for label in parting.labels]


def _parting(
    universe: Universe,
    starts: tuple[Start, ...],
    rests: Sequence[Sequence[frozenset[Glob]]],
    labelled: dict[int, int],
) -> Parting:
    """
    Return the canonical form of a partition, found with those atoms alone that tell its parts apart.
    """
    kept = _telling(labelled, len(rests[0]))

    def packed(signature: int) -> int:
        return sum((signature >> bit & 1) << place for place, bit in enumerate(kept))

    left = tuple(tuple(listed[bit] for bit in kept) for listed in rests)
    labels = tuple(sorted({packed(signature): label for signature, label in labelled.items()}.items()))
    return parting_of(universe, starts, left, labels, 0)


def _telling(labelled: dict[int, int], count: int) -> list[int]:
    """
    Return bits of signatures that suffice to tell labels apart.
    """
    kept = (1 << count) - 1
    for bit in range(count):
        without = kept & ~(1 << bit)
        seen: dict[int, int] = {}
        if all(seen.setdefault(signature & without, label) == label for signature, label in labelled.items()):
            kept = without
    return [bit for bit in range(count) if kept >> bit & 1]
