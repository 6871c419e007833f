"""
Where one request lies among all of them.
"""

from __future__ import annotations

from rooftree.permissions.dimension import Dimension, Kind
from rooftree.permissions.glob import Atom, Glob
from rooftree.permissions.interval import Interval, place_of
from rooftree.permissions.language import mask_of
from rooftree.permissions.predicate import PrincipalTerm
from rooftree.permissions.space import Space
from rooftree.policy.request import Request

__all__ = ["locate"]


def locate(space: Space, request: Request) -> list[int] | None:
    """
    Return the point of each dimension at which a request lies.

    ``None`` for a request that is none of those looked at: of a principal that is not bound, or of another account, with
    a value that the key never has, with several values of a key that holds one; and where policy variables relate keys.
    """
    point = [0] * len(space.dimensions)
    for first, count in space.places():
        dimension = space.dimensions[first]
        if dimension.kind == Kind.MEMBER:
            if "" in request.context.get(dimension.key, ()):
                return None
            _locate_members(space, first, count, request, point)
            continue
        place = _place(space, dimension, request)
        if place is None:
            return None
        point[first] = place
    return point


def _place(space: Space, dimension: Dimension, request: Request) -> int | None:
    match dimension.kind:
        case Kind.ACTION:
            return _place_of_action(space, request.action.lower())
        case Kind.RESOURCE:
            return _by_signature(dimension, dimension.signature(request.resource))
        case Kind.RELATION:
            return None
    values = request.context.get(dimension.key, ())
    if not values:
        return None if dimension.always_sent else 0
    if len(values) > 1:
        return None
    return _by_signature(dimension, _signature_of_value(dimension, values[0], request, space.side.partition))


def _locate_members(space: Space, first: int, count: int, request: Request, point: list[int]) -> None:
    dimension = space.dimensions[first]
    present = {dimension.signature(value) for value in request.context.get(dimension.key, ())}
    for index in range(first, first + count):
        point[index] = int(space.dimensions[index].points[1].signature in present)


def _place_of_action(space: Space, action: str) -> int | None:
    service, colon, name = action.partition(":")
    if not colon:
        return None
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


def _signature_of_value(dimension: Dimension, text: str, request: Request, partition: str) -> int | None:
    match dimension.family:
        case "principal":
            return _signature_of_principal(dimension, text, request, partition)
        case "bool":
            # another spelling is the same to Bool, and not to an operator that compares texts
            return dimension.signature(text) if text in ("true", "false") else None
        case "string":
            return dimension.signature(text)
        case family:
            value = place_of(family, text)
    if value is None:
        return None
    return mask_of(bit for bit, term in enumerate(dimension.terms) if isinstance(term, Interval) and term.holds(value))


def _signature_of_principal(dimension: Dimension, arn: str, request: Request, partition: str) -> int | None:
    match arn.split(":", 5):
        case ["arn", named, "iam" | "sts" as service, "", account_id, tail] if named == partition and _is_of(
            request, account_id
        ):
            return mask_of(
                bit
                for bit, term in enumerate(dimension.terms)
                if isinstance(term, PrincipalTerm) and _matches(term.iam if service == "iam" else term.sts, tail)
            )
        case _:
            return None


def _is_of(request: Request, account_id: str) -> bool:
    return request.context.get("aws:principalaccount") == (account_id,)
