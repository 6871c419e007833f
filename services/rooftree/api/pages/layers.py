"""
What decides an action, from the mildest to the strictest: nothing, who asks, the region, the rest of the request,
or its name alone.

Most accounts are locked to some regions, so nearly every action of theirs is conditional; what it depends on tells
such accounts apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rooftree.api.pages.limits import Case, ConditionalGroup, conditional_groups

__all__ = ["LAYERS", "Layer", "Layers", "layers_of"]

LAYERS: Final = (
    ("allowed", "Allowed", "whatever the request"),
    ("principal", "Depends on who asks", "allowed to some principals only"),
    ("region", "Depends on the region", "and possibly on who asks"),
    ("request", "Depends on the request", "its resource, tags or other conditions"),
    ("denied", "Denied", "whatever the request"),
)
"""Of each its name, what it is called, and what is meant by it, in the order in which they are drawn."""

REGION: Final = "aws:requestedregion"
PRINCIPAL: Final = ("aws:principal", "aws:userid", "aws:username")
"""How AWS's keys about the principal begin: "AWS global condition context keys", properties of the principal."""


@dataclass(frozen=True, slots=True)
class Layer:
    """
    The known actions that are decided in one way.

    Attributes:
        example: The condition that most of them are under; empty where they are under none.
    """

    name: str
    title: str
    note: str
    count: int
    example: str


@dataclass(frozen=True, slots=True)
class Layers:
    """
    All known actions, one layer after the other; empty where the policies are too tangled to be told.
    """

    parts: Sequence[Layer]

    @property
    def total(self) -> int:
        """
        How many actions there are.
        """
        return sum(part.count for part in self.parts)

    @property
    def words(self) -> str:
        """
        The counts in words.
        """
        told = ", ".join(f"{part.count:,} {_SHORT[part.name]}" for part in self.parts if part.count)
        return told.replace(" on ", " depend on ", 1) or "too tangled to be counted"


_ORDER: Final = [name for name, _, _ in LAYERS]
_SHORT: Final = {
    "allowed": "allowed",
    "principal": "on who asks",
    "region": "on the region",
    "request": "on the request",
    "denied": "denied",
}


def layers_of(summary: Mapping[str, object]) -> Layers:
    """
    Return the layers of maximum permissions.
    """
    counts = dict.fromkeys((name for name, _, _ in LAYERS), 0)
    examples: dict[str, str] = {}
    counts["allowed"], counts["denied"] = (_count(summary.get(name)) for name in ("allowed", "denied"))
    for group in conditional_groups(summary):
        name, example = _layer(group)
        counts[name] += group.count
        examples.setdefault(name, example)
    return Layers([Layer(name, title, note, counts[name], examples.get(name, "")) for name, title, note in LAYERS])


def _layer(group: ConditionalGroup) -> tuple[str, str]:
    """
    Return the layer of actions that depend on more than their name, and the case that puts them there.
    """
    found = [(_depends_on(case), case.words) for case in group.cases]
    return max(found, key=lambda one: _ORDER.index(one[0]), default=("request", ""))


def _depends_on(case: Case) -> str:
    others = {key for key in case.keys if not key.startswith(PRINCIPAL)}
    if case.of_resources or others - {REGION} or not case.keys:
        return "request"
    return "region" if others else "principal"


def _count(group: object) -> int:
    known = group.get("known_actions") if isinstance(group, Mapping) else None
    count = known.get("count") if isinstance(known, Mapping) else 0
    return count if isinstance(count, int) else 0
