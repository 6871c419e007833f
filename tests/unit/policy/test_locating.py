from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.policy.locating import Span, locate, spans_of

TEXT = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "One", "Effect": "Deny", "Action": ["s3:*", "ec2:*"], "Resource": "*"},
    {
      "Sid": "Two",
      "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    }
  ]
}
"""


@pytest.mark.parametrize(
    ("place", "span"),
    [
        ("", Span(1, 1, 10, 2)),
        ("Version", Span(2, 3, 2, 26)),
        ("Statement[0].Action[1]", Span(4, 57, 4, 64)),
        ("Statement[1]", Span(5, 5, 8, 6)),
        ("Statement[1].Sid", Span(6, 7, 6, 19)),
        ("Statement[1].Effect", Span(5, 5, 8, 6)),
        ("line 3 column 7", Span(3, 7, 3, 8)),
    ],
)
def test_a_place_is_found_in_the_text(place: str, span: Span) -> None:
    """
    A member is found with its name; what is missing is shown at what should hold it.
    """
    assert span == locate(TEXT, place)


def test_a_statement_without_a_list_around_it_is_the_first() -> None:
    """
    AWS takes a single statement as an object, and findings call it the first.
    """
    text = '{"Statement": {"Action": "s3:*"}}'

    assert Span(1, 16, 1, 32) == locate(text, "Statement[0].Action")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(document=JSON, indent=st.sampled_from([None, 2]))
def test_every_element_of_a_list_is_the_text_that_stands_there(document: object, indent: int | None) -> None:
    """
    What is cut out of the text reads as the value.
    """
    text = json.dumps({"list": [document]}, indent=indent, ensure_ascii=False)
    span = spans_of(text)["list[0]"]
    lines = text.split("\n")
    cut = "\n".join(
        line[span.column - 1 if number == span.line else 0 : span.end_column - 1 if number == span.end_line else None]
        for number, line in enumerate(lines, start=1)
        if span.line <= number <= span.end_line
    )

    assert document == json.loads(cut)


@given(text=st.text(alphabet='{}[]":,\\ ab1\n', max_size=40))
def test_any_text_is_read_without_an_error(text: str) -> None:
    """
    A policy that is being written is hardly ever JSON.
    """
    span = locate(text, "Statement[0].Action")

    assert 1 <= span.line <= span.end_line
