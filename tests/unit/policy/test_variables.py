from __future__ import annotations

import pytest

from rooftree.policy.context import Context
from rooftree.policy.variables import Piece, Variable, parse_template, resolve_template, without_variables


def test_a_variable_stands_between_the_texts_around_it() -> None:
    """
    A pattern is taken apart into what is known and what a request fills in.
    """
    template = parse_template("home/${aws:username}/*", variables=True)

    assert (Piece("home/"), Variable("aws:username"), Piece("/*")) == template


@pytest.mark.parametrize("char", ["*", "?", "$"])
def test_a_special_character_in_braces_is_itself(char: str) -> None:
    """
    ``${*}``, ``${?}`` and ``${$}`` stand for plain characters.
    """
    assert (Piece("a"), Piece(char, literal=True)) == parse_template(f"a${{{char}}}", variables=True)


def test_a_default_stands_in_single_quotes() -> None:
    """
    The text in quotes is what a request without the key gets.
    """
    template = parse_template("${aws:PrincipalTag/cost center, 'company-wide'}", variables=True)

    assert (Variable("aws:PrincipalTag/cost center", "company-wide"),) == template


def test_before_2012_variables_are_plain_text() -> None:
    """
    The old language knows no variables.
    """
    assert (Piece("${aws:username}"),) == parse_template("${aws:username}", variables=False)


@pytest.mark.parametrize("text", ["${", "${}", "$aws:username", "${aws:username", "${a{b}}", "{aws:username}"])
def test_what_only_looks_like_a_variable_is_plain_text(text: str) -> None:
    """
    A part that is no variable is kept as it is.
    """
    assert text == "".join(part.text for part in parse_template(text, variables=True) if isinstance(part, Piece))


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"AWS:Username": "al*ce"}, (Piece("u/"), Piece("al*ce", literal=True))),
        ({"aws:username": ""}, (Piece("u/"), Piece("", literal=True))),
        ({}, None),
        ({"aws:username": ["a", "b"]}, None),
    ],
)
def test_a_request_fills_in_one_value_as_plain_characters(
    context: dict[str, object], expected: tuple[Piece, ...] | None
) -> None:
    """
    The case of the key does not matter; no value, or several, leave the pattern without meaning.
    """
    assert expected == resolve_template(parse_template("u/${aws:username}", variables=True), Context.from_json(context))


def test_the_default_stands_in_for_a_missing_value_only() -> None:
    """
    A value comes before the default.
    """
    template = parse_template("${aws:username, 'nobody'}", variables=True)

    assert (Piece("nobody", literal=True),) == resolve_template(template, Context())
    assert (Piece("alice", literal=True),) == resolve_template(template, Context({"aws:username": ("alice",)}))


def test_a_pattern_can_be_seen_without_its_variables() -> None:
    """
    What is left can be counted and searched.
    """
    assert "arn:aws:s3:::/x" == without_variables("arn:aws:s3:::${aws:username}/x${*}")
