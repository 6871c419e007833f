"""
The demo organization as it stands before the story begins.
"""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from typing import Final

__all__ = [
    "FULL_AWS_ACCESS",
    "MANAGEMENT_ACCOUNT_ID",
    "ORGANIZATION_ID",
    "POLICY_IDS",
    "ROOT_ID",
    "UNIT_IDS",
    "account_id",
    "demo_snapshot",
    "policy_content",
]

ORGANIZATION_ID: Final = "o-demorooftree"
MANAGEMENT_ACCOUNT_ID: Final = "111122223333"
ROOT_ID: Final = "r-demo"
FULL_AWS_ACCESS: Final = "p-FullAWSAccess"

UNIT_IDS: Final = {
    "Security": "ou-demo-security",
    "Infrastructure": "ou-demo-infrastr",
    "Workloads": "ou-demo-workload",
    "Workloads/Prod": "ou-demo-wlprodxx",
    "Workloads/Prod/Regulated": "ou-demo-wlregula",
    "Workloads/NonProd": "ou-demo-wlnonpro",
    "Deployments": "ou-demo-deployme",
    "Sandbox": "ou-demo-sandboxx",
    "PolicyStaging": "ou-demo-policyst",
    "Exceptions": "ou-demo-exceptio",
    "Suspended": "ou-demo-suspende",
}
"""Organizational units by their path of names, parents first."""

ACCOUNT_NAMES: Final = {
    "Security": ("log-archive", "security-audit", "security-tooling"),
    "Infrastructure": ("backup", "dns", "identity", "network", "shared-services"),
    "Workloads/Prod": (
        "catalog-prod",
        "checkout-prod",
        "crm-prod",
        "data-lake-prod",
        "delivery-prod",
        "loyalty-prod",
        "notifications-prod",
        "reporting-prod",
        "search-prod",
        "shop-prod",
        "stock-prod",
        "stores-prod",
    ),
    "Workloads/Prod/Regulated": ("cards-prod", "invoices-prod", "payments-prod"),
    "Workloads/NonProd": (
        "cards-test",
        "catalog-test",
        "checkout-test",
        "crm-test",
        "data-lake-test",
        "delivery-test",
        "invoices-test",
        "loyalty-test",
        "notifications-test",
        "payments-test",
        "reporting-test",
        "search-test",
        "shop-test",
        "stock-test",
        "stores-test",
    ),
    "Deployments": ("artifacts", "delivery-pipeline"),
    "Sandbox": (
        "sandbox-amara",
        "sandbox-bao",
        "sandbox-chidi",
        "sandbox-dilnoza",
        "sandbox-elif",
        "sandbox-farid",
        "sandbox-greta",
        "sandbox-hana",
        "sandbox-noor",
        "sandbox-ml-lab",
    ),
    "PolicyStaging": ("policy-canary-1", "policy-canary-2"),
    "Exceptions": ("legacy-erp", "vendor-pos"),
    "Suspended": ("hackday-2024", "old-intranet"),
}

POLICY_IDS: Final = {
    "AllowRegulatedServices": "p-allowregu",
    "CloseAmazonQ": "p-closeamzq",
    "DenyIamUsers": "p-denyiamus",
    "DenyLeavingOrganization": "p-denyleave",
    "DenyPublicStorage": "p-denypubli",
    "DenyRootUser": "p-denyrootu",
    "FreezeSuspended": "p-freezesus",
    "ProtectBreakGlass": "p-protbreak",
    "ProtectNetwork": "p-protnetwo",
    "ProtectSecurityServices": "p-protsecur",
    "RegionGuardrail": "p-regionsgu",
    "RequireCostCenter": "p-reqcostce",
    "RequireEncryption": "p-reqencryp",
    "RequireImdsV2": "p-reqimdsv2",
    "SandboxLimits": "p-sandboxli",
}

CREATED_LATER: Final = frozenset({"DenyIamUsers"})

