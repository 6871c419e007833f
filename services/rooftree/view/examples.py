"""
Witnesses that have served principals before, to be tried on others of the same shape.

Many roles differ only in the resources that they are allowed. A request that shows what one of them loses shows it for
the next, with the next one's resource in it. Whether it really does is for the full evaluation to say.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from rooftree.policy.model import Effect, PolicyDocument
from rooftree.view.standing import Holdings

__all__ = ["Examples"]

MOST_TRIED: Final = 4
"""Examples of one shape that are kept and tried."""

_Place = tuple[int, int, int]
"""The policy, the statement in it and the resource in that."""


@dataclass(frozen=True, slots=True)
class _Example:
    """
    A witness, and which resource of the principal's own policies stands in it; None if it does not matter which.
    """

    witness: Mapping[str, Any]
    place: _Place | None
    fillings: tuple[str, ...]


class Examples:
    """
    Witnesses by the shape of the holdings that they served.
    """

    def __init__(self) -> None:
        self._found: defaultdict[Hashable, list[_Example]] = defaultdict(list)

    def of(self, surroundings: Hashable, holdings: Holdings) -> Iterator[Mapping[str, Any]]:
        """
        Yield requests that may show what somebody with *holdings* loses or gains.

        Args:
            surroundings: What else must be equal for an example to be worth trying.
            holdings: The policies.
        """
        for example in self._found.get((surroundings, _shape_of(holdings)), ()):
            if example.place is None:
                yield example.witness
            elif (resource := _filled(_pattern(holdings, example.place), example.fillings)) is not None:
                yield {**example.witness, "resource": resource}

    def learn(self, surroundings: Hashable, holdings: Holdings, witness: Mapping[str, Any]) -> None:
        """
        Remember a request that shows what somebody with *holdings* loses or gains.
        """
        known = self._found[surroundings, _shape_of(holdings)]
        if len(known) < MOST_TRIED:
            place, fillings = _source(holdings, str(witness["resource"]))
            known.append(_Example(witness, place, fillings))


def _shape_of(holdings: Holdings) -> Hashable:
    return (
        tuple(_shape(policy.document) for policy in holdings.identity),
        None if holdings.boundary is None else tuple(policy.document.digest for policy in holdings.boundary),
    )


@lru_cache(maxsize=4096)
def _shape(document: PolicyDocument) -> Hashable:
    """
    Return what is left of a policy without the names of its resources.
    """
    return hash(
        tuple(
            (
                *(str(statement.effect), statement.actions, statement.not_actions, statement.conditions),
                tuple(len(_wildcards(resource)) if resource != "*" else -1 for resource in statement.resources or ()),
                statement.not_resources,
            )
            for statement in document.statements
        )
    )


def _source(holdings: Holdings, resource: str) -> tuple[_Place | None, tuple[str, ...]]:
    """
    Return where the resource of a witness comes from, and what its wildcards stand for.
    """
    for number, policy in enumerate(holdings.identity):
        for statement in policy.document.statements:
            if statement.effect is not Effect.ALLOW:
                continue
            for index, pattern in enumerate(statement.resources or ()):
                if pattern != "*" and (match := _expression(pattern).fullmatch(resource)):
                    return (number, statement.index, index), match.groups()
    return None, ()


def _pattern(holdings: Holdings, place: _Place) -> str:
    policy, statement, resource = place
    return (holdings.identity[policy].document.statements[statement].resources or ())[resource]


def _filled(pattern: str, fillings: tuple[str, ...]) -> str | None:
    pieces = re.split(r"[*?]", pattern)
    if len(pieces) != len(fillings) + 1:
        return None
    return "".join(text for pair in zip(pieces, (*fillings, ""), strict=True) for text in pair)


def _wildcards(pattern: str) -> list[str]:
    return re.findall(r"[*?]", pattern)


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"([*?])", pattern)
    return re.compile("".join({"*": "(.*?)", "?": "(.)"}.get(part, re.escape(part)) for part in parts), re.DOTALL)
