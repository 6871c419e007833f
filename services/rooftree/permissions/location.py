"""
Where one request lies among all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from rooftree.permissions.dimension import Dimension, Kind
from rooftree.permissions.glob import Atom, Glob
from rooftree.permissions.interval import Interval, place_of
from rooftree.permissions.predicate import PrincipalTerm
from rooftree.permissions.space import Space
from rooftree.policy.request import Request
from rooftree.policy.values import parse_boolean

__all__ = ["locate"]


def locate(space: Space, request: Request) -> list[int] | None:
    """
    Return the point of each dimension at which a request lies.

    ``None`` for a request that is none of those looked at: of a principal that is not bound, with a value that cannot
    be read, with several values of a key that holds one; and where policy variables relate keys.
    """
    point = [0] * len(space.dimensions)
    for first, count in space.places():
        dimension = space.dimensions[first]
        if dimension.kind == Kind.MEMBER:
            _locate_members(space, first, count, request, point)
            continue
        place = _place(space, dimension, request)
        if place is None:
            return None
        point[first] = place
    return point


def _place(space: Space, dimension: Dimension, request: Request) -> int | None:
    if dimension.kind == Kind.ACTION:
        return _place_of_action(space, request.action.lower())
    if dimension.kind == Kind.RESOURCE:
        return _by_signature(dimension, _signature(dimension, request.resource))
    if dimension.kind == Kind.RELATION:
        return None
    values = request.context.get(dimension.key, ())
    if not values:
        return None if dimension.always_sent else 0
    return _by_signature(dimension, _signature_of_value(dimension, values[0])) if len(values) == 1 else None


def _locate_members(space: Space, first: int, count: int, request: Request, point: list[int]) -> None:
    dimension = space.dimensions[first]
    present = {_signature(dimension, value) for value in request.context.get(dimension.key, ()) if value}
    for index in range(first, first + count):
        point[index] = int(space.dimensions[index].points[1].signature in present)


def _place_of_action(space: Space, action: str) -> int | None:
    service, _, name = action.partition(":")
    first, classes = space.actions.services.get(service, space.actions.others)
    text = name if service in space.actions.services else action
    signature = sum(_matches(pattern, text) << bit for bit, pattern in enumerate(classes.patterns))
    return next((first + number for number, one in enumerate(classes.points) if one.signature == signature), None)


def _matches(globs: frozenset[Glob], text: str) -> bool:
    return Atom(globs, "").matches(text)


def _by_signature(dimension: Dimension, signature: int | None) -> int | None:
    if signature is None:
        return None
    return next(
        (
            number
            for number, point in enumerate(dimension.points)
            if point.value is not None and point.signature == signature
        ),
        None,
    )


def _signature(dimension: Dimension, text: str) -> int:
    return sum(term.matches(text) << bit for bit, term in enumerate(dimension.terms) if isinstance(term, Atom))


def _signature_of_value(dimension: Dimension, text: str) -> int | None:
    if dimension.family == "principal":
        return _signature_of_principal(dimension, text)
    if dimension.family == "bool":
        truth = parse_boolean(text)
        return None if truth is None else _signature(dimension, str(truth).lower())
    if dimension.family == "string":
        return _signature(dimension, text)
    value = place_of(dimension.family, text)
    if value is None:
        return None
    return sum(term.holds(value) << bit for bit, term in enumerate(dimension.terms) if isinstance(term, Interval))


def _signature_of_principal(dimension: Dimension, arn: str) -> int | None:
    fields: Sequence[str] = arn.split(":", 5)
    if len(fields) < 6 or fields[2] not in ("iam", "sts"):
        return None
    tail = fields[5]
    return sum(
        _matches(term.iam if fields[2] == "iam" else term.sts, tail) << bit
        for bit, term in enumerate(dimension.terms)
        if isinstance(term, PrincipalTerm)
    )
