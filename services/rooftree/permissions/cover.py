"""
From a diagram to a few boxes that people can read: as wide as they can be, and no more than are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rooftree.permissions.diagram import FALSE, Box, Diagrams, Node

__all__ = ["Cover", "cover", "widened"]

MAX_BOXES: Final = 100
"""More than anybody reads; a function that takes more is told in part."""


@dataclass(frozen=True, slots=True)
class Cover:
    """
    Boxes inside a function, and what of it they leave over.
    """

    boxes: tuple[Box, ...]
    rest: Node


def cover(diagrams: Diagrams, node: Node, impossible: Node = FALSE, *, most: int = MAX_BOXES) -> Cover:
    """
    Return boxes inside the function, each wide in its conditions and none needless.

    Unless there would be more than *most*, nothing is left over: together they are exactly the function. Points that
    are *impossible* may lie inside or outside. Boxes may overlap in resources and conditions; the actions of a box are
    only those that no other covers.
    """
    chosen: list[Box] = []
    rest, bound = node, diagrams.either(node, impossible)
    while rest != FALSE and len(chosen) < most:
        box = diagrams.a_box(rest)
        assert box is not None
        box = widened(diagrams, bound, box)
        chosen.append(box)
        rest = diagrams.without(rest, diagrams.box(box))
    return Cover(tuple(_reduced(diagrams, _needed(diagrams, chosen, impossible), impossible)), rest)


def widened(diagrams: Diagrams, node: Node, box: Box) -> Box:
    """
    Widen a box inside the function: conditions first, then resources, and actions last.
    """
    masks = list(box)
    for dimension in reversed(range(len(masks))):
        masks[dimension] = diagrams.extent(node, tuple(masks), dimension)
    return tuple(masks)


def _needed(diagrams: Diagrams, boxes: list[Box], impossible: Node) -> list[Box]:
    """
    Leave out boxes that the others cover, the narrowest first.
    """
    ordered = sorted(boxes, key=lambda box: _freedom(diagrams, box))
    following = _unions_from(diagrams, [diagrams.box(box) for box in ordered])
    kept: list[Box] = []
    before = impossible
    for index, box in enumerate(ordered):
        if not diagrams.contains(diagrams.either(before, following[index + 1]), box):
            kept.append(box)
            before = diagrams.either(before, diagrams.box(box))
    return kept


def _reduced(diagrams: Diagrams, boxes: list[Box], impossible: Node) -> list[Box]:
    """
    Take from each box the actions for which other boxes say it all, the narrowest first.
    """
    following = _unions_from(diagrams, [diagrams.box(box) for box in boxes])
    reduced: list[Box] = []
    before = impossible
    for index, box in enumerate(boxes):
        covered = diagrams.extent(diagrams.either(before, following[index + 1]), box, 0)
        partly = box[0] & covered and box[0] & ~covered
        reduced.append((box[0] & ~covered, *box[1:]) if partly else box)
        before = diagrams.either(before, diagrams.box(reduced[-1]))
    return reduced


def _unions_from(diagrams: Diagrams, nodes: list[Node]) -> list[Node]:
    """
    Return, for each position and the one past the end, the union of all nodes from there on.
    """
    unions = [FALSE]
    for node in reversed(nodes):
        unions.append(diagrams.either(node, unions[-1]))
    return unions[::-1]


def _freedom(diagrams: Diagrams, box: Box) -> tuple[int, int]:
    """
    Order boxes by how many dimensions they leave open, then by their number of actions.
    """
    open_dimensions = sum(mask == full for mask, full in zip(box[1:], diagrams.full[1:], strict=True))
    return open_dimensions, box[0].bit_count()
