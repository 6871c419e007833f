from __future__ import annotations

import pytest

from rooftree.policy.conditions import condition_holds, holds_without_key
from rooftree.policy.context import Context
from rooftree.policy.model import Condition
from rooftree.policy.operators import OPERATORS, parse_operator

KEY = "aws:Key"
READABLE = {"Numeric": "1", "Date": "2026-01-01", "Bool": "true", "Binary": "aGk=", "Ip": "10.0.0.0/8", "Null": "true"}
"""A value for each family that is no text."""

POSITIVE = [name for name, found in OPERATORS.items() if not found.negated and name != "Null"]
NEGATED = [name for name, found in OPERATORS.items() if found.negated]


def holds(operator: str, wanted: object, given: object = None, *, variables: bool = True) -> bool:
    """
    Evaluate one operator on one key; nothing *given* is a request without the key.
    """
    values = wanted if isinstance(wanted, list) else [wanted]
    condition = Condition(parse_operator(operator), KEY, tuple(values))
    context = Context() if given is None else Context.from_json({KEY.upper(): given})
    return condition_holds(condition, context, variables=variables)


def some_value(name: str) -> str:
    """
    Return a value that the operator can read.
    """
    return READABLE.get(OPERATORS[name].family, "a")


@pytest.mark.parametrize("name", POSITIVE)
def test_a_positive_operator_does_not_hold_without_the_key(name: str) -> None:
    """
    Nothing is compared, so nothing matches; any set prefix but ForAllValues keeps that.
    """
    assert not holds(name, some_value(name))
    assert not holds(f"ForAnyValue:{name}", some_value(name))


@pytest.mark.parametrize("name", NEGATED)
def test_a_negated_operator_holds_without_the_key(name: str) -> None:
    """
    A Deny on what is not in a list also hits requests that do not say.
    """
    assert holds(name, some_value(name))


@pytest.mark.parametrize("name", NEGATED)
def test_for_any_value_of_a_negated_operator_does_not_hold_without_the_key(name: str) -> None:
    """
    There is no value that could differ.
    """
    assert not holds(f"ForAnyValue:{name}", some_value(name))


@pytest.mark.parametrize("name", [*POSITIVE, *NEGATED])
@pytest.mark.parametrize("prefix", ["", "ForAllValues:", "ForAnyValue:"])
def test_if_exists_holds_without_the_key(name: str, prefix: str) -> None:
    """
    The suffix makes any operator true where there is nothing to compare.
    """
    assert holds(f"{prefix}{name}IfExists", some_value(name))


@pytest.mark.parametrize("name", [*POSITIVE, *NEGATED])
def test_for_all_values_holds_without_the_key(name: str) -> None:
    """
    Of no values, all match and all differ.
    """
    assert holds(f"ForAllValues:{name}", some_value(name))
    assert holds(f"ForAllValues:{name}", some_value(name), [])
    assert holds(f"ForAllValues:{name}", some_value(name), "")


@pytest.mark.parametrize(
    ("wanted", "given", "expected"),
    [
        ("true", None, True),
        ("true", "a", False),
        ("true", "", False),
        ("true", [], True),
        ("TRUE", None, True),
        ("false", None, False),
        ("false", "a", True),
        ("false", "", True),
        ("false", [""], False),
        (["true", "false"], None, True),
        (["true", "false"], "a", True),
        ("maybe", "a", False),
        ("maybe", None, False),
    ],
)
def test_null_asks_whether_the_key_is_there(wanted: object, given: object, *, expected: bool) -> None:
    """
    True is for absent keys and false for those present; a list asks for either, another word for nothing.
    """
    assert expected is holds("Null", wanted, given)


def test_the_table_of_missing_keys_can_be_asked_without_a_request() -> None:
    """
    Other parts look an operator up and agree with its evaluation.
    """
    operators = [
        f"{prefix}{name}{suffix}"
        for name in [*POSITIVE, *NEGATED]
        for prefix, suffix in (
            ("", ""),
            ("", "IfExists"),
            ("ForAllValues:", ""),
            ("ForAnyValue:", ""),
            ("ForAnyValue:", "IfExists"),
        )
    ]

    assert [holds(one, "a") for one in operators] == [holds_without_key(parse_operator(one)) for one in operators]


