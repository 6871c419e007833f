from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from rooftree.policy.builtin import BUILTIN_CONTENT, BUILTIN_KINDS
from rooftree.policy.document import PolicyKind
from rooftree.policy.findings import Rule, Severity
from rooftree.policy.lint import lint_policy

DENY: dict[str, object] = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
ALLOW: dict[str, object] = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}


def policy(*statements: Mapping[str, object], version: str = "2012-10-17") -> dict[str, object]:
    """
    Return a policy of these statements.
    """
    return {"Version": version, "Statement": [dict(statement) for statement in statements]}


def lint(*statements: Mapping[str, object], version: str = "2012-10-17") -> list[tuple[str, str]]:
    """
    Return code and place of what is found in a service control policy.
    """
    return [(one.code, one.place) for one in lint_policy(policy(*statements, version=version))]


def lint_condition(
    effect: str, operator: str, key: str, values: object, *, others: Mapping[str, object] | None = None
) -> list[str]:
    """
    Return the codes of what is found in one condition; what is said of the Allow as such is left out.
    """
    condition = {operator: {key: values}, **(others or {})}
    statement = {"Effect": effect, "Action": "s3:*", "Resource": "*", "Condition": condition}
    return [code for code, _place in lint(statement) if code != "RT204"]


def test_codes_are_unique_and_their_hundreds_say_how_much_they_matter() -> None:
    """
    A code can be filtered on, today and later.
    """
    codes = [rule.code for rule in Rule]
    hundreds = {Severity.ERROR: "RT1", Severity.WARNING: "RT2", Severity.NOTE: "RT3"}

    assert sorted(set(codes)) == sorted(codes)
    assert [hundreds[rule.severity] for rule in Rule] == [code[:3] for code in codes]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (policy(DENY), PolicyKind.SERVICE_CONTROL),
        *((content, BUILTIN_KINDS[policy_id]) for policy_id, content in BUILTIN_CONTENT.items()),
        (
            policy(
                {
                    "Sid": "DenyRegions",
                    "Effect": "Deny",
                    "NotAction": ["iam:*", "sts:*", "cloudfront:Get*"],
                    "Resource": "*",
                    "Condition": {
                        "StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]},
                        "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Admin*"},
                    },
                }
            ),
            PolicyKind.SERVICE_CONTROL,
        ),
    ],
)
def test_a_policy_in_order_gives_no_findings(content: Mapping[str, object], kind: PolicyKind) -> None:
    """
    Ordinary policies are passed without noise.
    """
    assert [] == lint_policy(content, kind)


def test_a_finding_tells_severity_code_place_and_meaning() -> None:
    """
    Everything that a report needs, with the message on one line.
    """
    (finding,) = lint_policy(policy({**DENY, "Action": "*"}))

    assert (Severity.WARNING, "RT203", "Statement[0]") == (finding.severity, finding.code, finding.place)
    assert "denies every request, without a condition" == finding.message


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("{", "line 1 column 2"),
        ("[]", ""),
        ("{}", ""),
        (policy({**DENY, "Principal": "*"}), "Statement[0].Principal"),
        ({"Version": "2012-10-17", "Statement": {**DENY, "Effect": "deny"}}, "Statement.Effect"),
        ({**policy(DENY), "Version": "2020-01-01"}, "Version"),
        ('{"Statement": [], "Statement": []}', ""),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_place(content: str | dict[str, object], place: str) -> None:
    """
    A policy that AWS would refuse comes back as a finding, not as an exception.
    """
    assert ("RT101", place) in [(one.code, one.place) for one in lint_policy(content)]


def test_one_broken_statement_does_not_hide_the_others() -> None:
    """
    All errors are reported in one go.
    """
    found = lint({**DENY, "Effect": "deny"}, {**DENY, "Action": "s3"}, {**DENY, "Resource": 7})

    assert [("RT101", "Statement[0].Effect"), ("RT104", "Statement[1].Action"), ("RT101", "Statement[2].Resource")] == (
        found
    )


@pytest.mark.parametrize("content", [{"Statement": [DENY], "Comment": "x"}, {"Comment": "x"}])
def test_an_unknown_element_at_the_top_does_not_hide_the_rest(content: dict[str, object]) -> None:
    """
    The header and the statements are looked at apart.
    """
    assert ("RT101", "Comment") in [(one.code, one.place) for one in lint_policy(content)]


