from __future__ import annotations

import json
from copy import deepcopy
from typing import Any
from urllib.parse import quote

import pytest
from tests.generators.telling import ACCOUNT

from rooftree.contracts.authorization_details import read_authorization_details
from rooftree.errors import InputError

ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
OWN = f"arn:aws:iam::{ACCOUNT}:policy/Own"
DETAILS: dict[str, Any] = {
    "UserDetailList": [
        {
            "Path": "/team/",
            "UserName": "alice",
            "UserId": "AIDA1",
            "Arn": f"arn:aws:iam::{ACCOUNT}:user/team/alice",
            "CreateDate": "2026-01-01T00:00:00+00:00",
            "UserPolicyList": [{"PolicyName": "main", "PolicyDocument": ALLOW}],
            "GroupList": ["admins"],
            "AttachedManagedPolicies": [{"PolicyName": "ReadOnlyAccess", "PolicyArn": READ_ONLY}],
            "PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": OWN},
            "Tags": [{"Key": "team", "Value": "red"}],
        }
    ],
    "GroupDetailList": [
        {
            "Path": "/",
            "GroupName": "admins",
            "GroupId": "AGPA1",
            "Arn": f"arn:aws:iam::{ACCOUNT}:group/admins",
            "GroupPolicyList": [{"PolicyName": "main", "PolicyDocument": json.dumps(ALLOW)}],
            "AttachedManagedPolicies": [],
        }
    ],
    "RoleDetailList": [
        {
            "Path": "/",
            "RoleName": "deploy",
            "RoleId": "AROA1",
            "Arn": f"arn:aws:iam::{ACCOUNT}:role/deploy",
            "AssumeRolePolicyDocument": quote(json.dumps(TRUST)),
            "InstanceProfileList": [],
            "RolePolicyList": [],
            "AttachedManagedPolicies": [],
            "RoleLastUsed": {},
        }
    ],
    "Policies": [
        {
            "PolicyName": "ReadOnlyAccess",
            "Arn": READ_ONLY,
            "DefaultVersionId": "v2",
            "PolicyVersionList": [
                {"Document": ALLOW, "VersionId": "v2", "IsDefaultVersion": True},
                {"Document": ALLOW, "VersionId": "v1", "IsDefaultVersion": False},
            ],
        },
        {
            "PolicyName": "Own",
            "Arn": OWN,
            "DefaultVersionId": "v1",
            "PolicyVersionList": [
                {"Document": ALLOW, "VersionId": "v2", "IsDefaultVersion": False},
                {"Document": ALLOW, "VersionId": "v1", "IsDefaultVersion": True},
            ],
        },
    ],
}


def read(*documents: object) -> Any:
    """Read pages that stand one after another."""
    return read_authorization_details("\n".join(json.dumps(each) for each in documents).encode(), ACCOUNT)


def test_everything_that_counts_is_read() -> None:
    """Documents in any wrapping come as objects; of AWS's own policies only the version in force is kept."""
    details = read(DETAILS)
    described = {principal["name"]: principal for principal in details.principals}
    assert {
        "kind": "user",
        "name": "alice",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/team/alice",
        "unique_id": "AIDA1",
        "inline_policies": {"main": ALLOW},
        "attached_policies": [READ_ONLY],
        "permissions_boundary": OWN,
        "tags": {"team": "red"},
        "groups": ["admins"],
    } == described["alice"]
    assert {"main": ALLOW} == described["admins"]["inline_policies"]
    assert TRUST == described["deploy"]["trust_policy"]
    assert [
        {"arn": OWN, "name": "Own", "default_version": "v1", "versions": {"v2": ALLOW, "v1": ALLOW}},
        {"arn": READ_ONLY, "name": "ReadOnlyAccess", "default_version": "v2", "versions": {"v2": ALLOW}},
    ] == list(details.managed_policies)


@pytest.mark.parametrize(
    "documents",
    [
        [{name: DETAILS[name], "IsTruncated": name != "Policies"} for name in DETAILS],
        [[{name: DETAILS[name]} for name in DETAILS]],
        [{**DETAILS, "UserDetailList": []}, [{"UserDetailList": DETAILS["UserDetailList"]}, DETAILS]],
    ],
)
def test_pages_may_split_anything(documents: list[object]) -> None:
    """One after another, in a list, or both; what stands on two pages counts once."""
    assert read(DETAILS) == read(*documents)


def wrong(name: str, index: int, **fields: object) -> dict[str, Any]:
    """The details with some fields of one entry replaced."""
    details = deepcopy(DETAILS)
    details[name][index].update(fields)
    return details


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected authorization details, found none"),
        (b"{", "line 1 column 2: no JSON"),
        (b'{"Policies": []}\n{"Policies": [}', "line 1 column 15, after line 1: no JSON"),
        (b"[1]", "[0]: expected an object with `UserDetailList`"),
        (b'{"Policies": []} {"Users": []}', "document 2: expected an object with `UserDetailList`"),
        (b'{"Policies": [], "IsTruncated": true}', "the last page says that there are more"),
        (b'{"Policies": [], "NextToken": "x"}', "the last page says that there are more"),
        (b'{"RoleDetailList": [{"RoleName": "r"}]}', "RoleDetailList[0].Arn: is missing"),
        (
            wrong("UserDetailList", 0, Arn="arn:aws:iam::333333333333:user/team/alice"),
            f"UserDetailList[0].Arn: expected the ARN of user `alice` in `{ACCOUNT}`, found",
        ),
        (
            wrong("GroupDetailList", 0, GroupPolicyList=[{"PolicyName": "x", "PolicyDocument": "{"}]),
            "GroupDetailList[0].GroupPolicyList[0].PolicyDocument, line 1 column 2: no JSON",
        ),
        (
            wrong("RoleDetailList", 0, AssumeRolePolicyDocument=ALLOW),
            "RoleDetailList[0].AssumeRolePolicyDocument.Statement[0]",
        ),
        (wrong("RoleDetailList", 0, AssumeRolePolicyDocument=None), "RoleDetailList[0].AssumeRolePolicyDocument:"),
        (wrong("Policies", 1, DefaultVersionId="v9"), "Policies[1].PolicyVersionList: `v9` is missing"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(content: bytes | dict[str, Any], message: str) -> None:
    """One error, and where it is in the file."""
    with pytest.raises(InputError) as caught:
        read_authorization_details(content if isinstance(content, bytes) else json.dumps(content).encode(), ACCOUNT)
    assert str(caught.value).startswith(message)


def test_two_accounts_of_one_thing_are_refused() -> None:
    """Pages that contradict each other are not of one moment."""
    with pytest.raises(InputError) as caught:
        read(DETAILS, wrong("UserDetailList", 0, UserId="AIDA2"))
    assert "document 2: UserDetailList[0]: `user/alice` is listed twice, and not the same" == str(caught.value)
