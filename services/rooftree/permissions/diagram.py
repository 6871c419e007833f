"""
Reduced ordered decision diagrams over dimensions with finitely many points.

A node asks in which part of a dimension a request lies; its edges carry sets of points as bit masks. Equal
functions over the same dimensions are the same node, so comparing two functions is comparing two numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from rooftree.permissions.bounds import MAX_NODES, MAX_STEPS, TooComplexError

__all__ = ["FALSE", "TRUE", "Box", "Diagrams", "Node"]

Node = int
Box = tuple[int, ...]
"""For each dimension, in order, the mask of the points inside."""

FALSE: Final[Node] = 0
TRUE: Final[Node] = 1


class _Inner(NamedTuple):
    dimension: int
    edges: tuple[tuple[int, Node], ...]


class Diagrams:
    """
    All diagrams over one list of dimensions.

    Whatever makes a new diagram raises `TooComplexError` once the bounds of one space are reached.

    Attributes:
        full: For each dimension, the mask of all of its points.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.full: Final = tuple((1 << size) - 1 for size in sizes)
        terminal = _Inner(len(sizes), ())
        self._nodes: list[_Inner] = [terminal, terminal]
        self._unique: dict[_Inner, Node] = {}
        self._both: dict[tuple[Node, Node], Node] = {}
        self._either: dict[tuple[Node, Node], Node] = {}
        self._without: dict[tuple[Node, Node], Node] = {}
        self._restricted: dict[tuple[Node, int, int], Node] = {}
        self._steps = 0

    def __len__(self) -> int:
        return len(self._nodes)

    def literal(self, dimension: int, mask: int) -> Node:
        """
        Return the function that holds where the point of *dimension* lies in *mask*.
        """
        return self._node(dimension, [(mask, TRUE), (self.full[dimension] & ~mask, FALSE)])

    def box(self, masks: Box) -> Node:
        """
        Return the function that holds inside *masks*.
        """
        node = TRUE
        for dimension in reversed(range(len(masks))):
            node = self._node(dimension, [(masks[dimension], node), (self.full[dimension] & ~masks[dimension], FALSE)])
        return node

    def both(self, left: Node, right: Node) -> Node:
        """
        Return the conjunction.
        """
        if right in (left, TRUE):
            return left
        if left == TRUE:
            return right
        if FALSE in (left, right):
            return FALSE
        key = (left, right) if left < right else (right, left)
        found = self._both.get(key)
        if found is None:
            found = self._both[key] = self._apply(left, right, self.both)
        return found

    def without(self, left: Node, right: Node) -> Node:
        """
        Return what holds in *left* and not in *right*.
        """
        if left in (right, FALSE) or right == TRUE:
            return FALSE
        if right == FALSE:
            return left
        key = (left, right)
        found = self._without.get(key)
        if found is None:
            found = self._without[key] = self._apply(left, right, self.without)
        return found

    def negation(self, node: Node) -> Node:
        """
        Return the complement.
        """
        return self.without(TRUE, node)

    def either(self, left: Node, right: Node) -> Node:
        """
        Return the disjunction.
        """
        if left in (right, FALSE) or right == TRUE:
            return right
        if right == FALSE or left == TRUE:
            return left
        key = (left, right) if left < right else (right, left)
        found = self._either.get(key)
        if found is None:
            found = self._either[key] = self._apply(left, right, self.either)
        return found

    def all_of(self, nodes: Iterable[Node]) -> Node:
        """
        Return the conjunction of all, ``TRUE`` for none.
        """
        return self._fold(sorted(set(nodes)), self.both, TRUE)

    def any_of(self, nodes: Iterable[Node]) -> Node:
        """
        Return the disjunction of all, ``FALSE`` for none.
        """
        return self._fold(sorted(set(nodes)), self.either, FALSE)

    def contains(self, node: Node, box: Box) -> bool:
        """
        Tell whether the function holds everywhere inside *box*.
        """
        return self._contains(node, box, {})

    def extent(self, node: Node, box: Box, dimension: int) -> int:
        """
        Return the points of *dimension* for which *box*, cut down to that point, lies inside the function.
        """
        return self._extent(node, box, dimension, {}, {})

    def extent_of(self, node: Node) -> int:
        """
        Return the points of the first dimension at which the function holds somewhere.
        """
        if node in (FALSE, TRUE) or self._nodes[node].dimension != 0:
            return 0 if node == FALSE else self.full[0]
        return sum(mask for mask, child in self._nodes[node].edges if child != FALSE)

    def a_box(self, node: Node) -> Box | None:
        """
        Return one box inside the function, along the first path; ``None`` if it never holds.
        """
        if node == FALSE:
            return None
        masks = list(self.full)
        while node != TRUE:
            dimension, edges = self._nodes[node]
            mask, node = next((mask, child) for mask, child in edges if child != FALSE)
            masks[dimension] = mask
        return tuple(masks)

    def at(self, node: Node, point: Sequence[int]) -> bool:
        """
        Tell whether the function holds at a point, given by its index in each dimension.
        """
        while node not in (FALSE, TRUE):
            dimension, edges = self._nodes[node]
            node = next(child for mask, child in edges if mask >> point[dimension] & 1)
        return node == TRUE

    def support(self, node: Node) -> set[int]:
        """
        Return the dimensions that the function depends on.
        """
        return {dimension for dimension, _edges in self._reachable(node)}

    def restricted(self, node: Node, dimension: int, point: int) -> Node:
        """
        Return what is left of the function once the point of *dimension* is fixed.
        """
        own, edges = self._nodes[node]
        if own > dimension:
            return node
        if own == dimension:
            return next(child for mask, child in edges if mask >> point & 1)
        key = (node, dimension, point)
        found = self._restricted.get(key)
        if found is None:
            made = [(mask, self.restricted(child, dimension, point)) for mask, child in edges]
            found = self._restricted[key] = self._node(own, made)
        return found

    def told_apart(self, node: Node, dimension: int) -> list[int]:
        """
        Return, for each point of *dimension*, the number of its part: the function treats those of one part alike.
        """
        parts = [self.full[dimension]]
        for own, edges in self._reachable(node):
            if own == dimension:
                parts = [part & mask for part in parts for mask, _child in edges if part & mask]
        numbers = [0] * self.full[dimension].bit_length()
        # numbered by their first points
        for number, part in enumerate(sorted(parts, key=lambda part: part & -part)):
            for point in range(len(numbers)):
                if part >> point & 1:
                    numbers[point] = number
        return numbers

    def edges(self, node: Node) -> tuple[int, tuple[tuple[int, Node], ...]]:
        """
        Return the dimension that a node asks for and its edges.
        """
        return self._nodes[node]

    def _reachable(self, node: Node) -> list[_Inner]:
        found: dict[Node, _Inner] = {}
        stack = [node]
        while stack:
            current = stack.pop()
            if current not in (FALSE, TRUE) and current not in found:
                found[current] = self._nodes[current]
                stack.extend(child for _mask, child in found[current].edges)
        return list(found.values())

    def _node(self, dimension: int, edges: Iterable[tuple[int, Node]]) -> Node:
        """
        INVARIANT: edges with one child are one edge, in order of mask, and a node with one edge is that child.
        """
        merged: dict[Node, int] = {}
        for mask, child in edges:
            if mask:
                merged[child] = merged.get(child, 0) | mask
        if len(merged) == 1:
            return next(iter(merged))
        inner = _Inner(dimension, tuple(sorted((mask, child) for child, mask in merged.items())))
        found = self._unique.get(inner)
        if found is None:
            if len(self._nodes) > MAX_NODES:
                raise TooComplexError
            found = self._unique[inner] = len(self._nodes)
            self._nodes.append(inner)
        return found

    def _apply(self, left: Node, right: Node, operation: Callable[[Node, Node], Node]) -> Node:
        left_dimension, left_edges = self._nodes[left]
        right_dimension, right_edges = self._nodes[right]
        self._steps += len(left_edges) * len(right_edges)
        if self._steps > MAX_STEPS:
            raise TooComplexError
        if left_dimension < right_dimension:
            return self._node(left_dimension, [(mask, operation(child, right)) for mask, child in left_edges])
        if right_dimension < left_dimension:
            return self._node(right_dimension, [(mask, operation(left, child)) for mask, child in right_edges])
        return self._node(
            left_dimension,
            [
                (common, operation(left_child, right_child))
                for left_mask, left_child in left_edges
                for right_mask, right_child in right_edges
                if (common := left_mask & right_mask)
            ],
        )

    @staticmethod
    def _fold(nodes: list[Node], operation: Callable[[Node, Node], Node], neutral: Node) -> Node:
        """
        Combine in pairs, so that intermediate results stay small.
        """
        while len(nodes) > 1:
            paired = [operation(nodes[i], nodes[i + 1]) for i in range(0, len(nodes) - 1, 2)]
            nodes = paired + nodes[len(paired) * 2 :]
        return nodes[0] if nodes else neutral

    def _contains(self, node: Node, box: Box, memo: dict[Node, bool]) -> bool:
        if node in (FALSE, TRUE):
            return node == TRUE
        found = memo.get(node)
        if found is None:
            dimension, edges = self._nodes[node]
            found = all(self._contains(child, box, memo) for mask, child in edges if mask & box[dimension])
            memo[node] = found
        return found

    def _extent(self, node: Node, box: Box, dimension: int, memo: dict[Node, int], contained: dict[Node, bool]) -> int:
        own, edges = self._nodes[node]
        if own > dimension:
            return self.full[dimension] if self._contains(node, box, contained) else 0
        if own == dimension:
            points = 0
            for mask, child in edges:
                if self._contains(child, box, contained):
                    points |= mask
            return points
        found = memo.get(node)
        if found is None:
            found = self.full[dimension]
            for mask, child in edges:
                if mask & box[own]:
                    found &= self._extent(child, box, dimension, memo, contained)
            memo[node] = found
        return found