MATCHES = [
    # operator, value of the policy, value of the request, whether they match
    ("StringEquals", "a", "a", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", "a*", "ab", False),
    ("StringEquals", "a*", "a*", True),
    ("StringEquals", "", "", True),
    ("StringEqualsIgnoreCase", "a", "A", True),
    ("StringEqualsIgnoreCase", "a", "b", False),
    ("StringEqualsIgnoreCase", "É*", "é*", True),
    ("StringLike", "a*", "ab", True),
    ("StringLike", "a?", "a", False),
    ("StringLike", "A*", "ab", False),
    ("StringLike", "o-x/*/ou-b/*", "o-x/r-1/ou-a/ou-b/", True),
    ("NumericEquals", "1.0", "1", True),
    ("NumericEquals", "1", "2", False),
    ("NumericEquals", "1", "one", False),
    ("NumericEquals", "one", "one", False),
    ("NumericLessThan", "10", "9.99", True),
    ("NumericLessThan", "10", "10", False),
    ("NumericLessThanEquals", "10", "10", True),
    ("NumericGreaterThan", "-1", "0", True),
    ("NumericGreaterThan", "0", "0", False),
    ("NumericGreaterThanEquals", "0", "0", True),
    ("NumericGreaterThanEquals", "0", "", False),
    ("DateEquals", "2026-01-01", "2026-01-01T01:00:00+01:00", True),
    ("DateEquals", "2026-01-01", "2026-01-02", False),
    ("DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", True),
    ("DateLessThan", "2026", "2026", False),
    ("DateLessThanEquals", "1767225600", "2026-01-01", True),
    ("DateGreaterThan", "2026-01-01", "1767225601", True),
    ("DateGreaterThan", "2026-01-01", "1767225600", False),
    ("DateGreaterThanEquals", "2026-01-01", "1767225600", True),
    ("DateGreaterThanEquals", "2026-01-01", "tomorrow", False),
    ("Bool", "true", "true", True),
    ("Bool", "True", "TRUE", True),
    ("Bool", "false", "true", False),
    ("Bool", "true", "1", False),
    ("Bool", "yes", "yes", False),
    ("BinaryEquals", "aGk=", "aGk=", True),
    ("BinaryEquals", "aGk=", "aGo=", False),
    ("BinaryEquals", "a", "a", False),
    ("IpAddress", "203.0.113.0/24", "203.0.113.7", True),
    ("IpAddress", "203.0.113.0/24", "203.0.114.7", False),
    ("IpAddress", "203.0.113.7", "203.0.113.7", True),
    ("IpAddress", "2001:db8::/32", "2001:DB8::1", True),
    ("IpAddress", "2001:db8::/32", "203.0.113.7", False),
    ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
    ("IpAddress", "0.0.0.0/0", "::ffff:203.0.113.7", False),
    ("IpAddress", "203.0.113.0/24", "somewhere", False),
    ("IpAddress", "203.0.113.0/24", "203.0.113.0/24", False),
    ("ArnLike", "arn:aws:iam::*:role/A*", "arn:aws:iam::2:role/Ab", True),
    ("ArnLike", "arn:aws:iam::*:role/A*", "arn:aws:iam::2:role/ab", False),
    ("ArnLike", "arn:aws:iam::*", "arn:aws:iam::2:role/Ab", False),
    ("ArnEquals", "arn:aws:iam::*:role/A*", "arn:aws:iam::2:role/Ab", True),
    ("ArnEquals", "*", "anything", True),
]

NEGATIONS = {
    "StringEquals": "StringNotEquals",
    "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
    "StringLike": "StringNotLike",
    "NumericEquals": "NumericNotEquals",
    "DateEquals": "DateNotEquals",
    "IpAddress": "NotIpAddress",
    "ArnLike": "ArnNotLike",
    "ArnEquals": "ArnNotEquals",
}


@pytest.mark.parametrize(("operator", "wanted", "given", "expected"), MATCHES)
def test_each_operator_compares_in_its_own_way(operator: str, wanted: str, given: str, *, expected: bool) -> None:
    """
    A key with one value: the operator, its IfExists form and ForAnyValue agree.
    """
    assert expected is holds(operator, wanted, given)
    assert expected is holds(f"{operator}IfExists", wanted, given)
    assert expected is holds(f"ForAnyValue:{operator}", wanted, given)


@pytest.mark.parametrize(("operator", "wanted", "given", "match"), [row for row in MATCHES if row[0] in NEGATIONS])
def test_each_negated_operator_is_the_opposite(operator: str, wanted: str, given: str, *, match: bool) -> None:
    """
    What cannot be read matches nothing, so that the negation holds.
    """
    assert match is not holds(NEGATIONS[operator], wanted, given)
    assert match is not holds(f"ForAnyValue:{NEGATIONS[operator]}", wanted, given)


def test_every_negated_operator_has_been_tried() -> None:
    """
    The table above leaves none out.
    """
    assert set(NEGATED) == set(NEGATIONS.values())
    assert set(POSITIVE) == {row[0] for row in MATCHES}


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "expected"),
    [
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", ["a", "b"], "c", False),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringEquals", [], "a", False),
        ("StringNotEquals", [], "a", True),
    ],
)
def test_values_of_a_policy_are_alternatives(operator: str, wanted: list[str], given: str, *, expected: bool) -> None:
    """
    Values are joined by OR, and by NOR under a negated operator.
    """
    assert expected is holds(operator, wanted, given)


