"""
Service control policies such as organizations have, as content for generated histories.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CONTENTS", "FULL_ACCESS"]


def _policy(*statements: Mapping[str, object]) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _deny(sid: str, action: object, **elements: object) -> dict[str, object]:
    return {"Sid": sid, "Effect": "Deny", "Action": action, "Resource": "*", **elements}


FULL_ACCESS = _policy({"Effect": "Allow", "Action": "*", "Resource": "*"})

CONTENTS: Mapping[str, Mapping[str, object]] = {
    "DenyLeaving": _policy(_deny("DenyLeaving", "organizations:LeaveOrganization")),
    "DenyRegions": _policy(
        {
            "Sid": "DenyRegions",
            "Effect": "Deny",
            "NotAction": ["iam:*", "organizations:*", "sts:*", "support:*"],
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}},
        }
    ),
    "DenyRegionsWider": _policy(
        {
            "Sid": "DenyRegions",
            "Effect": "Deny",
            "NotAction": ["iam:*", "organizations:*", "sts:*", "support:*"],
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1", "us-east-1"]}},
        }
    ),
    "ProtectTrails": _policy(_deny("ProtectTrails", ["cloudtrail:DeleteTrail", "cloudtrail:StopLogging"])),
    "DenyRootUser": _policy(
        _deny("DenyRootUser", "*", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}})
    ),
    "DenyPublicBuckets": _policy(_deny("DenyPublicBuckets", "s3:PutBucketPublicAccessBlock")),
    "DenyTeamLeaving": _policy(
        _deny("DenyTeamLeaving", "*", Condition={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/team/*"}})
    ),
    "AllowAnalytics": _policy({"Effect": "Allow", "Action": ["athena:*", "glue:*", "s3:Get*"], "Resource": "*"}),
    "AllowAll": FULL_ACCESS,
}
