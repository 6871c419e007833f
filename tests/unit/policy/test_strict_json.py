from __future__ import annotations

import pytest

from rooftree.errors import InputError
from rooftree.policy.strict_json import MAX_NUMBER_LENGTH, check_json, load_json


def refusal(text: str | bytes, *, max_depth: int = 20) -> InputError:
    """
    Return the error that a text is refused with.
    """
    with pytest.raises(InputError) as caught:
        load_json(text, max_depth=max_depth)
    return caught.value


def test_plain_json_comes_back_as_python_values() -> None:
    """
    What two readers understand alike is read as the standard library reads it.
    """
    value = load_json('{"a": [1, -2.5, true, null, "é\\ud83d\\ude00"]}')

    assert {"a": [1, -2.5, True, None, "é😀"]} == value


def test_bytes_are_read_as_utf_8_with_or_without_a_byte_order_mark() -> None:
    """
    Files from editors on Windows read like any other.
    """
    assert ["é"] == load_json('["é"]'.encode()) == load_json('\ufeff["é"]'.encode())


def test_a_key_that_stands_twice_is_refused_with_the_place_of_its_object() -> None:
    """
    No parser's choice between two values of one key decides what a policy means.
    """
    error = refusal('{"Statement": [{}, {"Effect": "Allow", "Effect": "Deny"}]}')

    assert "Statement[1]" == error.place
    assert "key `Effect` stands twice in one object" == error.reason


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": [NaN]}', "a[0]"),
        ('{"a": Infinity}', "a"),
        ('{"a": -Infinity}', "a"),
        ('{"a": 1e999}', "a"),
        (f'{{"a": {"9" * (MAX_NUMBER_LENGTH + 1)}}}', "a"),
        (f'{{"a": 0.{"1" * MAX_NUMBER_LENGTH}}}', "a"),
        ('{"a": {"b": "\\ud800"}}', "a.b"),
        ('{"a": {"\\udfff": 1}}', "a"),
    ],
)
def test_values_that_no_two_readers_share_are_refused_where_they_stand(text: str, place: str) -> None:
    """
    Numbers that are not finite or far too long, and halves of surrogate pairs, have a place in the error.
    """
    assert place == refusal(text).place


def test_text_that_is_no_json_is_refused_with_line_and_column() -> None:
    """
    A syntax error is found as an editor counts.
    """
    error = refusal('{\n  "a": ,\n}')

    assert "line 2 column 8" == error.place
    assert error.reason.startswith("no JSON: ")


def test_bytes_that_are_no_utf_8_are_refused_with_their_position() -> None:
    """
    The first byte that is no text is named.
    """
    assert "byte 2" == refusal(b'["\xff"]').place


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 21 + "]" * 21, '{"a":' * 21 + "1" + "}" * 21])
def test_nesting_past_the_limit_is_refused(text: str) -> None:
    """
    Depth is an error of the input, never of the interpreter.
    """
    assert "nested" in refusal(text).reason


def test_nesting_up_to_the_limit_is_read() -> None:
    """
    The limit itself is still allowed.
    """
    assert [[[]]] == load_json("[[[]]]", max_depth=3)


@pytest.mark.parametrize("value", [{"a": (1,)}, {"a": {1: 2}}, {"a": float("nan")}, {"a": 10**64}, {"a": b"x"}])
def test_a_decoded_value_is_held_to_the_same_rules(value: object) -> None:
    """
    What came as an object gets no further than what came as text.
    """
    with pytest.raises(InputError) as caught:
        check_json(value)

    assert "a" == caught.value.place


def test_keys_that_do_not_print_are_escaped_in_a_place() -> None:
    """
    An error stays on one line, whatever was given.
    """
    assert "`a\\nb`" == refusal('{"a\\nb": NaN}').place
