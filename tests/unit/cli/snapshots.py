"""
A small organization for the commands that work offline.
"""

from __future__ import annotations

from typing import Any

MANAGEMENT = "111111111111"
SHOP = "222222222222"
LAB = "333333333333"
ROOT = "r-ab12"
WORKLOADS = "ou-ab12-aaaaaaaa"
FULL = "p-FullAWSAccess"

DENY_REGIONS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Regions",
            "Effect": "Deny",
            "NotAction": ["iam:*", "sts:*"],
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}},
        }
    ],
}


def snapshot(*, regions_on: tuple[str, ...] = (WORKLOADS,), content: object = None) -> dict[str, Any]:
    """
    Return three accounts: the management account, one under Workloads, one at the root.
    """
    nodes = (ROOT, WORKLOADS, MANAGEMENT, SHOP, LAB)
    return {
        "organization": {"id": "o-exampleorg", "management_account_id": MANAGEMENT, "feature_set": "ALL"},
        "root": {"id": ROOT, "policy_types": ["SERVICE_CONTROL_POLICY"]},
        "organizational_units": [{"id": WORKLOADS, "name": "Workloads", "parent_id": ROOT}],
        "accounts": [
            {"id": MANAGEMENT, "name": "management", "email": "m@example.com", "parent_id": ROOT, "status": "ACTIVE"},
            {"id": SHOP, "name": "shop", "email": "shop@example.com", "parent_id": WORKLOADS, "status": "ACTIVE"},
            {"id": LAB, "name": "lab", "email": "lab@example.com", "parent_id": ROOT, "status": "ACTIVE"},
        ],
        "policies": [
            {
                "id": "p-regions001",
                "name": "DenyRegions",
                "type": "SERVICE_CONTROL_POLICY",
                "content": content or DENY_REGIONS,
            }
        ],
        "attachments": [
            *({"policy_id": FULL, "target_id": node} for node in nodes),
            *({"policy_id": "p-regions001", "target_id": node} for node in regions_on),
        ],
    }
