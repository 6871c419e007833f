from __future__ import annotations

import pytest

from rooftree.errors import InputError
from rooftree.policy.context import Context


def test_keys_are_found_in_any_case_and_listed_as_written() -> None:
    """
    The case of a key does not matter to policies, only to readers.
    """
    context = Context({"aws:RequestedRegion": ("eu-west-1",)})

    assert ("eu-west-1",) == context["AWS:requestedregion"]
    assert "aws:REQUESTEDREGION" in context
    assert "aws:SourceIp" not in context
    assert ["aws:RequestedRegion"] == list(context)
    assert 1 == len(context)


@pytest.mark.parametrize(
    ("value", "values"),
    [
        ("a", ("a",)),
        ("", ("",)),
        (True, ("true",)),
        (False, ("false",)),
        (7, ("7",)),
        (1.5, ("1.5",)),
        (["a", "b"], ("a", "b")),
        (["", "b"], ("", "b")),
        ([1, True], ("1", "true")),
    ],
)
def test_json_values_become_text(value: object, values: tuple[str, ...]) -> None:
    """
    Conditions compare text, however JSON wrote it.
    """
    assert values == Context.from_json({"k": value})["k"]


@pytest.mark.parametrize("value", [[], [""], ["", ""]])
def test_a_list_without_any_text_is_no_key(value: list[str]) -> None:
    """
    An empty set and a set of empty text are null to AWS.
    """
    assert "k" not in Context.from_json({"k": value})


@pytest.mark.parametrize(("value", "place"), [(None, "k"), ({}, "k"), (["a", []], "k[1]")])
def test_other_values_are_refused_with_their_place(value: object, place: str) -> None:
    """
    What is no value of a key is named.
    """
    with pytest.raises(InputError) as caught:
        Context.from_json({"k": value})

    assert place == caught.value.place


def test_one_key_in_two_spellings_is_refused() -> None:
    """
    AWS warns that the outcome would be unpredictable.
    """
    with pytest.raises(InputError, match="`AWS:x` stands twice"):
        Context({"aws:x": ("a",), "AWS:x": ("b",)})


def test_contexts_compare_by_keys_in_any_case_and_values() -> None:
    """
    Equal contexts are interchangeable, also as keys of a dictionary.
    """
    one, other = Context({"aws:X": ("a",)}), Context({"AWS:x": ("a",), "y": ()})

    assert one == other
    assert hash(one) == hash(other)
    assert one != Context({"aws:X": ("b",)})
    assert one != Context()
