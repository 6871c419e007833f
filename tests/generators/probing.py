"""
One request after another, decided under the chains that are stored: the plain way to see what has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.generators.shelf import Shelf

from rooftree.policy.chain import UNLIMITED, AttachedPolicy, Chain, Level
from rooftree.policy.context import Context
from rooftree.policy.document import parse_policy
from rooftree.policy.evaluate import Decision, decide_chain
from rooftree.policy.request import Request

__all__ = ["PROBES", "chains", "check_witnesses", "decide"]

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
    for principal in ("arn:aws:iam::{account}:root", "arn:aws:iam::{account}:role/admin")
]


def chains(shelf: Shelf) -> dict[str, Chain]:
    """
    Return the chain of each account that has a place, out of what is stored.
    """
    return {
        account_id: _chain(shelf, account_id, row.chain_id or "")
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


def decide(chain: Chain, account_id: str, request: Request) -> Decision:
    """
    Return the decision on a request of an account.
    """
    values = {
        key: [value.replace("{account}", account_id) for value in values] for key, values in request.context.items()
    }
    return decide_chain(chain, Request(request.action, request.resource, Context(values))).decision


def check_witnesses(account_id: str, data: Mapping[str, Any], before: Chain, after: Chain) -> None:
    """
    Fail if an example in an audit event is not decided as it says, before and after.
    """
    for change in data["changes"]:
        witness = change["witness"]
        request = Request(witness["action"], witness["resource"], Context.from_json(witness["context"]))
        expected = (change["before"], change["after"])
        assert expected == tuple(decide(chain, account_id, request).value for chain in (before, after))
