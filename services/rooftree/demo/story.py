"""
Six weeks in the demo organization, one change event after another.

Among them stand edits that move no decision, a slip that is put right nine minutes later, an allow list
that takes the place of FullAWSAccess, and Amazon Q Developer opened to one organizational unit and closed again.
"""

from __future__ import annotations

from typing import Final

from rooftree.demo.organization import (
    FULL_AWS_ACCESS,
    MANAGEMENT_ACCOUNT_ID,
    ORGANIZATION_ID,
    POLICY_IDS,
    ROOT_ID,
    UNIT_IDS,
    account_id,
    demo_snapshot,
    policy_content,
)

__all__ = ["SOURCE", "demo_events", "demo_snapshot_event"]

SOURCE: Final = "urn:rooftree:demo"
SNAPSHOT_TIME: Final = "2026-09-14T07:00:00Z"
DATA_UNIT_ID: Final = "ou-demo-wldataxx"

ADMIN: Final = "OrganizationAdmin/mara.lind"
SECURITY: Final = "SecurityEngineer/tomasz.wolny"
PIPELINE: Final = "PolicyPipeline/main"
FACTORY: Final = "AccountFactory/requests"

Step = tuple[str, str, str, dict[str, object]]
"""When, by whom, the type of the change, its data."""


def demo_snapshot_event() -> dict[str, object]:
    """
    Return the event that the demo begins with: the organization as it stood.
    """
    return _event("demo-000", (SNAPSHOT_TIME, PIPELINE, "organization.snapshot", demo_snapshot()))


def demo_events() -> list[dict[str, object]]:
    """
    Return all events of the demo in order, the snapshot first.
    """
    steps = [*_amazon_q_opens(), *_users_go(), *_regions(), *_regulated(), *_people_and_accounts(), *_amazon_q_closes()]
    changes = [_event(f"demo-{number:03}", step) for number, step in enumerate(sorted(steps, key=_when), start=1)]
    return [demo_snapshot_event(), *changes]


def _amazon_q_opens() -> list[Step]:
    return [
        ("2026-09-15T08:12:31Z", ADMIN, "policy.detached", _attachment("CloseAmazonQ", "Workloads/NonProd")),
        ("2026-09-16T13:40:02Z", PIPELINE, "policy.updated", _policy("ProtectSecurityServices", edition=2)),
    ]


def _users_go() -> list[Step]:
    return [
        ("2026-09-21T09:05:10Z", PIPELINE, "policy.created", _policy("DenyIamUsers")),
        ("2026-09-21T09:06:44Z", PIPELINE, "policy.attached", _attachment("DenyIamUsers", "PolicyStaging")),
        ("2026-09-23T07:30:00Z", PIPELINE, "policy.attached", _attachment("DenyIamUsers", "Workloads")),
        ("2026-10-01T07:31:12Z", PIPELINE, "policy.updated", _policy("DenyIamUsers", edition=2)),
    ]


def _regions() -> list[Step]:
    return [
        ("2026-09-28T10:00:25Z", PIPELINE, "policy.updated", _policy("RegionGuardrail", edition=2)),
        ("2026-10-06T14:22:09Z", SECURITY, "policy.detached", _attachment("DenyRootUser", "Sandbox")),
        ("2026-10-06T14:31:47Z", SECURITY, "policy.attached", _attachment("DenyRootUser", "Sandbox")),
        ("2026-10-08T08:00:00Z", PIPELINE, "policy.updated", _policy("SandboxLimits", edition=2)),
        ("2026-10-12T11:45:30Z", PIPELINE, "policy.attached", _attachment("RequireCostCenter", "Workloads/NonProd")),
    ]


def _regulated() -> list[Step]:
    regulated = "Workloads/Prod/Regulated"
    return [
        ("2026-10-14T06:00:11Z", SECURITY, "policy.attached", _attachment("AllowRegulatedServices", regulated)),
        ("2026-10-14T06:04:52Z", SECURITY, "policy.detached", _full_access(UNIT_IDS[regulated])),
    ]


def _people_and_accounts() -> list[Step]:
    data_unit: dict[str, object] = {"ou_id": DATA_UNIT_ID, "name": "Data", "parent_id": UNIT_IDS["Workloads"]}
    staging: dict[str, object] = {"ou_id": UNIT_IDS["PolicyStaging"], "name": "PolicyCanary", "parent_id": ROOT_ID}
    return [
        ("2026-09-17T09:00:00Z", FACTORY, "account.created", _account("pricing-test", parent_id=ROOT_ID)),
        ("2026-09-17T09:01:20Z", FACTORY, "account.moved", _move("pricing-test", UNIT_IDS["Workloads/NonProd"])),
        ("2026-09-24T15:10:00Z", ADMIN, "ou.renamed", staging),
        ("2026-10-02T12:00:00Z", ADMIN, "account.updated", _account("crm-prod", email="aws+customers@example.com")),
        ("2026-10-15T10:20:00Z", FACTORY, "account.moved", _move("sandbox-noor", UNIT_IDS["Workloads/NonProd"])),
        ("2026-10-19T08:15:00Z", ADMIN, "ou.created", data_unit),
        ("2026-10-19T08:16:30Z", ADMIN, "policy.attached", _attachment("RequireEncryption", DATA_UNIT_ID)),
        ("2026-10-19T08:20:00Z", ADMIN, "account.moved", _move("data-lake-prod", DATA_UNIT_ID)),
        ("2026-10-21T16:45:00Z", ADMIN, "account.closed", _account("vendor-pos", status="CLOSED")),
        ("2026-10-21T16:46:10Z", ADMIN, "account.moved", _move("vendor-pos", UNIT_IDS["Suspended"])),
        ("2026-10-22T09:00:00Z", ADMIN, "account.removed", _account("hackday-2024")),
    ]


def _amazon_q_closes() -> list[Step]:
    return [("2026-10-26T17:02:58Z", ADMIN, "policy.attached", _attachment("CloseAmazonQ", "Workloads/NonProd"))]


def _when(step: Step) -> str:
    return step[0]


def _event(identifier: str, step: Step) -> dict[str, object]:
    time, actor, kind, data = step
    return {
        "specversion": "1.0",
        "id": identifier,
        "source": SOURCE,
        "type": f"rooftree.{kind}.v1",
        "time": time,
        "actor": f"arn:aws:sts::{MANAGEMENT_ACCOUNT_ID}:assumed-role/{actor}",
        "datacontenttype": "application/json",
        "data": data if kind == "organization.snapshot" else {"organization_id": ORGANIZATION_ID, **data},
    }


def _policy(name: str, *, edition: int = 1) -> dict[str, object]:
    return {
        "policy_id": POLICY_IDS[name],
        "policy_type": "SERVICE_CONTROL_POLICY",
        "name": name,
        "content": policy_content(name, edition=edition),
    }


def _attachment(name: str, target: str) -> dict[str, object]:
    return {"policy_id": POLICY_IDS[name], "target_id": UNIT_IDS.get(target, target)}


def _full_access(target_id: str) -> dict[str, object]:
    return {"policy_id": FULL_AWS_ACCESS, "target_id": target_id}


def _account(name: str, **changed: object) -> dict[str, object]:
    return {"account_id": account_id(name), "name": name, **changed}


def _move(name: str, parent_id: str) -> dict[str, object]:
    return {"account_id": account_id(name), "parent_id": parent_id}
