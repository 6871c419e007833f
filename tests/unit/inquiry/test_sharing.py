from __future__ import annotations

import json

import pytest
from tests.generators.telling import (
    ACCOUNT,
    ORGANIZATION,
    OTHER_ACCOUNT,
    POLICY,
    ROOT,
    change,
    snapshot_taken,
)

from rooftree.inquiry.comparing import Report, compare_organizations
from rooftree.inquiry.supposing import Attach, Move, Step, Update, suppose
from rooftree.organization.claims import facts_of
from rooftree.organization.tree import Organization

OF_ONE = f"arn:aws:iam::{ACCOUNT}:role/breaker"


def report_of(*steps: Step) -> Report:
    """What differs after some steps for two accounts at the root."""
    told = Organization(ORGANIZATION, facts_of(change(1, snapshot_taken())))
    organization = suppose(told, [Move(ACCOUNT, ROOT)]).organization
    return compare_organizations(organization, suppose(organization, steps).organization)


def test_accounts_share_how_they_differ_where_policies_do_not_tell_them_apart() -> None:
    """What is compared once is one object, by which its words are shared too."""
    first, second = report_of(Attach(POLICY, ROOT)).differences

    assert first.comparison is second.comparison


def test_a_policy_on_each_account_is_to_blame_on_each() -> None:
    """The change is one, and names both nodes."""
    [block] = report_of(Attach(POLICY, ACCOUNT), Attach(POLICY, OTHER_ACCOUNT)).blocks()

    assert [ACCOUNT, OTHER_ACCOUNT] == [statement["target_id"] for statement in block.change["statements"]]


@pytest.mark.parametrize(("resource", "blocks"), [("arn:aws:iam::*:role/breaker", 1), (OF_ONE, 2)])
def test_an_account_that_a_policy_names_is_told_of_by_itself(resource: str, blocks: int) -> None:
    """To it, the change is about a role of its own; to the other account, about one of somebody else."""
    statement = {"Effect": "Deny", "Action": "iam:PassRole", "Resource": resource}
    content = json.dumps({"Version": "2012-10-17", "Statement": statement})
    report = report_of(Update(POLICY, content), Attach(POLICY, ROOT))

    assert blocks == len(report.blocks())
