from __future__ import annotations

from itertools import product

import pytest

from rooftree.permissions.bounds import TooComplexError
from rooftree.permissions.glob import Atom, arn_atom, glob_atom
from rooftree.permissions.language import (
    ACTION_STARTS,
    ACTIONS,
    RESOURCE_STARTS,
    RESOURCES,
    STRING_STARTS,
    STRINGS,
    VALUES,
    classes_of,
)
from rooftree.policy.variables import Piece


def _globs(*patterns: str, lower: bool = False) -> list[Atom]:
    return [glob_atom([Piece(pattern)], pattern, lower=lower) for pattern in patterns]


def _signature(atoms: list[Atom], text: str) -> int:
    return sum(1 << index for index, atom in enumerate(atoms) if atom.matches(text))


class TestStrings:
    @pytest.mark.parametrize(
        "patterns",
        [
            ("a*", "*a", "*a*"),
            ("a?", "?b", "ab"),
            ("*ab*", "*ba*", "a*b", "??"),
            ("a*b*a", "*bb*", "?*?"),
            ("", "*", "a", "aa"),
        ],
    )
    def test_every_combination_that_short_strings_show_is_found(self, patterns: tuple[str, ...]) -> None:
        """
        All strings of up to six characters over a small alphabet fall into a class that was listed.
        """
        atoms = _globs(*patterns)

        listed = {found.signature for found in classes_of(STRINGS, STRING_STARTS, atoms)}

        shown = {_signature(atoms, "".join(text)) for size in range(7) for text in product("abc", repeat=size)}
        assert shown == listed

    @pytest.mark.parametrize(
        "patterns", [("a*", "*a"), ("s3:*", "*:tag*"), ("*a*b*", "*b*a*", "a*b?c", "?*"), ("x", "xx", "x*x")]
    )
    def test_the_witness_of_a_class_lies_in_it(self, patterns: tuple[str, ...]) -> None:
        """
        Each class names a string that just its patterns match.
        """
        atoms = _globs(*patterns)

        for found in classes_of(STRINGS, STRING_STARTS, atoms):
            assert found.signature == _signature(atoms, found.witness)

    def test_one_of_several_values_is_never_empty(self) -> None:
        """
        The empty text is a value of a key with one value, and none of a key with several.
        """
        atoms = _globs("")

        assert [found.signature for found in classes_of(STRINGS, STRING_STARTS, atoms)] == [0, 1]
        assert [found.signature for found in classes_of(VALUES, STRING_STARTS, atoms)] == [0]

    def test_patterns_made_to_be_slow_are_given_up(self) -> None:
        """
        Patterns that double the classes with each wildcard end in an error, not in a hang.
        """
        letters = "abcdefghijklmnopqrst"
        atoms = _globs(*(f"*{one}*{other}*" for one, other in zip(letters, reversed(letters), strict=True)))

        with pytest.raises(TooComplexError):
            classes_of(STRINGS, STRING_STARTS, atoms)


class TestActions:
    def test_a_prefix_covers_all_that_it_begins(self) -> None:
        """
        Whatever matches ``s3:Get*`` matches ``s3:*`` too, so no class lies in the one alone.
        """
        atoms = _globs("s3:get*", "s3:*", lower=True)

        signatures = {found.signature for found in classes_of(ACTIONS, ACTION_STARTS, atoms)}

        assert {0b00, 0b10, 0b11} == signatures

    def test_an_action_has_one_colon(self) -> None:
        """
        A pattern without a service, or with two colons, matches no action.
        """
        atoms = _globs("getobject", "s3:get:object", lower=True)

        assert [found.signature for found in classes_of(ACTIONS, ACTION_STARTS, atoms)] == [0]


class TestResources:
    def test_the_lone_star_is_a_resource_of_its_own(self) -> None:
        """
        A request without a resource has ``*``, which no ARN pattern matches.
        """
        atoms = _globs("arn:*")

        witnesses = {found.signature: found.witness for found in classes_of(RESOURCES, RESOURCE_STARTS, atoms)}

        assert witnesses[0] == "*"
        assert witnesses[1].startswith("arn:")

    def test_an_arn_has_six_fields(self) -> None:
        """
        A pattern that only a shorter text could match lies in no class.
        """
        atoms = _globs("arn:aws:s3")

        assert [found.signature for found in classes_of(RESOURCES, RESOURCE_STARTS, atoms)] == [0]


class TestArnPatterns:
    def test_a_star_does_not_cross_a_field(self) -> None:
        """
        In an ARN operator a star in one of the first five fields stays inside of it.
        """
        pattern = "arn:aws:iam::*:role/x"

        assert arn_atom([Piece(pattern)], pattern).matches("arn:aws:iam::222222222222:role/x")
        assert not arn_atom([Piece(pattern)], pattern).matches("arn:aws:iam::2:2:role/x")
        assert glob_atom([Piece(pattern)], pattern).matches("arn:aws:iam::2:2:role/x")

    def test_the_last_field_holds_further_colons(self) -> None:
        """
        The sixth field is all the rest.
        """
        pattern = "arn:aws:logs:*:*:log-group:*"

        assert arn_atom([Piece(pattern)], pattern).matches("arn:aws:logs:eu-west-1:222222222222:log-group:a:b")