@pytest.mark.parametrize(
    ("operator", "given", "expected"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "x"], False),
        ("ForAnyValue:StringEquals", ["a", "x"], True),
        ("ForAnyValue:StringEquals", ["x", "y"], False),
        ("ForAllValues:StringNotEquals", ["x", "y"], True),
        ("ForAllValues:StringNotEquals", ["a", "x"], False),
        ("ForAnyValue:StringNotEquals", ["a", "x"], True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], False),
        ("ForAllValues:StringEquals", ["a", ""], False),
        ("StringEquals", ["a", "x"], True),
        ("StringEquals", ["x", "y"], False),
        ("StringNotEquals", ["a", "x"], False),
        ("StringNotEquals", ["x", "y"], True),
    ],
)
def test_set_prefixes_quantify_over_the_values_of_a_request(operator: str, given: list[str], *, expected: bool) -> None:
    """
    All or any of the values; without a prefix, any for a positive operator and none for a negated one.
    """
    assert expected is holds(operator, ["a", "b"], given)


def test_variables_are_filled_in_from_the_request() -> None:
    """
    Two keys can be related to one another, and a filled-in star is a plain character.
    """
    condition = Condition(parse_operator("StringLike"), "s3:prefix", ("home/${aws:username}/*",))

    def permits(prefix: str, user: str) -> bool:
        context = Context({"s3:prefix": (prefix,), "aws:UserName": (user,)})
        return condition_holds(condition, context, variables=True)

    assert permits("home/alice/x", "alice")
    assert not permits("home/bob/x", "alice")
    assert not permits("home/alice/x", "*")
    assert permits("home/*/x", "*")


@pytest.mark.parametrize("operator", ["StringEquals", "StringLike", "ArnLike", "StringEqualsIgnoreCase"])
def test_a_variable_without_value_matches_nothing(operator: str) -> None:
    """
    A positive operator fails and a negated one holds, so that a Deny hits.
    """
    assert not holds(operator, "${aws:username}", "alice")
    assert holds(NEGATIONS[operator], "${aws:username}", "alice")
    assert holds(operator, ["${aws:username}", "*" if "Like" in operator else "alice"], "alice")


def test_a_default_stands_in_for_a_variable_without_value() -> None:
    """
    The default is compared as text.
    """
    assert holds("StringEquals", "${aws:PrincipalTag/team, 'core'}", "core")


def test_variables_are_plain_text_in_the_old_language_and_in_other_families() -> None:
    """
    Before 2012, and in values that are no text, nothing is filled in.
    """
    assert holds("StringEquals", "${aws:username}", "${aws:username}", variables=False)
    assert not holds("Bool", "${aws:Key}", "true")
    assert not holds("NumericEquals", "${aws:Key}", "1")


def test_special_characters_in_braces_are_plain_under_like() -> None:
    """
    ``${*}`` matches a star and nothing else.
    """
    assert holds("StringLike", "a${*}", "a*")
    assert not holds("StringLike", "a${*}", "ab")