@pytest.mark.parametrize(
    ("kind", "quota"), [(PolicyKind.SERVICE_CONTROL, 10_240), (PolicyKind.RESOURCE_CONTROL, 5_120)]
)
def test_a_policy_over_the_quota_is_an_error(kind: PolicyKind, quota: int) -> None:
    """
    What is too long even without its white space cannot be saved.
    """
    statement = {"Effect": "Deny", "Principal": "*"} if kind is PolicyKind.RESOURCE_CONTROL else {"Effect": "Deny"}
    around = len(json.dumps(policy({**statement, "Action": "s3:", "Resource": "*"}), separators=(",", ":")))

    def found(length: int) -> list[str]:
        action = "s3:" + "a" * (length - around)
        return [one.code for one in lint_policy(policy({**statement, "Action": action, "Resource": "*"}), kind)]

    assert [] == found(quota)
    assert ["RT102"] == found(quota + 1)


def test_white_space_alone_over_the_quota_is_a_warning() -> None:
    """
    AWS counts every character that it is given, and some tools leave white space out.
    """
    text = json.dumps(policy(DENY)) + " " * 10_240

    assert ["RT201"] == [one.code for one in lint_policy(text)]
    assert ["RT201"] == [one.code for one in lint_policy(text.encode())]
    assert [] == lint_policy(json.dumps(policy(DENY), indent=2))
    assert [] == lint_policy(json.dumps(policy({**DENY, "Principal": "*"})) + " " * 10_240, PolicyKind.RESOURCE)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([{**DENY, "Sid": "A"}, {**DENY, "Sid": "A", "Action": "ec2:*"}], [("RT103", "Statement[1].Sid")]),
        ([{**DENY, "Sid": "A"}, {**DENY, "Sid": "B"}], [("RT213", "Statement[1]")]),
        ([DENY, {**DENY, "Action": ["s3:*"]}], [("RT213", "Statement[1]")]),
        ([{**DENY, "Action": ["s3:Get*", "GetObject"]}], [("RT104", "Statement[0].Action[1]")]),
        ([{**DENY, "Action": "s3:${aws:username}"}], [("RT104", "Statement[0].Action")]),
        ([{**DENY, "Action": []}], [("RT302", "Statement[0].Action")]),
        ([{**DENY, "Resource": []}], [("RT302", "Statement[0].Resource")]),
        ([{**DENY, "Sid": "Zoë – 1"}], [("RT202", "Statement[0].Sid")]),
        ([{**DENY, "Action": "*"}], [("RT203", "Statement[0]")]),
        ([{**DENY, "Action": "*", "Resource": "arn:aws:s3:::b"}], []),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], [("RT205", "Statement[0].NotAction")]),
        ([{**ALLOW, "Resource": "arn:aws:s3:::b"}], [("RT204", "Statement[0]")]),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::b"}], [("RT204", "Statement[0]")]),
        ([{**DENY, "Resource": "my-bucket"}], [("RT209", "Statement[0].Resource")]),
        ([{**DENY, "Resource": ["*", "arn:aws:s3"]}], [("RT209", "Statement[0].Resource[1]")]),
        ([{**DENY, "Resource": "arn:aws:s3:::b/${aws:username}/*"}], []),
        ([{**DENY, "Resource": "arn:aws:s3:${aws:RequestedRegion}::b"}], [("RT212", "Statement[0].Resource")]),
        ([{**DENY, "Resource": "arn:aws:s3:::${Bucket}/*"}], [("RT214", "Statement[0].Resource")]),
        ([{**DENY, "Resource": "arn:aws:s3:::${Bucket, 'b'}/*"}], []),
    ],
)
def test_statements_are_looked_at(statements: list[dict[str, object]], expected: list[tuple[str, str]]) -> None:
    """
    Each rule about a statement finds its case and nothing beside it.
    """
    assert expected == lint(*statements)


def test_the_old_language_is_noted_and_variables_in_it_are_warned_of() -> None:
    """
    A variable that is plain text there matches nothing that its author meant.
    """
    statement = {
        **DENY,
        "Resource": "arn:aws:s3:::b/${aws:username}",
        "Condition": {"StringLike": {"aws:PrincipalArn": "${aws:username}*"}},
    }

    assert [
        ("RT303", "Version"),
        ("RT212", "Statement[0].Resource"),
        ("RT212", "Statement[0].Condition.StringLike.aws:PrincipalArn"),
    ] == lint(statement, version="2008-10-17")
    assert [("RT303", "")] == [(one.code, one.place) for one in lint_policy({"Statement": [DENY]})]


