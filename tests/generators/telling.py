"""
Changes in few words, for tests that tell a story.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rooftree.organization.changes import CHANGE_TYPES, Change, ChangeData, SnapshotTaken
from rooftree.organization.snapshot_reader import parse_snapshot
from rooftree.policy.document import canonical_text

__all__ = [
    "ACCOUNT",
    "DENY_LEAVING",
    "DENY_STOPPING",
    "FULL_ACCESS_ID",
    "MANAGEMENT",
    "ORGANIZATION",
    "OTHER_ACCOUNT",
    "OTHER_OU",
    "OU",
    "POLICY",
    "ROOT",
    "SCP",
    "at",
    "change",
    "deny",
    "snapshot_document",
    "snapshot_taken",
]

ORGANIZATION = "o-exampleorg"
ROOT = "r-ab12"
OU = "ou-ab12-aaaaaaaa"
OTHER_OU = "ou-ab12-bbbbbbbb"
ACCOUNT = "222222222222"
OTHER_ACCOUNT = "333333333333"
MANAGEMENT = "111111111111"
POLICY = "p-examplepol"
FULL_ACCESS_ID = "p-FullAWSAccess"
SCP = "SERVICE_CONTROL_POLICY"


def at(second: int) -> datetime:
    """
    Return a moment, so many seconds into the story.
    """
    return datetime(2026, 1, 5, 8, tzinfo=UTC) + timedelta(seconds=second)


def change(second: int, data: ChangeData, *, sequence: str = "", event_id: str = "") -> Change:
    """
    Return a change that took effect so many seconds into the story.
    """
    kind = CHANGE_TYPES[type(data)]
    return Change(
        event_id=event_id or f"{second}-{kind}",
        source="story",
        type=kind,
        time=at(second),
        sequence=sequence,
        organization_id=ORGANIZATION,
        actor="arn:aws:iam::111111111111:user/alice",
        data=data,
    )


def deny(*actions: str) -> dict[str, object]:
    """
    Return a policy that denies actions.
    """
    return {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Deny", "Effect": "Deny", "Action": list(actions), "Resource": "*"}],
    }


DENY_LEAVING = canonical_text(deny("organizations:LeaveOrganization"))
DENY_STOPPING = canonical_text(deny("cloudtrail:StopLogging"))


def snapshot_document() -> dict[str, object]:
    """
    Return a small organization: a management account and another at the root, two units, one account in the first.
    """
    nodes = (ROOT, OU, OTHER_OU, ACCOUNT, OTHER_ACCOUNT, MANAGEMENT)
    return {
        "organization": {"id": ORGANIZATION, "management_account_id": MANAGEMENT, "feature_set": "ALL"},
        "root": {"id": ROOT, "policy_types": [SCP]},
        "organizational_units": [
            {"id": OU, "name": "Workloads", "parent_id": ROOT},
            {"id": OTHER_OU, "name": "Sandbox", "parent_id": ROOT},
        ],
        "accounts": [
            {"id": MANAGEMENT, "name": "management", "email": "aws@example.com", "parent_id": ROOT},
            {"id": ACCOUNT, "name": "shop-prod", "email": "shop@example.com", "parent_id": OU, "status": "ACTIVE"},
            {"id": OTHER_ACCOUNT, "name": "tools", "parent_id": ROOT, "status": "ACTIVE"},
        ],
        "policies": [
            {"id": POLICY, "name": "DenyLeaving", "type": SCP, "content": deny("organizations:LeaveOrganization")}
        ],
        "attachments": [{"policy_id": FULL_ACCESS_ID, "target_id": node} for node in nodes],
    }


def snapshot_taken() -> SnapshotTaken:
    """
    Return the small organization as a change.
    """
    return SnapshotTaken(parse_snapshot(snapshot_document()))
