"""
The canonical form of partitions of strings.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.permissions.automaton import Parting, parting_of
from rooftree.permissions.glob import glob_atom
from rooftree.permissions.language import STRING_STARTS, STRINGS, classes_of
from rooftree.policy.variables import Piece

Part = Callable[[tuple[bool, ...]], int]


def _parting(patterns: list[str], part: Part) -> Parting:
    """
    Return the form of the partition that tells for each string, by the patterns that match it, its part.
    """
    atoms = [glob_atom([Piece(pattern)], pattern) for pattern in patterns]
    labels = tuple(
        (found.signature, part(tuple(bool(found.signature >> bit & 1) for bit in range(len(atoms)))))
        for found in classes_of(STRINGS, STRING_STARTS, atoms)
    )
    return parting_of(STRINGS, STRING_STARTS, (tuple(atom.after("") for atom in atoms),), labels, 0)


def _any_of(*patterns: str) -> Parting:
    return _parting(list(patterns), lambda matches: int(any(matches)))


class TestParting:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (["a*"], ["a*", "ab*"]),
            (["a*", "b"], ["b", "a", "a?*"]),
            (["*ab*"], ["*ab*", "ab*", "*ab"]),
            (["?*a"], ["ba", "*?a"]),
            (["*"], ["", "?*"]),
            (["**a**"], ["*a*"]),
        ],
    )
    def test_equal_languages_have_one_form(self, one: list[str], other: list[str]) -> None:
        """
        Unions of patterns that match the same strings are the same partition.
        """
        assert _any_of(*one) == _any_of(*other)

    @pytest.mark.parametrize(("one", "other"), [("a*", "a?*"), ("*a", "a*"), ("a", "A"), ("*ab*", "*a*b*"), ("", "?")])
    def test_languages_that_differ_have_two(self, one: str, other: str) -> None:
        """
        One string that only one of them holds is enough.
        """
        assert _any_of(one) != _any_of(other)

    def test_the_order_of_labels_follows_the_strings(self) -> None:
        """
        Labels are listed as the automaton comes by them, so that equal partitions can be matched part by part.
        """
        there = _parting(["a*"], lambda matches: 7 if matches[0] else 3)
        back = _parting(["a*"], lambda matches: 3 if matches[0] else 7)

        assert there.digest == back.digest
        assert there.labels == tuple(reversed(back.labels))

    @given(
        st.lists(st.text("ab*?", max_size=5), min_size=1, max_size=3),
        st.lists(st.text("ab*?", max_size=5), min_size=1, max_size=3),
        st.integers(0, 255),
        st.integers(0, 255),
    )
    def test_partitions_have_one_form_if_and_only_if_they_are_equal(
        self, one: list[str], other: list[str], one_table: int, other_table: int
    ) -> None:
        """
        On all short strings, equal forms mean equal parts; and parts that differ somewhere mean different forms.
        """

        def part(table: int) -> Part:
            return lambda matches: table >> sum(match << bit for bit, match in enumerate(matches)) & 1

        def parts(patterns: list[str], table: int) -> list[int]:
            atoms = [glob_atom([Piece(pattern)], pattern) for pattern in patterns]
            words = ("".join(letters) for length in range(8) for letters in product("abz", repeat=length))
            return [part(table)(tuple(atom.matches(word) for atom in atoms)) for word in words]

        first, second = _parting(one, part(one_table)), _parting(other, part(other_table))
        equal = (first.digest, first.labels) == (second.digest, second.labels)

        # patterns of five characters each are told apart by words of seven
        assert equal == (parts(one, one_table) == parts(other, other_table))
