"""
One request after another, decided under the chains that are stored: the plain way to see what has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.generators.shelf import Shelf

from rooftree.policy.chain import UNLIMITED, AttachedPolicy, Chain, Level
from rooftree.policy.context import Context
from rooftree.policy.document import parse_policy
from rooftree.policy.evaluate import Decision, decide_chain
from rooftree.policy.request import Request

__all__ = ["PROBES", "Bound", "chains", "check_witnesses", "decide"]

# One request for each thing that the policies of generated histories decide about.
PROBES = [
    Request(action, "*", Context.from_json({"aws:RequestedRegion": region, "aws:PrincipalArn": principal}))
    for action in (
        "athena:GetQueryResults",
        "cloudtrail:StopLogging",
        "ec2:RunInstances",
        "organizations:LeaveOrganization",
        "s3:PutBucketPublicAccessBlock",
        "s3:GetObject",
    )
    for region in ("eu-west-1", "us-east-1", "ap-south-1")
    for principal in ("arn:{partition}:iam::{account}:root", "arn:{partition}:iam::{account}:role/admin")
]


@dataclass(frozen=True)
class Bound:
    """
    A chain as that of one account.

    Attributes:
        partition: What the ARNs of its principals name.
    """

    account_id: str
    partition: str
    chain: Chain


def chains(shelf: Shelf) -> dict[str, Bound]:
    """
    Return the chain of each account that has a place, out of what is stored.
    """
    return {
        account_id: Bound(
            account_id, shelf.chains[row.chain_id or ""].partition, _chain(shelf, account_id, row.chain_id or "")
        )
        for account_id, row in shelf.accounts.items()
        if row.placed
    }


def _chain(shelf: Shelf, account_id: str, chain_id: str) -> Chain:
    levels = shelf.chains[chain_id].levels
    if levels is None:
        return UNLIMITED
    *above, own = levels
    return Chain(
        tuple(
            Level(
                target_id,
                tuple(
                    AttachedPolicy(policy.policy_id, policy.name, parse_policy(shelf.documents[policy.digest].content))
                    for policy in level.policies
                ),
            )
            for level, target_id in (*((level, level.target_id) for level in above), (own, account_id))
        )
    )


def decide(bound: Bound, request: Request) -> Decision:
    """
    Return the decision on a request of an account.
    """
    values = {
        key: [value.replace("{account}", bound.account_id).replace("{partition}", bound.partition) for value in values]
        for key, values in request.context.items()
    }
    return decide_chain(bound.chain, Request(request.action, request.resource, Context(values))).decision


def check_witnesses(data: Mapping[str, Any], before: Bound, after: Bound) -> None:
    """
    Fail if an example in an audit event is not decided as it says, before and after, or is of another partition.

    A principal is the same by whichever ARN, should the account have been taken to be in another partition before.
    """
    for change in data["changes"]:
        witness = change["witness"]
        own = f"arn:{after.partition}:"
        assert witness["context"].get("aws:PrincipalArn", own).startswith(own)
        context = {key: value.replace(own, "arn:{partition}:") for key, value in witness["context"].items()}
        request = Request(witness["action"], witness["resource"], Context.from_json(context))
        expected = (change["before"], change["after"])
        assert expected == tuple(decide(bound, request).value for bound in (before, after))
