"""
One request among all of them: what the diagrams say of it, and when they leave it to the evaluator.
"""

from __future__ import annotations

import pytest

from rooftree.permissions import AccountBinding, maximum_permissions
from rooftree.policy.builtin import FULL_AWS_ACCESS, FULL_AWS_ACCESS_ID
from rooftree.policy.chain import AttachedPolicy, Chain, Level
from rooftree.policy.context import Context
from rooftree.policy.document import parse_policy
from rooftree.policy.evaluate import decide_chain
from rooftree.policy.request import Request

ACCOUNT = AccountBinding("222222222222", "o-exampleorg", "o-exampleorg/r-ab12/")
FULL = AttachedPolicy(FULL_AWS_ACCESS_ID, "FullAWSAccess", FULL_AWS_ACCESS)


def _check(statement: dict[str, object], action: str, context: dict[str, object]) -> None:
    content = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Resource": "*", **statement}]}
    chain = Chain((Level(ACCOUNT.account_id, (FULL, AttachedPolicy("p-1", "one", parse_policy(content)))),))
    request = Request(action, "*", Context.from_json({"aws:PrincipalAccount": ACCOUNT.account_id, **context}))

    assert decide_chain(chain, request).decision is maximum_permissions(chain, ACCOUNT).decide(request)


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "sent"),
    [
        ("ForAllValues:StringEquals", "aws:TagKeys", "team", ["team"]),
        ("ForAllValues:StringEquals", "aws:TagKeys", "team", ["team", ""]),
        ("ForAnyValue:StringEquals", "aws:TagKeys", "", ["team", ""]),
        ("Null", "aws:TagKeys", "true", ""),
        ("StringEquals", "aws:MultiFactorAuthPresent", "true", "true"),
        ("StringEquals", "aws:MultiFactorAuthPresent", "TRUE", "TRUE"),
        ("Bool", "aws:MultiFactorAuthPresent", "true", "TRUE"),
        ("NumericLessThan", "aws:MultiFactorAuthAge", "10", "soon"),
        ("StringEquals", "aws:RequestedRegion", "a", ["a", "b"]),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/A", "arn:aws:iam::222222222222:role/A"),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::222222222222:role/A", "arn:aws:iam::333333333333:role/A"),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/A", "arn:aws:iam:x:222222222222:role/A"),
        ("ArnLike", "aws:PrincipalArn", "*", "nobody"),
    ],
)
def test_odd_values_are_decided_as_the_evaluator_does(operator: str, key: str, wanted: str, sent: object) -> None:
    """
    The diagrams know values that a key can have; a request may hold any text.
    """
    _check({"Action": "*", "Condition": {operator: {key: wanted}}}, "s3:GetObject", {key: sent})


@pytest.mark.parametrize("action", ["s3:GetObject", "S3:GETOBJECT", "s3", "s3:", "x:y:z"])
def test_odd_actions_are_decided_as_the_evaluator_does(action: str) -> None:
    """
    What has no colon is of no service.
    """
    _check({"Action": ["s3:*", "*:y*"]}, action, {})
