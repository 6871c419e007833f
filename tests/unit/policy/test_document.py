from __future__ import annotations

import hashlib
import json
from urllib.parse import quote

import pytest

from rooftree.errors import PolicyError
from rooftree.policy.document import MAX_BYTES, MAX_STATEMENTS, PolicyKind, canonical_text, parse_policy
from rooftree.policy.model import Condition, ConditionOperator, Effect, Statement

DENY_REGIONS = {
    "Version": "2012-10-17",
    "Id": "regions",
    "Statement": [
        {
            "Sid": "DenyRegions",
            "Effect": "Deny",
            "NotAction": ["iam:*", "sts:*"],
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}},
        },
        {"Effect": "Allow", "Action": "*", "NotResource": ["arn:aws:s3:::a", "arn:aws:s3:::b"]},
    ],
}
DENY = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}


def refusal(content: object, kind: PolicyKind = PolicyKind.SERVICE_CONTROL) -> PolicyError:
    """
    Return the error that a policy is refused with.
    """
    with pytest.raises(PolicyError) as caught:
        parse_policy(content if isinstance(content, str | bytes | dict) else json.dumps(content), kind)
    return caught.value


def test_a_policy_reads_element_by_element() -> None:
    """
    Everything that decides is in the document, as written.
    """
    document = parse_policy(DENY_REGIONS)

    assert ("2012-10-17", "regions") == (document.version, document.id)
    assert (
        Statement(
            index=0,
            effect=Effect.DENY,
            sid="DenyRegions",
            not_actions=("iam:*", "sts:*"),
            resources=("*",),
            conditions=(
                Condition(ConditionOperator("StringNotEquals"), "aws:RequestedRegion", ("eu-west-1", "eu-central-1")),
            ),
        ),
        Statement(index=1, effect=Effect.ALLOW, actions=("*",), not_resources=("arn:aws:s3:::a", "arn:aws:s3:::b")),
    ) == document.statements


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(DENY_REGIONS),
        json.dumps(DENY_REGIONS, indent=2).encode(),
        quote(json.dumps(DENY_REGIONS), safe=""),
        "\n " + quote(json.dumps(DENY_REGIONS, indent=1)),
        quote(json.dumps(DENY_REGIONS)).encode(),
        b"\xef\xbb\xbf" + json.dumps(DENY_REGIONS).encode(),
        "\n\t" + json.dumps(DENY_REGIONS),
    ],
)
def test_an_object_and_its_text_and_that_url_encoded_are_one_policy(content: str | bytes) -> None:
    """
    However AWS wraps a policy, it is the same document with the same digest.
    """
    assert parse_policy(DENY_REGIONS) == parse_policy(content)


def test_a_single_statement_needs_no_list() -> None:
    """
    An object in place of a list is a list of one.
    """
    assert parse_policy({"Statement": [DENY]}) == parse_policy({"Statement": DENY})


def test_an_empty_list_of_statements_is_a_policy() -> None:
    """
    Such a policy decides nothing.
    """
    assert () == parse_policy({"Version": "2012-10-17", "Statement": []}).statements


def test_a_missing_version_means_the_language_of_2008() -> None:
    """
    Variables need the newer Version spelled out.
    """
    assert "2008-10-17" == parse_policy({"Statement": []}).version
    assert not parse_policy({"Statement": []}).has_variables
    assert parse_policy({"Version": "2012-10-17", "Statement": []}).has_variables


def test_the_digest_is_that_of_the_canonical_text() -> None:
    """
    The text can be stored by its digest, and reads as the same document again.
    """
    text = canonical_text(DENY_REGIONS)

    assert hashlib.sha256(text.encode()).hexdigest() == parse_policy(DENY_REGIONS).digest
    assert parse_policy(DENY_REGIONS) == parse_policy(text)
    assert text == canonical_text(text)


def test_order_of_keys_and_lists_of_one_do_not_change_the_digest() -> None:
    """
    What is written differently and means the same by the grammar is the same.
    """
    condition = {"StringEquals": {"aws:a": "1", "aws:b": ["2"]}, "Bool": {"aws:c": [True]}}
    turned = {"Bool": {"aws:c": True}, "StringEquals": {"aws:b": "2", "aws:a": ["1"]}}
    one = {"Version": "2012-10-17", "Statement": {**DENY, "Condition": condition}}
    other = {"Statement": [{"Condition": turned, "Resource": ["*"], "Action": ["s3:*"], "Effect": "Deny"}]}

    assert parse_policy(one) == parse_policy({**other, "Version": "2012-10-17"})


