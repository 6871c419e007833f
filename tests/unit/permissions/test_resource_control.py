"""
Resource control policies: what anybody may do to an account's resources.
"""

from __future__ import annotations

from typing import Any

import pytest

from rooftree.permissions import AccountBinding, Comparison, compare, maximum_permissions
from rooftree.policy.builtin import (
    FULL_AWS_ACCESS,
    FULL_AWS_ACCESS_ID,
    RCP_FULL_AWS_ACCESS,
    RCP_FULL_AWS_ACCESS_ID,
)
from rooftree.policy.chain import AttachedPolicy, Chain, Level
from rooftree.policy.document import parse_policy
from rooftree.policy.kinds import PolicyKind

ACCOUNT = AccountBinding("222222222222", "o-exampleorg", "o-exampleorg/r-ab12/ou-ab12-aaaaaaaa/")
FULL = AttachedPolicy(FULL_AWS_ACCESS_ID, "FullAWSAccess", FULL_AWS_ACCESS)
RCP_FULL = AttachedPolicy(RCP_FULL_AWS_ACCESS_ID, "RCPFullAWSAccess", RCP_FULL_AWS_ACCESS)

OUTSIDERS = {
    "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorg"},
    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
}


def _chain(*statements: dict[str, Any]) -> Chain:
    attached = [
        AttachedPolicy(
            f"p-resource{number}",
            "RCP",
            parse_policy(
                {"Version": "2012-10-17", "Statement": [{"Sid": "Deny", **statement}]}, PolicyKind.RESOURCE_CONTROL
            ),
        )
        for number, statement in enumerate(statements)
    ]
    own = (Level(ACCOUNT.account_id, (FULL,)),)
    return Chain(own, (Level(ACCOUNT.account_id, (RCP_FULL, *attached)),))


def _deny(action: str | list[str], **elements: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*", **elements}


def _compare(before: Chain, after: Chain) -> Comparison:
    return compare(maximum_permissions(before, ACCOUNT), maximum_permissions(after, ACCOUNT))


class TestComparison:
    def test_a_perimeter_denies_outsiders_with_a_stranger_for_a_witness(self) -> None:
        """
        The change says that it is about resources, and its witness is a caller of another organization.
        """
        (change,) = _compare(_chain(), _chain(_deny("s3:*", Condition=OUTSIDERS))).changes(ACCOUNT)

        assert "resource_control" == change["policy_type"]
        assert ["s3:*"] == change["actions"]["any_of"]  # type: ignore[index]
        assert "exact" not in change
        assert {
            "action": "s3:GetObject",
            "resource": "*",
            "context": {"aws:PrincipalIsAWSService": "false", "aws:PrincipalOrgID": "o-otherorg00"},
        } == change["witness"]

    @pytest.mark.parametrize("action", ["ec2:*", "lambda:InvokeFunction", "kms:RetireGrant"])
    def test_actions_that_are_not_covered_stay_as_they_are(self, action: str) -> None:
        """
        A resource control policy has no hold on services that AWS does not list, nor on retiring grants.
        """
        assert "equivalent" == _compare(_chain(), _chain(_deny(action))).verdict

    def test_the_account_settles_whose_resources_they_are(self) -> None:
        """
        A statement about the resources of another account says nothing of this one's.
        """
        others = {"StringEquals": {"aws:ResourceAccount": "999999999999"}}
        own = {"StringEquals": {"aws:ResourceAccount": ACCOUNT.account_id}}

        assert "equivalent" == _compare(_chain(), _chain(_deny("s3:*", Condition=others))).verdict
        (change,) = _compare(_chain(), _chain(_deny("s3:*", Condition=own))).changes(ACCOUNT)
        assert [] == change["conditions"]

    def test_no_caller_is_a_service_and_a_principal_at_once(self) -> None:
        """
        What only such a caller could ask for does not change.
        """
        nobody = {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorg"}, "Bool": {"aws:PrincipalIsAWSService": "true"}}

        assert "equivalent" == _compare(_chain(), _chain(_deny("s3:*", Condition=nobody))).verdict

    def test_service_linked_roles_are_not_bound(self) -> None:
        """
        A statement about them alone decides nothing.
        """
        linked = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/aws-service-role/*"}}

        assert "equivalent" == _compare(_chain(), _chain(_deny("s3:*", Condition=linked))).verdict

    def test_both_sides_are_told_in_one_comparison(self) -> None:
        """
        A service control policy and a resource control policy that come together make changes of both kinds.
        """
        after = _chain(_deny("s3:*"))
        narrow = AttachedPolicy(
            "p-narrow00",
            "SCP",
            parse_policy({"Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}),
        )
        both = Chain((Level(ACCOUNT.account_id, (FULL, narrow)),), after.resource_levels)

        changes = _compare(_chain(), both).changes(ACCOUNT)

        assert [None, "resource_control"] == [change.get("policy_type") for change in changes]


class TestPermissions:
    def test_full_access_alone_has_the_name_that_it_has_without_the_type(self) -> None:
        """
        RCPFullAWSAccess, which hangs everywhere, limits nothing.
        """
        plain = Chain(_chain().levels)

        assert (
            maximum_permissions(plain, ACCOUNT).permissions_id == maximum_permissions(_chain(), ACCOUNT).permissions_id
        )

    def test_the_summary_tells_of_resources(self) -> None:
        """
        What anybody may do to the resources stands beside what the principals may do.
        """
        summary = maximum_permissions(_chain(_deny("s3:*", Condition=OUTSIDERS)), ACCOUNT).summary(ACCOUNT)
        of_resources = summary["resource_control"]

        assert True is summary["unlimited"]
        assert isinstance(of_resources, dict)
        assert [["s3:*"]] == [entry["actions"]["any_of"] for entry in of_resources["conditional"]]
