from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from tests.generators.histories import History, histories
from tests.generators.shelf import Shelf

from rooftree import permissions
from rooftree.contracts import decode_change
from rooftree.policy.chain import UNLIMITED, AttachedPolicy, Chain, Level
from rooftree.policy.context import Context
from rooftree.policy.document import parse_policy
from rooftree.policy.evaluate import Decision, decide_chain
from rooftree.policy.request import Request

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
    """The chain of each account that has a place, out of what is stored."""
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
    """The decision on a request of an account."""
    values = {
        key: [value.replace("{account}", account_id) for value in values] for key, values in request.context.items()
    }
    return decide_chain(chain, Request(request.action, request.resource, Context(values))).decision


@settings(max_examples=25, deadline=None)
@given(history=histories(changes=20))
def test_what_is_told_is_what_one_request_after_another_shows(history: History) -> None:
    """Witnesses are decided as said before and after, and a probe that is decided otherwise has its audit event."""
    shelf = Shelf(history.organization_id)
    view = shelf.load(permissions)
    for event in history.events:
        before = chains(shelf)
        patch = view.apply(decode_change(event.to_bytes()))
        shelf.write(patch)
        after = chains(shelf)
        told = {audit.account_id or "": audit.data for audit in patch.audit}
        for account_id, data in told.items():
            _check_witnesses(account_id, data, before[account_id], after[account_id])
        for account_id in before.keys() & after.keys() - told.keys():
            for probe in PROBES:
                allowed = [
                    decide(chain, account_id, probe) is Decision.ALLOW
                    for chain in (before[account_id], after[account_id])
                ]
                assert allowed[0] is allowed[1]


def _check_witnesses(account_id: str, data: Mapping[str, Any], before: Chain, after: Chain) -> None:
    for change in data["changes"]:
        witness = change["witness"]
        request = Request(witness["action"], witness["resource"], Context.from_json(witness["context"]))
        expected = (change["before"], change["after"])
        assert expected == tuple(decide(chain, account_id, request).value for chain in (before, after))
