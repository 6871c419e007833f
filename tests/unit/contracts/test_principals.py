from __future__ import annotations

import json
from typing import Any

import pytest
from tests.generators.telling import ACCOUNT, ORGANIZATION

from rooftree.contracts import decode_change
from rooftree.errors import ChangeError
from rooftree.organization.changes import PrincipalDeleted, PrincipalsTaken, PrincipalUpdated
from rooftree.policy.document import PolicyKind, canonical_text, parse_policy

ALLOW = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
}
ALLOW_DIGEST = parse_policy(ALLOW, PolicyKind.IDENTITY).digest
TRUST_DIGEST = parse_policy(TRUST, PolicyKind.TRUST).digest
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def decode(kind: str, **data: object) -> Any:
    """The data of a change event about principals."""
    event = {
        "specversion": "1.0",
        "id": "event-1",
        "source": "urn:test",
        "type": f"rooftree.principal.{kind}.v1",
        "time": "2026-01-05T08:00:03Z",
        "data": {"organization_id": ORGANIZATION, "account_id": ACCOUNT, **data},
    }
    return decode_change(json.dumps(event).encode()).data


def test_a_snapshot_names_all_that_there_is() -> None:
    """Documents are kept by their digest, whichever way they are wrapped, and each once."""
    principals = [
        {
            "kind": "role",
            "name": "deploy",
            "arn": f"arn:aws-cn:iam::{ACCOUNT}:role/team/deploy",
            "unique_id": "AROA1",
            "inline_policies": {"main": json.dumps(ALLOW)},
            "attached_policies": [READ_ONLY],
            "permissions_boundary": READ_ONLY,
            "trust_policy": TRUST,
            "tags": {"team": ""},
        },
        {"kind": "user", "name": "alice", "path": "/", "groups": ["admins"]},
    ]
    policies = [{"arn": READ_ONLY, "default_version": "v2", "versions": {"v2": ALLOW}}]
    expected = PrincipalsTaken(
        ACCOUNT,
        {
            "role/deploy": {
                "partition": "aws-cn",
                "path": "/team/",
                "unique_id": "AROA1",
                "permissions_boundary": READ_ONLY,
                "trust_policy": TRUST_DIGEST,
                "inline_policy/main": ALLOW_DIGEST,
                f"attached_policy/{READ_ONLY}": True,
                "tag/team": "",
            },
            "user/alice": {"path": "/", "group/admins": True},
            f"policy/{READ_ONLY}": {"default_version": "v2", "version/v2": ALLOW_DIGEST},
        },
        {ALLOW_DIGEST: canonical_text(ALLOW), TRUST_DIGEST: canonical_text(TRUST)},
    )
    assert expected == decode("snapshot", principals=principals, managed_policies=policies)


def test_an_update_names_what_has_changed() -> None:
    """What is null or false was taken away; what is absent stays as it is."""
    principal = {
        "kind": "user",
        "name": "alice",
        "inline_policies": {"main": ALLOW, "old": None},
        "attached_policies": {READ_ONLY: False},
        "groups": {"admins": True},
        "permissions_boundary": None,
        "tags": {"team": None},
    }
    expected = PrincipalUpdated(
        ACCOUNT,
        "user/alice",
        {
            "permissions_boundary": None,
            "inline_policy/main": ALLOW_DIGEST,
            "inline_policy/old": None,
            f"attached_policy/{READ_ONLY}": False,
            "group/admins": True,
            "tag/team": None,
        },
        {ALLOW_DIGEST: canonical_text(ALLOW)},
    )
    assert expected == decode("updated", principal=principal)
    assert PrincipalUpdated(ACCOUNT, "group/admins", {}) == decode(
        "updated", principal={"kind": "group", "name": "admins"}
    )


def test_another_version_of_a_managed_policy_is_an_update() -> None:
    """As AWS tells it: one call writes a version, another may make it the one in force."""
    arn = f"arn:aws:iam::{ACCOUNT}:policy/team/Own"
    text = {ALLOW_DIGEST: canonical_text(ALLOW)}
    assert PrincipalUpdated(ACCOUNT, f"policy/{arn}", {"version/v3": ALLOW_DIGEST}, text) == decode(
        "updated", managed_policy={"arn": arn, "versions": {"v3": ALLOW}}
    )
    assert PrincipalUpdated(ACCOUNT, f"policy/{arn}", {"default_version": "v1"}) == decode(
        "updated", managed_policy={"arn": arn, "default_version": "v1"}
    )


def test_a_deletion_names_a_principal_or_a_policy() -> None:
    """Nothing else is needed."""
    assert PrincipalDeleted(ACCOUNT, "user/alice") == decode("deleted", principal={"kind": "user", "name": "alice"})
    assert PrincipalDeleted(ACCOUNT, f"policy/{READ_ONLY}") == decode("deleted", managed_policy={"arn": READ_ONLY})


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        ("deleted", {}, "data: expected either `principal` or `managed_policy`"),
        (
            "updated",
            {"principal": {"kind": "user", "name": "a"}, "managed_policy": {"arn": READ_ONLY}},
            "data: expected either `principal` or `managed_policy`",
        ),
        (
            "updated",
            {"principal": {"kind": "user", "name": "a", "trust_policy": TRUST}},
            "data.principal.trust_policy: only a role has one",
        ),
        (
            "updated",
            {"principal": {"kind": "user", "name": "a", "arn": f"arn:aws:iam::{ACCOUNT}:user/b"}},
            f"data.principal.arn: expected the ARN of user `a` in `{ACCOUNT}`, found `arn:aws:iam::{ACCOUNT}:user/b`",
        ),
        (
            "updated",
            {"principal": {"kind": "user", "name": "a", "inline_policies": {"x": {"Statement": {"Effect": "allow"}}}}},
            "data.principal.inline_policies.x.Statement.Effect: expected `Allow` or `Deny`, found `allow`",
        ),
        (
            "updated",
            {"principal": {"kind": "user", "name": "a", "inline_policies": {"x": 7}}},
            "data.principal.inline_policies.x: expected a policy, as an object or as JSON text",
        ),
        (
            "snapshot",
            {"principals": [{"kind": "user", "name": "a"}, {"kind": "user", "name": "a"}]},
            "data.principals[1]: `user/a` is listed twice",
        ),
        (
            "snapshot",
            {"principals": [], "managed_policies": [{"arn": READ_ONLY, "default_version": "v2", "versions": {}}]},
            "data.managed_policies[0].versions: `v2` is missing",
        ),
        ("snapshot", {"principals": [], "part": 3, "parts": 2, "snapshot_id": "x"}, "data.part: expected at most 2"),
        ("snapshot", {"principals": [], "part": 1, "parts": 2}, "data.snapshot_id: is missing from a part"),
        ("snapshot", {}, "data.principals: is missing"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(kind: str, data: dict[str, object], message: str) -> None:
    """The place is a path into the event."""
    with pytest.raises(ChangeError) as caught:
        decode(kind, **data)
    assert str(caught.value).startswith(message)
    assert ORGANIZATION == caught.value.organization_id