@pytest.mark.parametrize(
    ("effect", "operator", "key", "values", "expected"),
    [
        ("Deny", "stringequals", "aws:username", "a", ["RT301"]),
        ("Deny", "StringEquals", "aws:username", [], ["RT302"]),
        ("Deny", "NumericLessThan", "aws:MultiFactorAuthAge", ["1", "soon"], ["RT105"]),
        ("Deny", "DateLessThan", "aws:CurrentTime", "2026-13-01", ["RT105"]),
        ("Deny", "Bool", "aws:SecureTransport", "no", ["RT105"]),
        ("Deny", "Null", "aws:username", "maybe", ["RT105"]),
        ("Deny", "Null", "aws:username", True, []),
        ("Deny", "BinaryEquals", "x:Key", "?", ["RT105"]),
        ("Deny", "IpAddress", "aws:SourceIp", "10.0.0.0/40", ["RT105"]),
        ("Deny", "ArnLike", "aws:PrincipalArn", "arn:aws:iam::*", ["RT105"]),
        ("Deny", "ArnLike", "aws:PrincipalArn", "*", []),
        ("Deny", "ArnLike", "aws:PrincipalArn", "${aws:SourceArn}", []),
        ("Deny", "NumericEquals", "x:Count", "${aws:username}", ["RT212", "RT105"]),
        ("Deny", "StringEquals", "aws:RequestedRegion", ["eu-west-1", "eu-*"], ["RT206"]),
        ("Deny", "StringNotEqualsIgnoreCase", "aws:RequestedRegion", "eu-?", ["RT206"]),
        ("Deny", "StringLike", "aws:RequestedRegion", "eu-*", []),
        ("Deny", "StringEquals", "aws:RequestedRegion", "eu-${*}", []),
        ("Deny", "StringEquals", "aws:TagKeys", "team", ["RT210"]),
        ("Deny", "Null", "aws:TagKeys", "true", []),
        ("Deny", "ForAnyValue:StringEquals", "aws:RequestedRegion", "eu-west-1", ["RT211"]),
        ("Allow", "ForAllValues:StringEquals", "aws:TagKeys", "team", ["RT207"]),
        ("Deny", "ForAllValues:StringEquals", "aws:TagKeys", "team", ["RT207"]),
        ("Deny", "ForAnyValue:StringEquals", "aws:TagKeys", "team", ["RT305"]),
        ("Allow", "ForAnyValue:StringEquals", "aws:TagKeys", "team", []),
        ("Allow", "StringEqualsIfExists", "aws:PrincipalTag/team", "core", ["RT208"]),
        ("Deny", "StringEqualsIfExists", "aws:PrincipalTag/team", "core", []),
        ("Deny", "StringNotEquals", "aws:PrincipalTag/team", "core", ["RT304"]),
        ("Allow", "StringNotEquals", "aws:PrincipalTag/team", "core", []),
        ("Deny", "StringNotEquals", "AWS:requestedregion", "eu-west-1", []),
        ("Deny", "StringNotEqualsIfExists", "aws:RequestedRegion", "eu-west-1", ["RT306"]),
    ],
)
def test_conditions_are_looked_at(effect: str, operator: str, key: str, values: object, expected: list[str]) -> None:
    """
    Each rule about a condition finds its case and nothing beside it.
    """
    assert expected == lint_condition(effect, operator, key, values)


@pytest.mark.parametrize(
    ("effect", "operator", "key"),
    [
        ("Allow", "ForAllValues:StringEquals", "aws:TagKeys"),
        ("Deny", "ForAllValues:StringEquals", "aws:TagKeys"),
        ("Allow", "StringEqualsIfExists", "aws:PrincipalTag/team"),
        ("Deny", "StringNotEquals", "aws:PrincipalTag/team"),
    ],
)
def test_a_statement_that_asks_for_the_key_needs_no_warning(effect: str, operator: str, key: str) -> None:
    """
    With a Null test beside it, requests without the key are out.
    """
    assert [] == lint_condition(effect, operator, key, "x", others={"Null": {key.upper(): "false"}})


def test_one_key_in_two_spellings_is_an_error() -> None:
    """
    AWS's own validation calls it one, and nobody can tell what was meant.
    """
    condition = {"StringEquals": {"aws:username": "a", "aws:UserName": "b"}}

    assert [("RT106", "Statement[0].Condition.StringEquals.aws:UserName")] == lint({**DENY, "Condition": condition})


def test_values_of_a_list_have_their_own_place() -> None:
    """
    The value at fault is named among the others.
    """
    condition = {"NumericLessThan": {"x:Age": [1, "old"]}}

    assert [("RT105", "Statement[0].Condition.NumericLessThan.x:Age[1]")] == lint({**DENY, "Condition": condition})


def test_keys_of_the_organization_may_be_absent_where_callers_come_from_anywhere() -> None:
    """
    A service control policy sees members only; a policy on a resource sees everybody.
    """
    statement = {
        "Effect": "Deny",
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-exampleorg"}},
    }

    assert [] == lint(statement)
    assert ["RT304"] == [
        one.code for one in lint_policy(policy({**statement, "Principal": "*"}), PolicyKind.RESOURCE_CONTROL)
    ]
