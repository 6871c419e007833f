"""
From a diagram to a few boxes that people can read: as wide as they can be, and no more than are needed.
"""

from __future__ import annotations

from rooftree.permissions.diagram import FALSE, Box, Diagrams, Node

__all__ = ["cover"]


def cover(diagrams: Diagrams, node: Node, impossible: Node = FALSE) -> list[Box]:
    """
    Return boxes whose union is exactly the function, each wide in its conditions and none needless.

    Points that are *impossible* may lie inside or outside.

    Boxes may overlap in resources and conditions; the actions of a box are only those that no other covers.
    """
    chosen: list[Box] = []
    rest, bound = node, diagrams.either(node, impossible)
    while rest != FALSE:
        box = diagrams.a_box(rest)
        assert box is not None
        box = _widened(diagrams, bound, box)
        chosen.append(box)
        rest = diagrams.without(rest, diagrams.box(box))
    return _reduced(diagrams, _needed(diagrams, chosen, impossible), impossible)


def _widened(diagrams: Diagrams, node: Node, box: Box) -> Box:
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
    kept = sorted(boxes, key=lambda box: _freedom(diagrams, box))
    for box in list(kept):
        others = diagrams.any_of([impossible, *(diagrams.box(other) for other in kept if other is not box)])
        if diagrams.contains(others, box):
            kept.remove(box)
    return kept


def _reduced(diagrams: Diagrams, boxes: list[Box], impossible: Node) -> list[Box]:
    """
    Take from each box the actions for which other boxes say it all, the narrowest first.
    """
    current = list(boxes)
    for index, box in enumerate(current):
        others = diagrams.any_of([impossible, *(diagrams.box(other) for other in current if other is not box)])
        covered = diagrams.extent(others, box, 0)
        if box[0] & ~covered:
            current[index] = (box[0] & ~covered, *box[1:])
    return current


def _freedom(diagrams: Diagrams, box: Box) -> tuple[int, int]:
    """
    Order boxes by how many dimensions they leave open, then by their number of actions.
    """
    open_dimensions = sum(mask == full for mask, full in zip(box[1:], diagrams.full[1:], strict=True))
    return open_dimensions, box[0].bit_count()
