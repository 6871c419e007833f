"""
What Rooftree must be allowed to do in AWS: exactly the calls that it makes, and all of them only read.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
"""

from __future__ import annotations

from typing import Final

__all__ = ["account_policy", "organization_policy"]

ORGANIZATION_ACTIONS: Final = (
    "organizations:DescribeAccount",
    "organizations:DescribeOrganization",
    "organizations:DescribeOrganizationalUnit",
    "organizations:DescribePolicy",
    "organizations:ListAccounts",
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListParents",
    "organizations:ListPolicies",
    "organizations:ListPoliciesForTarget",
    "organizations:ListRoots",
    "organizations:ListTargetsForPolicy",
)
ACCOUNT_ACTIONS: Final = ("iam:GetAccountAuthorizationDetails",)

Policy = dict[str, object]


def organization_policy(*, iam_role_name: str | None = None, partition: str = "aws") -> Policy:
    """
    Return the identity policy of whoever reads the organization.

    Args:
        iam_role_name: The role that is assumed in each account; None if principals are not read.
        partition: ``aws``, ``aws-us-gov`` or ``aws-cn``.
    """
    statements = [_allow("RooftreeReadsTheOrganization", ORGANIZATION_ACTIONS, "*")]
    if iam_role_name is not None:
        statements += [
            _allow("RooftreeEntersAccounts", ("sts:AssumeRole",), f"arn:{partition}:iam::*:role/{iam_role_name}"),
            # The account of the caller itself is read without a role.
            _allow("RooftreeReadsItsOwnAccount", ACCOUNT_ACTIONS, "*"),
        ]
    return {"Version": "2012-10-17", "Statement": statements}


def account_policy() -> Policy:
    """
    Return the identity policy of the role in each account.
    """
    return {"Version": "2012-10-17", "Statement": [_allow("RooftreeReadsPrincipals", ACCOUNT_ACTIONS, "*")]}


def _allow(sid: str, actions: tuple[str, ...], resource: str) -> Policy:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resource}
