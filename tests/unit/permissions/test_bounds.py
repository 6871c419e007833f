"""
Policies made to be slow: they end within the bounds, and what is then said is too much rather than too little.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from rooftree.permissions import AccountBinding, compare, maximum_permissions
from rooftree.permissions.witness import determined_context
from rooftree.policy.builtin import FULL_AWS_ACCESS, FULL_AWS_ACCESS_ID
from rooftree.policy.chain import AttachedPolicy, Chain, Level
from rooftree.policy.context import Context
from rooftree.policy.document import parse_policy
from rooftree.policy.evaluate import decide_chain
from rooftree.policy.patterns import action_matches
from rooftree.policy.request import Request

ACCOUNT = AccountBinding("222222222222", "o-exampleorg", "o-exampleorg/r-ab12/ou-ab12-aaaaaaaa/")
FULL = AttachedPolicy(FULL_AWS_ACCESS_ID, "FullAWSAccess", FULL_AWS_ACCESS)
QUOTA = 10_240

Make = Callable[[Random], dict[str, Any]]


def _word(random: Random, length: int) -> str:
    return "".join(random.choice("abc") for _ in range(length))


def _stars(random: Random) -> str:
    return "*".join(_word(random, 2) for _ in range(6))


MADE: dict[str, Make] = {
    "wildcards in actions": lambda random: {"Action": [f"s3:{_stars(random)}" for _ in range(8)], "Resource": "*"},
    "wildcards in resources": lambda random: {
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::*{_stars(random)}" for _ in range(4)],
    },
    "values of one key of several": lambda random: {
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {"ForAnyValue:StringLike": {"aws:TagKeys": [f"*{_word(random, 2)}*" for _ in range(4)]}},
    },
    "many keys": lambda random: {
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {
            "StringEquals": {f"aws:RequestTag/k{random.randrange(60)}": _word(random, 2)},
            "StringNotEquals": {f"aws:RequestTag/k{random.randrange(60)}": _word(random, 1)},
        },
    },
    "many networks": lambda random: {
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {
            "IpAddress": {
                "aws:SourceIp": [f"10.{random.randrange(256)}.{random.randrange(256)}.0/24" for _ in range(12)]
            }
        },
    },
}


def _policy(number: int, make: Make, random: Random) -> AttachedPolicy:
    """
    Return a policy as large as AWS takes.
    """
    statements: list[dict[str, Any]] = []
    while len(json.dumps({"Version": "2012-10-17", "Statement": statements})) < QUOTA - 600:
        statements.append({"Effect": "Deny", **make(random)})
    document = parse_policy({"Version": "2012-10-17", "Statement": statements})
    return AttachedPolicy(f"p-{number:08d}", "slow", document)


def _requests(random: Random) -> list[Request]:
    requests = []
    for _ in range(60):
        context: dict[str, Any] = {
            **{key: list(value) if isinstance(value, tuple) else value for key, value in _determined()},
            "aws:TagKeys": [_word(random, 4)],
            "aws:SourceIp": f"10.{random.randrange(256)}.{random.randrange(256)}.1",
            **{f"aws:RequestTag/k{random.randrange(60)}": _word(random, 2) for _ in range(8)},
        }
        resource = f"arn:aws:s3:::{_stars(random).replace('*', _word(random, 1))}"
        requests.append(Request(f"s3:{_stars(random).replace('*', '')}", resource, Context.from_json(context)))
    return requests


def _determined() -> list[tuple[str, Any]]:
    return list(determined_context(ACCOUNT).items())


@pytest.mark.parametrize("made", MADE)
def test_what_is_too_tangled_is_said_too_widely_rather_than_not_at_all(made: str) -> None:
    """
    Ten policies at the quota, made to be slow, and one more: no sampled flip is missing from what is reported.
    """
    random = Random(7)
    policies = [_policy(number, MADE[made], random) for number in range(11)]
    before, after = (Chain((Level(ACCOUNT.account_id, (FULL, *some)),)) for some in (policies[:-1], policies))

    comparison = compare(maximum_permissions(before, ACCOUNT), maximum_permissions(after, ACCOUNT))
    changes: list[dict[str, Any]] = comparison.changes(ACCOUNT)

    assert changes
    for request in _requests(random):
        decisions = decide_chain(before, request).decision, decide_chain(after, request).decision
        if decisions[0] != decisions[1]:
            assert any(
                (change["before"], change["after"]) == decisions
                and any(action_matches(pattern, request.action) for pattern in change["actions"]["any_of"])
                for change in changes
            )
