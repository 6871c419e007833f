"""
The words of pages.
"""

from __future__ import annotations

import pytest

from rooftree.api.pages.phrases import breakable, coded, log, problem
from rooftree.errors import InputError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nothing to set", "nothing to set"),
        ("`p-a` hangs already on `r-1`", "<code>p-a</code> hangs already on <code>r-1</code>"),
        ("expected `<b>`, not <i>", "expected <code>&lt;b&gt;</code>, not &lt;i&gt;"),
        ("one ` alone & <b>", "one ` alone &amp; &lt;b&gt;"),
        ("", ""),
    ],
)
def test_what_stands_between_backticks_is_code_and_nothing_is_markup(text: str, expected: str) -> None:
    """
    Names come from callers: whatever they have in them is shown and not obeyed.
    """
    assert expected == str(coded(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("q:*, when aws:RequestTag/CostCenter is absent", "q:*, when aws:RequestTag/CostCenter is absent"),
        (
            "not like arn:aws:iam::*:role/break-glass/*",
            'not like arn:aws:iam::*:<wbr>role/<wbr><span class="nowrap">break-glass</span>/*',
        ),
        ("arn:aws:iam::1:<b>", "arn:aws:iam::1:<wbr>&lt;b&gt;"),
        (
            "is eu-west-1, 1,029 more, when",
            'is <span class="nowrap">eu-west-1</span>, <span class="nowrap">1,029 more</span>, when',
        ),
        ("a-name-that-is-too-long-for-a-line", "a-name-that-is-too-long-for-a-line"),
    ],
)
def test_arns_break_after_their_separators_and_nothing_is_markup(text: str, expected: str) -> None:
    """
    An ARN in a narrow column breaks between its parts; a key of a condition stays in one piece.
    """
    assert expected == str(breakable(text))


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("until", "Before: expected a time"),
        ("context, line 2", "Context, line 2: expected a time"),
        ("content: Statement[0]", "Its text: Statement[0]: expected a time"),
        ("cursor", "cursor: expected a time"),
        ("", "Expected a time"),
    ],
)
def test_what_is_wrong_with_a_form_names_its_fields_as_the_form_does(place: str, expected: str) -> None:
    """
    People see labels and not parameters; what has no label keeps its name.
    """
    labels = {"until": "Before", "context": "Context", "content": "Its text"}

    assert expected == problem(InputError("expected a time", place=place), labels)


@pytest.mark.parametrize(
    ("log_id", "expected"),
    [
        ("MkU3OEVBNTcwNTJENDM2Qk/x1", "MkU3OEVBNTcw…/x1"),
        ("embedded-677c7587f56542da9583/01a22758", "embedded-677…/01a22758"),
        ("cluster", "cluster"),
    ],
)
def test_a_log_is_named_by_the_ids_of_its_cluster_and_its_topic(log_id: str, expected: str) -> None:
    """
    What is cut off is not needed to tell one from another, and stands whole in the API.
    """
    assert expected == log(log_id)