ATTACHED: Final = {
    ROOT_ID: ("DenyLeavingOrganization", "ProtectBreakGlass", "ProtectSecurityServices"),
    "Security": ("RegionGuardrail",),
    "Infrastructure": ("CloseAmazonQ", "DenyRootUser", "RegionGuardrail"),
    "Workloads": ("DenyRootUser", "ProtectNetwork", "RegionGuardrail", "RequireImdsV2"),
    "Workloads/Prod": ("CloseAmazonQ", "DenyPublicStorage", "RequireEncryption"),
    "Workloads/NonProd": ("CloseAmazonQ",),
    "Deployments": ("RegionGuardrail",),
    "Sandbox": ("CloseAmazonQ", "DenyRootUser", "ProtectNetwork", "RegionGuardrail", "SandboxLimits"),
    "PolicyStaging": ("DenyRootUser", "RegionGuardrail", "RequireImdsV2"),
    "Exceptions": ("DenyRootUser",),
    "Suspended": ("FreezeSuspended",),
}
"""What is attached beside FullAWSAccess, which stands everywhere at the start."""


def account_id(name: str) -> str:
    """
    Return the id of a demo account: derived from its name, so that adding one moves none.
    """
    number = int.from_bytes(hashlib.sha256(f"rooftree demo {name}".encode()).digest()[:8], "big")
    return str(200_000_000_000 + number % 700_000_000_000)


def policy_content(name: str, *, edition: int = 1) -> dict[str, object]:
    """
    Return the content of a demo policy; some are edited in the course of the story.
    """
    file_name = f"{name}.json" if edition == 1 else f"{name}.{edition}.json"
    text = resources.files("rooftree.demo").joinpath("policies", file_name).read_text("utf-8")
    content: dict[str, object] = json.loads(text)
    return content


def demo_snapshot() -> dict[str, object]:
    """
    Return the whole organization in the form of a snapshot file.
    """
    return {
        "organization": {
            "id": ORGANIZATION_ID,
            "management_account_id": MANAGEMENT_ACCOUNT_ID,
            "feature_set": "ALL",
        },
        "root": {"id": ROOT_ID, "policy_types": ["SERVICE_CONTROL_POLICY"]},
        "organizational_units": _units(),
        "accounts": _accounts(),
        "policies": [_policy(name) for name in POLICY_IDS if name not in CREATED_LATER],
        "attachments": _attachments(),
    }


def _units() -> list[dict[str, object]]:
    return [
        {"id": unit_id, "name": path.rpartition("/")[2], "parent_id": UNIT_IDS.get(path.rpartition("/")[0], ROOT_ID)}
        for path, unit_id in UNIT_IDS.items()
    ]


def _accounts() -> list[dict[str, object]]:
    management = _account(MANAGEMENT_ACCOUNT_ID, "management", ROOT_ID)
    members = [
        _account(account_id(name), name, UNIT_IDS[path]) for path, names in ACCOUNT_NAMES.items() for name in names
    ]
    return [management, *members]


def _account(identifier: str, name: str, parent_id: str) -> dict[str, object]:
    status = "SUSPENDED" if parent_id == UNIT_IDS["Suspended"] else "ACTIVE"
    return {
        "id": identifier,
        "name": name,
        "email": f"aws+{name}@example.com",
        "parent_id": parent_id,
        "status": status,
    }


def _policy(name: str) -> dict[str, object]:
    return {
        "id": POLICY_IDS[name],
        "name": name,
        "type": "SERVICE_CONTROL_POLICY",
        "content": policy_content(name),
    }


def _attachments() -> list[dict[str, object]]:
    nodes = [ROOT_ID, *UNIT_IDS.values(), *(str(account["id"]) for account in _accounts())]
    everywhere: list[dict[str, object]] = [{"policy_id": FULL_AWS_ACCESS, "target_id": node} for node in nodes]
    chosen: list[dict[str, object]] = [
        {"policy_id": POLICY_IDS[name], "target_id": UNIT_IDS.get(target, target)}
        for target, names in ATTACHED.items()
        for name in names
    ]
    return [*everywhere, *chosen]
