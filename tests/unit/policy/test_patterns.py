from __future__ import annotations

import re

import pytest

from rooftree.policy.patterns import Glob, action_matches, arn_matches, compile_glob, complete_arn
from rooftree.policy.variables import Piece


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("", "", True),
        ("", "a", False),
        ("*", "", True),
        ("*", "a\nb", True),
        ("**", "abc", True),
        ("?", "", False),
        ("?", "\n", True),
        ("a*", "a", True),
        ("*a", "ba", True),
        ("*a", "ab", False),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("?*?", "a", False),
        ("?*?", "ab", True),
        ("*ab*ba*", "aba", False),
        ("*ab*ba*", "abba", True),
        ("*a?b*", "xaab", True),
        ("a.c", "abc", False),
        ("[a]", "a", False),
        ("A", "a", False),
    ],
)
def test_a_star_is_any_run_and_a_question_mark_one_character(pattern: str, text: str, *, expected: bool) -> None:
    """
    Nothing else in a pattern is special, and the whole text must fit.
    """
    assert expected is compile_glob((Piece(pattern),)).matches(text)


def test_a_pattern_made_to_be_slow_is_not() -> None:
    """
    Of many stars on a long text that almost fits, what stands between two of them is looked for once.
    """

    class Counted:
        asked = 0

        def __init__(self, chunk: re.Pattern[str]) -> None:
            self._chunk = chunk

        def search(self, text: str, begin: int) -> re.Match[str] | None:
            Counted.asked += 1
            return self._chunk.search(text, begin)

    glob = Glob([(char, char in "*?") for char in "*a" * 60 + "?b"])
    glob._middle = tuple(Counted(chunk) for chunk in glob._middle)  # type: ignore[misc]

    assert not glob.matches("a" * 20_000)
    assert 1 <= Counted.asked <= 60


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("*", "s3:GetObject", True),
        ("s3:*", "S3:getobject", True),
        ("S3:GETOBJECT", "s3:GetObject", True),
        ("s3:Get?bject", "s3:GetObject", True),
        ("s3:*Object", "s3:GetObject", True),
        ("*:Get*", "s3:GetObject", True),
        ("s3:Get", "s3:GetObject", False),
        ("s3", "s3:GetObject", False),
    ],
)
def test_actions_match_without_regard_to_case(pattern: str, action: str, *, expected: bool) -> None:
    """
    Wildcards may stand anywhere in an action.
    """
    assert expected is action_matches(pattern, action)


@pytest.mark.parametrize(
    ("pattern", "resource", "expected"),
    [
        ("*", "*", True),
        ("*", "arn:aws:s3:::b/k", True),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/k/l", True),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/", True),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::B/k", False),
        ("arn:aws:s3:::b*", "*", False),
        ("arn:aws:sqs:*", "arn:aws:sqs:eu-west-1:222222222222:q", True),
        ("arn:aws:sqs", "arn:aws:sqs:eu-west-1:222222222222:q", True),
        ("arn:aws:sqs:eu-west-1", "arn:aws:sqs:us-east-1:222222222222:q", False),
        ("arn:aws:iam::*:role/Admin", "arn:aws:iam::222222222222:role/Admin", True),
        ("arn:aws:iam::*:role/Admin", "arn:aws:iam::222222222222:role/x:role/Admin", True),
        ("arn:*:role/Admin", "arn:aws:iam::222222222222:role/Admin", False),
    ],
)
def test_resources_match_as_one_glob_with_regard_to_case(pattern: str, resource: str, *, expected: bool) -> None:
    """
    A star runs over slashes and colons, and an ARN that lacks fields is completed.
    """
    assert expected is compile_glob((Piece(complete_arn(pattern)),)).matches(resource)


@pytest.mark.parametrize(
    ("pattern", "completed"),
    [
        ("*", "*"),
        ("**", "**"),
        ("arn", "arn:*:*:*:*:*"),
        ("arn:aws:sqs", "arn:aws:sqs:*:*:*"),
        ("arn:aws:s3:::b", "arn:aws:s3:::b"),
        ("arn:aws:logs:::log-group:x:*", "arn:aws:logs:::log-group:x:*"),
    ],
)
def test_an_arn_that_lacks_fields_gets_stars_for_them(pattern: str, completed: str) -> None:
    """
    Six fields make an ARN; what stands for all resources is left alone.
    """
    assert completed == complete_arn(pattern)


def test_colons_of_a_variable_are_no_fields() -> None:
    """
    The colon in the name of a key does not end a field of an ARN.
    """
    assert "arn:aws:${aws:x}:*:*:*" == complete_arn("arn:aws:${aws:x}", variables=True)
    assert "arn:aws:${aws:x}:*:*" == complete_arn("arn:aws:${aws:x}")


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("arn:aws:iam::*:role/*", "arn:aws:iam::222222222222:role/a/b", True),
        ("arn:aws:iam::*:role/*", "arn:aws:iam:x:222222222222:role/a", False),
        ("arn:aws:iam::*", "arn:aws:iam::222222222222:role/a", False),
        ("arn:*", "arn:aws:iam::222222222222:role/a", False),
        ("arn:aws:*:*:*:*", "arn:aws:logs:r:2:log-group:x:*", True),
        ("arn:aws:logs:*:*:log-group:*:?", "arn:aws:logs:r:2:log-group:x:y:z", True),
        ("arn:aws:iam::?:role/A", "arn:aws:iam::2:role/a", False),
        ("*", "arn:aws:iam::2:role/a", True),
        ("*", "no ARN", True),
        ("*", "", True),
        ("**", "no ARN", False),
        ("*:*:*:*:*:*", "no ARN", False),
    ],
)
def test_an_arn_operator_compares_six_fields(pattern: str, value: str, *, expected: bool) -> None:
    """
    A star stays within its field, save in the last, which holds the rest; a lone star stands for anything.
    """
    assert expected is arn_matches((Piece(pattern),), value)


def test_literal_characters_of_an_arn_pattern_are_no_wildcards() -> None:
    """
    What a variable filled in matches itself alone, though its colons part fields.
    """
    pieces = (Piece("arn:aws:iam::"), Piece("2:role/*", literal=True))

    assert arn_matches(pieces, "arn:aws:iam::2:role/*")
    assert not arn_matches(pieces, "arn:aws:iam::2:role/a")
    assert not arn_matches((Piece("*", literal=True),), "x")
