"""
Which statements can speak of one request.
"""

from __future__ import annotations

import pytest

from rooftree.permissions import AccountBinding
from rooftree.permissions.binding import bind_statement
from rooftree.permissions.meeting import may_meet, services_of
from rooftree.permissions.predicate import BoundStatement
from rooftree.policy.document import parse_policy

ACCOUNT = AccountBinding("222222222222", "o-exampleorg", "o-exampleorg/r-ab12/")


def _statement(**elements: object) -> BoundStatement:
    document = parse_policy({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Resource": "*", **elements}]})
    bound = bind_statement(document.statements[0], ACCOUNT, variables=True)
    assert bound is not None
    return bound


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"Action": "s3:Get*"}, {"Action": "s3:GetObject"}, True),
        ({"Action": "s3:Get*"}, {"Action": "s3:Put*"}, False),
        ({"Action": "s3:*"}, {"Action": "ec2:*"}, False),
        ({"Action": "*:Tag*"}, {"Action": "ec2:*"}, True),
        ({"Action": "s3:?etObject"}, {"Action": "s3:PutObject"}, True),
        ({"Action": ["s3:GetObject", "iam:PassRole"]}, {"NotAction": "s3:*"}, True),
        ({"Action": ["s3:GetObject", "s3:List*"]}, {"NotAction": ["s3:Get*", "s3:List*"]}, False),
        ({"NotAction": "s3:*"}, {"NotAction": "ec2:*"}, True),
        ({"Action": "*"}, {"NotAction": "s3:*"}, True),
    ],
)
def test_statements_meet_if_some_action_may_be_of_both(
    one: dict[str, object], other: dict[str, object], *, expected: bool
) -> None:
    """
    Judged by what stands before the first wildcard, either way round.
    """
    assert expected is may_meet(_statement(**one), [_statement(**other)])
    assert expected is may_meet(_statement(**other), [_statement(**one)])


@pytest.mark.parametrize(
    ("elements", "expected"),
    [({"Action": ["s3:Get*", "ec2:*"]}, {"s3", "ec2"}), ({"Action": "*"}, None), ({"NotAction": "s3:*"}, None)],
)
def test_a_statement_names_its_services_or_leaves_them_open(
    elements: dict[str, object], expected: set[str] | None
) -> None:
    """
    Without a service before the colon, and with NotAction, any may be meant.
    """
    assert expected == services_of(_statement(**elements))