@pytest.mark.parametrize(
    "changed",
    [
        {**DENY, "Sid": "x"},
        {**DENY, "Effect": "Allow"},
        {**DENY, "Action": ["s3:*", "ec2:*"]},
        {**DENY, "Condition": {"Bool": {"aws:x": "true"}}},
    ],
)
def test_what_means_something_else_has_another_digest(changed: dict[str, object]) -> None:
    """
    Documents of one digest are interchangeable.
    """
    assert parse_policy({"Statement": DENY}).digest != parse_policy({"Statement": changed}).digest


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        ("", "line 1 column 1", "no JSON: expecting value"),
        ('{"Statement": [}', "line 1 column 16", "no JSON: expecting value"),
        ("[]", "", "expected a policy as an object, found `[]`"),
        ('"text"', "", "expected a policy as an object, found `text`"),
        ({}, "", "expected `Statement`"),
        ({"Statement": [], "statement": []}, "statement", "unknown element `statement`, did you mean `Statement`?"),
        ({"Statement": [], "Comment": "x"}, "Comment", "unknown element `Comment`"),
        ({"Version": "2012-10-18", "Statement": []}, "Version", "found `2012-10-18`"),
        ({"Version": 2012, "Statement": []}, "Version", "found `2012`"),
        ({"Id": 7, "Statement": []}, "Id", "expected text, found `7`"),
        ({"Statement": None}, "Statement", "expected a statement, found `None`"),
        ({"Statement": ["x"]}, "Statement[0]", "expected a statement, found `x`"),
        ({"Statement": [DENY, {**DENY, "Effect": "deny"}]}, "Statement[1].Effect", "found `deny`"),
        ({"Statement": {**DENY, "Effect": None}}, "Statement.Effect", "found `None`"),
        ('{"Statement": {"Effect": "Deny", "Effect": "Allow"}}', "Statement", "key `Effect` stands twice"),
        ("%7B%22Statement%22%3A%20%FF%7D", "", "no UTF-8 text behind the URL encoding"),
        ({"Statement": [{"a": object()}]}, "Statement[0].a", "`object` is no JSON value"),
    ],
)
def test_what_is_no_policy_is_refused_with_its_place(content: object, place: str, reason: str) -> None:
    """
    The error names the element and what was expected there.
    """
    error = refusal(content)

    assert place == error.place
    assert reason in error.reason


@pytest.mark.parametrize(
    "content",
    [
        '{"Statement": []' + " " * MAX_BYTES + "}",
        b'{"Statement": []' + b" " * MAX_BYTES + b"}",
        "%7B" * MAX_BYTES * 2,
        quote('{"Statement": []' + "x" * MAX_BYTES + "}"),
        {"Statement": [DENY] * (MAX_STATEMENTS + 1)},
    ],
)
def test_what_is_far_too_large_is_refused_before_it_is_read(content: object) -> None:
    """
    Size is checked first, in whatever form the policy comes.
    """
    assert "expected at most" in refusal(content).reason


@pytest.mark.parametrize("kind", [PolicyKind.IDENTITY, PolicyKind.SESSION, PolicyKind.BOUNDARY])
def test_policies_of_a_principal_have_no_id(kind: PolicyKind) -> None:
    """
    The grammar keeps Id to policies of a resource; for service control policies it is silent.
    """
    assert "Id" == refusal({"Id": "x", "Statement": []}, kind).place
    assert "x" == parse_policy({"Id": "x", "Statement": []}).id


def test_deep_nesting_is_refused() -> None:
    """
    A hostile document costs no stack.
    """
    assert "nested" in refusal('{"Statement": ' + "[" * 5_000 + "]" * 5_000 + "}").reason


def test_messages_show_only_the_beginning_of_long_input() -> None:
    """
    An error fits into one line of a log.
    """
    assert len(str(refusal({"Version": "x" * 10_000, "Statement": []}))) < 200
