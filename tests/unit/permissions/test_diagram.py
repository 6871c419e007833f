from __future__ import annotations

from itertools import product

import pytest

from rooftree.permissions.cover import cover
from rooftree.permissions.diagram import FALSE, TRUE, Diagrams

SIZES = (3, 2, 4)
POINTS = list(product(*(range(size) for size in SIZES)))


@pytest.fixture
def diagrams() -> Diagrams:
    """
    Diagrams over three small dimensions.
    """
    return Diagrams(SIZES)


def _holds_at(diagrams: Diagrams, node: int) -> set[tuple[int, ...]]:
    return {point for point in POINTS if diagrams.at(node, point)}


class TestDiagrams:
    def test_operations_agree_with_sets_of_points(self, diagrams: Diagrams) -> None:
        """
        Conjunction, disjunction and difference do what they do to the sets of points.
        """
        left = diagrams.either(diagrams.box((0b011, 0b01, 0b1110)), diagrams.literal(2, 0b0001))
        right = diagrams.either(diagrams.box((0b110, 0b11, 0b0111)), diagrams.literal(1, 0b10))
        one, other = _holds_at(diagrams, left), _holds_at(diagrams, right)

        assert one & other == _holds_at(diagrams, diagrams.both(left, right))
        assert one | other == _holds_at(diagrams, diagrams.either(left, right))
        assert one - other == _holds_at(diagrams, diagrams.without(left, right))
        assert set(POINTS) - one == _holds_at(diagrams, diagrams.negation(left))

    def test_equal_functions_are_one_node(self, diagrams: Diagrams) -> None:
        """
        However a function is put together, it is the same number.
        """
        split = diagrams.either(diagrams.box((0b001, 0b11, 0b0011)), diagrams.box((0b001, 0b11, 0b1100)))

        assert diagrams.literal(0, 0b001) == split
        assert diagrams.either(split, diagrams.negation(split)) == TRUE

    def test_the_extent_of_a_box_is_how_far_it_can_grow(self, diagrams: Diagrams) -> None:
        """
        All points of a dimension at which the box still lies inside are found.
        """
        node = diagrams.either(diagrams.box((0b011, 0b11, 0b0001)), diagrams.box((0b111, 0b01, 0b1111)))

        assert diagrams.extent(node, (0b001, 0b11, 0b0001), 0) == 0b011
        assert diagrams.extent(node, (0b001, 0b01, 0b0001), 2) == 0b1111

    def test_nothing_is_in_no_box(self, diagrams: Diagrams) -> None:
        """
        A function that never holds has no box.
        """
        assert diagrams.a_box(FALSE) is None
        assert cover(diagrams, FALSE).boxes == ()


class TestCover:
    def test_a_cover_is_exact(self, diagrams: Diagrams) -> None:
        """
        The boxes of a cover together hold just the points of the function.
        """
        node = diagrams.either(diagrams.box((0b011, 0b01, 0b1110)), diagrams.box((0b110, 0b11, 0b0110)))

        boxes = cover(diagrams, node).boxes

        covered = diagrams.any_of(diagrams.box(box) for box in boxes)
        assert node == covered
        assert len(boxes) == 2

    def test_impossible_points_may_join_two_boxes(self, diagrams: Diagrams) -> None:
        """
        Points that no request has are used where they make the cover simpler.
        """
        node = diagrams.box((0b111, 0b01, 0b1111))
        impossible = diagrams.literal(1, 0b10)

        assert cover(diagrams, node, impossible).boxes == ((0b111, 0b11, 0b1111),)

    def test_a_cover_that_grows_too_long_says_what_it_leaves_over(self, diagrams: Diagrams) -> None:
        """
        Beyond the bound nothing is lost: the boxes and the rest are the function.
        """
        node = diagrams.either(diagrams.box((0b011, 0b01, 0b1110)), diagrams.box((0b110, 0b10, 0b0110)))

        found = cover(diagrams, node, most=1)

        assert len(found.boxes) == 1
        assert found.rest != FALSE
        assert node == diagrams.either(found.rest, diagrams.box(found.boxes[0]))
