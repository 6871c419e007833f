from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from rooftree.policy.context import Context
from rooftree.policy.patterns import action_matches, arn_matches, compile_glob, complete_arn
from rooftree.policy.variables import Piece, parse_template, resolve_template

PATTERNS = st.text("ab:*?", max_size=9)
TEXTS = st.text("abx:*", max_size=9)


def reference(pattern: str, text: str) -> bool:
    """
    Match a glob as its definition reads: slow, and plainly right.
    """
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(reference(pattern[1:], text[skipped:]) for skipped in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and reference(pattern[1:], text[1:])


@given(PATTERNS, TEXTS)
def test_a_glob_matches_what_its_definition_says(pattern: str, text: str) -> None:
    """
    The matcher by chunks agrees with the plain recursion.
    """
    assert reference(pattern, text) is compile_glob((Piece(pattern),)).matches(text)


@given(st.text("a.b*?[]^$\\\n", max_size=8), st.text("a.bc[]^$\\\n", max_size=8))
def test_a_glob_matches_what_its_regular_expression_does(pattern: str, text: str) -> None:
    """
    Characters that are special elsewhere are plain here.
    """
    expression = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)

    assert (re.fullmatch(expression, text, re.DOTALL) is not None) is compile_glob((Piece(pattern),)).matches(text)


@given(TEXTS)
def test_literal_text_matches_itself_alone(text: str) -> None:
    """
    Wildcards in it are plain characters.
    """
    glob = compile_glob((Piece(text, literal=True),))

    assert glob.matches(text)
    assert not glob.matches(text + "a")
    assert text == text.replace("*", "x") or not glob.matches(text.replace("*", "x"))


@given(PATTERNS, TEXTS)
def test_the_case_of_actions_does_not_matter(pattern: str, action: str) -> None:
    """
    Upper and lower case of either side give the same answer.
    """
    assert (
        action_matches(pattern, action)
        is action_matches(pattern.upper(), action)
        is action_matches(pattern, action.upper())
    )


@given(st.text("a:*?", max_size=14), st.text("ab:", max_size=14))
def test_an_arn_pattern_matches_field_by_field(pattern: str, value: str) -> None:
    """
    Both sides are parted at the first five colons, and each field is a glob.
    """
    patterns, fields = pattern.split(":", 5), value.split(":", 5)
    expected = pattern == "*" or (len(patterns) == len(fields) == 6 and all(map(reference, patterns, fields)))

    assert expected is arn_matches((Piece(pattern),), value)


@given(PATTERNS, TEXTS)
def test_what_an_arn_pattern_matches_its_glob_matches_too(pattern: str, value: str) -> None:
    """
    Comparing by fields only narrows.
    """
    assert not arn_matches((Piece(pattern),), value) or compile_glob((Piece(pattern),)).matches(value)


@given(PATTERNS)
def test_a_completed_arn_is_complete(pattern: str) -> None:
    """
    Completing once is enough, and gives six fields to all but stars.
    """
    completed = complete_arn(pattern)

    assert completed == complete_arn(completed)
    assert completed.count(":") >= 5 or not pattern.strip("*")


@given(st.lists(st.sampled_from(["a", "*", "?", "${*}", "${aws:x}", "${aws:y, 'b*'}", "$", "{", "}"])), TEXTS)
def test_a_template_without_missing_values_always_resolves(parts: list[str], value: str) -> None:
    """
    What the variables stand for is literal, and the rest is kept in order.
    """
    # a dollar and a brace side by side begin a variable that has no value
    assume(("$", "{") not in pairwise(parts))
    pieces = resolve_template(parse_template("".join(parts), variables=True), Context({"aws:x": (value,)}))
    spelled = {"${*}": "*", "${aws:x}": value, "${aws:y, 'b*'}": "b*"}

    assert pieces is not None
    assert "".join(spelled.get(part, part) for part in parts) == "".join(piece.text for piece in pieces)
    assert compile_glob(pieces).matches("".join(piece.text for piece in pieces))
