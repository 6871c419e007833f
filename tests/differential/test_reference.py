"""
The evaluator against the reference: two readings of the language that share nothing but the documentation.
"""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.generators.language import ALL_OPERATORS, KEYS, Fit, Language
from tests.generators.questions import questions_about

from rooftree.policy import reference
from rooftree.policy.chain import AttachedPolicy, Chain, Level
from rooftree.policy.context import Context
from rooftree.policy.document import parse_policy
from rooftree.policy.evaluate import decide_chain, statement_matches
from rooftree.policy.request import Request

RANDOM = st.randoms(use_true_random=False)

# texts that some operator reads as a value, or nearly so
ODD = [
    "",
    "1",
    "01",
    "1.",
    "+1.0",
    "-0",
    "1e0",
    "1e10",
    "10000000000",
    "1e100",
    "1_0",
    "٣",
    "2026",
    "1970-01-01",
    "1970-01-01T00:00Z",
    "0.0",
]
ODD += ["2026-02-29", "2026-01", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00+14:00", "2025-12-31T10:00:00", "-1.5"]
ODD += [
    "0001-01-01T00:00:00+01:00",
    "9999-12-31",
    "999999999999999",
    "-62135596800",
    "1767225600",
    "1767225600.0000001",
]
ODD += [
    "10.0.0.1",
    "10.0.0.0/8",
    "10.0.0.1/032",
    "10.0.0.0/255.0.0.0",
    "010.0.0.1",
    "::",
    "::/0",
    "::ffff:10.0.0.1",
    "fe80::1%1",
]
ODD += [
    "true",
    "TRUE",
    "False",
    "yes",
    "QQ==",
    "QR==",
    "QQ",
    "Q Q=",
    "a",
    "A",
    "ß",
    "ẞ",
    "İ",
    "*",
    "?",
    "**",
    "${*}",
    "${$}",
]
ODD += [
    "${k:v}",
    "${K:V, 'd*'}",
    "${k:v,'d'}",
    "${ k:v}",
    "${k:v }",
    "${k:v",
    "${}",
    "${*, 'x'}",
    "${k:v}${?}",
    "$${k:v}",
]
ODD += [
    "arn:aws:iam::1:role/a",
    "arn:*:*:*:*:*",
    "arn:aws:iam",
    "arn:aws:iam::${k:v}:x",
    "a:b:c:d:e:f:g",
    ":::::",
    "k:*:v",
]
TEXTS = st.sampled_from(ODD) | st.sampled_from(sorted({text for key in KEYS for text in key.wanted}))
JSON_VALUES = TEXTS | st.booleans() | st.integers(-10, 10) | st.sampled_from([0.5, 1e22, -1.0])

OPERATORS = st.sampled_from(
    [
        f"{prefix}{name}{suffix}"
        for prefix in ("", "ForAllValues:", "ForAnyValue:", "forallvalues:")
        for name in ALL_OPERATORS
        for suffix in ("", "", "IfExists", "ifexists")
    ]
    + ["Null", "null"] * 10
)

TABLE = {
    "String": (
        ["a", "a*", "A", "", "${k:v}", "x${*}", "?${k:v}", "${$}{k:v}"],
        ["a", "A", "ab", "", "*", "x*", "xa", "${k:v}"],
    ),
    "Arn": (
        ["*", "a:*:?::b:c*", "a:${k:v}:x::b:c", "**", "a:b"],
        ["a:a:x::b:c", "a:*:y::b:c:d", "a:a:a:x::b:c", "a", ""],
    ),
    "Numeric": (["10", "1e1", "-.5", "x"], ["10.0", "1E+10", "10000000000", "-0.5", "9.99", "", "y"]),
    "Date": (
        ["2026", "1767225600", "2026-01-01T00:00:00.5Z"],
        ["2025-12-31T19:00:00-05:00", "2026-01-01", "0", "x", ""],
    ),
    "Bool": (["true", "false", "x"], ["true", "FALSE", "x", ""]),
    "Binary": (["QQ==", "", "Q"], ["QQ==", "QR==", "", "Q"]),
    "Ip": (["10.1.2.3/8", "::/0", "::1", "x"], ["10.9.9.9", "11.0.0.0", "::1", "::ffff:10.0.0.1", "", "x"]),
}
"""For each family of operators: what policies want, and what requests hold."""


def _family(operator: str) -> str:
    return next(family for family in TABLE if family in operator)


PIECES = st.lists(st.sampled_from(["a", "b", ":", "*", "?", "/", "A", "${*}", "${k:v}", "arn:"]), max_size=10)
PLAIN = st.lists(st.sampled_from(["a", "b", ":", "*", "?", "/", "A", "$", "arn:"]), max_size=10).map("".join)


def _check(policy: dict[str, object], request: Request) -> None:
    chain = Chain((Level("r-ab12", (AttachedPolicy("p-1", "one", parse_policy(policy)),)),))

    assert reference.decide([[policy]], request) == decide_chain(chain, request).decision


@given(RANDOM, st.booleans())
def test_chains_are_decided_alike(random: Random, sendable: bool) -> None:  # noqa: FBT001 - drawn
    """
    Chains in all of the language decide requests that come close to what they name as the reference does.
    """
    written = Language(random, fit=Fit.NONE).chain()
    questions = questions_about(random, written, sendable=sendable)
    chain = written.chain()

    for request in (questions.request() for _ in range(8)):
        assert reference.decide(written.documents, request) == decide_chain(chain, request).decision


@given(st.data(), st.lists(TEXTS, min_size=1, max_size=3), st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17"]))
def test_conditions_hold_alike(data: st.DataObject, texts: list[str], version: str) -> None:
    """
    Any operator, with any values in the policy and in the request, holds for the one if it does for the other.
    """
    # few texts on both sides, so that they meet
    near = st.sampled_from([*texts, *texts, "", "a", "*", "xa*", "${k:v}", "x${K:V}${*}"])
    variable = tuple(data.draw(st.lists(st.sampled_from(["a", "*", "", *texts]), max_size=2)))
    context = Context({"acme:Key": tuple(data.draw(st.lists(near, max_size=3))), "k:V": variable})
    for operator in data.draw(st.lists(OPERATORS, min_size=1, max_size=6)):
        condition = {operator: {"ACME:key": data.draw(st.lists(near | JSON_VALUES, max_size=3))}}
        statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
        _check({"Version": version, "Statement": statement}, Request("s3:GetObject", "*", context))


VARIABLES = st.sampled_from([("a",), ("*",), (":a",), ("",), ("a", "b"), ()])


@pytest.mark.parametrize("operator", ALL_OPERATORS)
def test_every_form_of_an_operator_holds_alike(operator: str) -> None:
    """
    With any set prefix and suffix, one value wanted or all, and none, one or two values sent: no case differs.
    """
    wanted, sent = TABLE[_family(operator)]
    contexts = [Context({"acme:Key": values, "k:v": ("a",)}) for values in [(), *product(sent), *product(sent, sent)]]
    contexts.append(Context({"acme:Key": ("xa",), "k:v": ("a", "b")}))
    for prefix, suffix, values in product(("", "ForAllValues:", "ForAnyValue:"), ("", "IfExists"), (*wanted, wanted)):
        condition = {f"{prefix}{operator}{suffix}": {"acme:key": values}}
        statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
        parsed = parse_policy({"Version": "2012-10-17", "Statement": statement}).statements[0]
        for request in (Request("s3:GetObject", "*", context) for context in contexts):
            expected = reference.applies(statement, request, variables=True)
            assert expected is statement_matches(parsed, request, variables=True), (condition, request)


@given(PIECES.map("".join).filter(bool), PLAIN, VARIABLES, st.booleans())
def test_patterns_match_alike(
    pattern: str,
    text: str,
    variable: tuple[str, ...],
    negated: bool,  # noqa: FBT001 - drawn
) -> None:
    """
    A pattern stands for the same actions, resources, strings and ARNs for both.
    """
    sides = ("NotAction", "NotResource") if negated else ("Action", "Resource")
    context = Context({"k:v": variable, "acme:Key": (text,)})
    of_elements = {"Effect": "Deny", sides[0]: pattern.replace("$", ""), sides[1]: [pattern, "arn"]}
    anything = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    of_strings = {**anything, "Condition": {"StringLike": {"acme:Key": pattern}}}
    of_arns = {**anything, "Condition": {"ArnLike": {"acme:Key": pattern}}}

    for statement in (of_elements, of_strings, of_arns):
        _check({"Version": "2012-10-17", "Statement": [statement]}, Request(text, text, context))
