from __future__ import annotations

import pytest

from rooftree.errors import PolicyError
from rooftree.policy.model import ConditionOperator, Quantifier
from rooftree.policy.operators import OPERATORS, Family, meaning_of, parse_operator


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_reads_as_itself(name: str) -> None:
    """
    The spelling of AWS is kept.
    """
    assert ConditionOperator(name) == parse_operator(name)
    assert name == str(parse_operator(name))


def test_prefix_and_suffix_are_taken_apart() -> None:
    """
    A set prefix and IfExists may stand together.
    """
    operator = parse_operator("ForAnyValue:StringNotLikeIfExists")

    assert ConditionOperator("StringNotLike", Quantifier.FOR_ANY_VALUE, if_exists=True) == operator
    assert "ForAnyValue:StringNotLikeIfExists" == str(operator)


def test_case_does_not_matter_and_the_model_holds_the_spelling_of_aws() -> None:
    """
    Any case is read into one form.
    """
    assert parse_operator("ForAllValues:ArnLikeIfExists") == parse_operator("forallvalues:arnlikeifexists")


@pytest.mark.parametrize(
    "text",
    ["", "StringMatches", "ForSomeValues:StringEquals", ":StringEquals", "ForAllValues:", "IfExists", "NotBool"],
)
def test_an_operator_that_does_not_exist_is_refused(text: str) -> None:
    """
    A condition that cannot be evaluated is never guessed at.
    """
    with pytest.raises(PolicyError, match="expected a condition operator"):
        parse_operator(text)


@pytest.mark.parametrize("text", ["NullIfExists", "ForAllValues:Null", "ForAnyValue:NullIfExists"])
def test_null_takes_no_prefix_and_no_suffix(text: str) -> None:
    """
    A test of existence has no variants.
    """
    with pytest.raises(PolicyError, match="`Null` takes neither"):
        parse_operator(text)


def test_negated_operators_are_those_with_not_in_their_name() -> None:
    """
    Negation shows in the name, and there is none for Bool, Binary and the comparisons of order.
    """
    assert {name for name in OPERATORS if "Not" in name} == {name for name, found in OPERATORS.items() if found.negated}


def test_only_text_and_arns_take_variables() -> None:
    """
    In numbers, dates, addresses, binaries and booleans ``${...}`` is plain text.
    """
    families = {
        meaning_of(ConditionOperator(name)).family for name, found in OPERATORS.items() if found.takes_variables
    }

    assert {Family.STRING, Family.ARN} == families
