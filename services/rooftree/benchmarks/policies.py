"""
Policies to measure with: those of the demo organization, those in a folder, and made-up ones as large as AWS takes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Final

from rooftree.demo import demo_snapshot
from rooftree.errors import UsageError
from rooftree.permissions.catalog import catalog

__all__ = ["demo_policies", "large_policies", "policies_in"]

QUOTA: Final = 10_240
"""Characters of a service control policy.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"""

REGIONS: Final = ("eu-west-1", "eu-central-1", "eu-north-1", "us-east-1", "us-west-2", "ap-south-1")


def demo_policies() -> list[str]:
    """
    Return the texts of the demo organization's policies.
    """
    policies = demo_snapshot()["policies"]
    assert isinstance(policies, Iterable)
    return [json.dumps(policy["content"]) for policy in policies]


def policies_in(folder: Path) -> list[str]:
    """
    Return the texts of the JSON files in a folder, by name.

    Raises:
        UsageError: There are none.
    """
    texts = [path.read_text() for path in sorted(folder.glob("*.json"))]
    if not texts:
        raise UsageError("no file *.json is there", place=str(folder))
    return texts


def large_policies(count: int, *, seed: int) -> list[str]:
    """
    Return made-up denials of real actions, each close to the quota.
    """
    random = Random(seed)  # noqa: S311  # the same policies in every run are what is wanted
    return [_large(random) for _number in range(count)]


def _large(random: Random) -> str:
    statements: list[dict[str, object]] = []
    while True:
        text = json.dumps({"Version": "2012-10-17", "Statement": [*statements, _statement(random, len(statements))]})
        if len(text) > QUOTA:
            return json.dumps({"Version": "2012-10-17", "Statement": statements})
        statements = json.loads(text)["Statement"]


def _statement(random: Random, number: int) -> dict[str, object]:
    actions = [_pattern(random, name) for name in random.sample(catalog().names, random.randint(3, 25))]
    role = f"arn:aws:iam::*:role/{random.choice(['Admin', 'Deploy', 'Audit', 'Network'])}-{random.randint(1, 9)}*"
    conditions = random.choice(
        [
            {"StringNotEquals": {"aws:RequestedRegion": random.sample(REGIONS, 2)}},
            {"ArnNotLike": {"aws:PrincipalArn": [role]}},
            {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
            {"Null": {f"aws:RequestTag/{random.choice(['team', 'cost'])}": "true"}},
            {},
        ]
    )
    statement: dict[str, object] = {"Sid": f"Deny{number}", "Effect": "Deny", "Action": actions, "Resource": "*"}
    return {**statement, "Condition": conditions} if conditions else statement


def _pattern(random: Random, name: str) -> str:
    """
    Return a name as it is, or as the beginning of names.
    """
    service, _, action = name.partition(":")
    return name if random.random() < 0.7 else f"{service}:{action[: random.randint(3, len(action))]}*"
