"""
A large organization as enterprises have it: units by area, line of business, environment and team, policies on some
levels, a few exceptions on accounts, and a history of changes, some of which reach every account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

from rooftree.contracts.decoding import read_change
from rooftree.demo.organization import policy_content
from rooftree.ports.change_log import LogPartition
from rooftree.ports.projection import BatchCommit, OrganizationCommit
from rooftree.store.database import Database
from rooftree.store.projection import PostgresProjection
from rooftree.view.projection import OrganizationView

__all__ = ["ENTERPRISE", "enterprise_events", "store_events"]

ENTERPRISE: Final = "o-enterprise0"
ROOT: Final = "r-en01"
FULL_ACCESS: Final = "p-FullAWSAccess"
AREAS: Final = ("Security", "Infrastructure", "Deployments", "Sandbox", "Suspended", "Workloads")
ENVIRONMENTS: Final = ("Prod", "Staging", "NonProd")
TEAM: Final = 25
"""Accounts of one team in one environment."""

LINE: Final = TEAM * len(ENVIRONMENTS) * 3
"""Accounts of one line of business."""

POLICIES: Final = (
    "DenyLeavingOrganization",
    "ProtectBreakGlass",
    "ProtectSecurityServices",
    "DenyRootUser",
    "RegionGuardrail",
    "RequireImdsV2",
    "RequireEncryption",
    "DenyPublicStorage",
    "RequireCostCenter",
    "ProtectNetwork",
    "DenyIamUsers",
    "CloseAmazonQ",
    "FreezeSuspended",
)
HANGING: Final = {
    ROOT: ("DenyLeavingOrganization", "ProtectBreakGlass", "ProtectSecurityServices"),
    "Workloads": ("DenyRootUser", "RegionGuardrail", "RequireImdsV2"),
    "Prod": ("RequireEncryption", "DenyPublicStorage"),
    "NonProd": ("RequireCostCenter",),
    "Suspended": ("FreezeSuspended",),
}


def enterprise_events(accounts: int) -> Iterator[dict[str, object]]:
    """
    Yield the changes of the organization, a snapshot first; the same for the same number of accounts.
    """
    numbers = count()
    start = datetime(2026, 3, 1, 8, tzinfo=UTC)
    document, units = _snapshot(accounts)

    def event(kind: str, **data: object) -> dict[str, object]:
        number = next(numbers)
        told = data if "organization" in data else {"organization_id": ENTERPRISE, **data}
        return {
            "specversion": "1.0",
            "id": f"enterprise-{number:04d}",
            "source": "urn:rooftree:enterprise",
            "type": f"rooftree.{kind}.v1",
            "time": (start + timedelta(days=3, hours=5) * number).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "sequence": f"{number:06d}",
            "actor": f"arn:aws:sts::999900000000:assumed-role/PlatformAdmin/{('noor', 'mei', 'tomas')[number % 3]}",
            "data": told,
        }

    ids = [str(account["id"]) for account in document["accounts"]]  # type: ignore[attr-defined]
    teams = [unit for unit, name in units if name.startswith("Team")]
    yield event("organization.snapshot", **document)
    yield event("policy.attached", policy_id=_policy_id("ProtectNetwork"), target_id=_unit_id("Workloads"))
    yield event("policy.attached", policy_id=_policy_id("CloseAmazonQ"), target_id=ROOT)
    yield event(
        "policy.updated", policy_id=_policy_id("RegionGuardrail"), content=policy_content("RegionGuardrail", edition=2)
    )
    for number in range(12):
        yield event(
            "account.moved", account_id=ids[-1 - number * 7 % len(ids)], parent_id=teams[number * 5 % len(teams)]
        )
        yield event("policy.attached", policy_id=_policy_id("DenyIamUsers"), target_id=teams[number * 3 % len(teams)])


async def store_events(
    database: Database, events: Iterable[Mapping[str, object]], *, organization_id: str = ENTERPRISE
) -> int:
    """
    Store what the projector would for some changes, with nothing left to be sent; returns how many there were.
    """
    store = PostgresProjection(database, consumer_group="stored", permissions_topic="rooftree.permissions")
    view = OrganizationView.load(organization_id)
    number = 0
    for number, event in enumerate(events):
        patch = view.apply(read_change(event))
        commit = OrganizationCommit(organization_id, number, (patch,), (), None)
        await store.commit(BatchCommit(LogPartition("stored", "stored", 0), number, number + 1, (commit,)))
    return number + 1


def _snapshot(accounts: int) -> tuple[dict[str, object], list[tuple[str, str]]]:
    units: list[tuple[str, str]] = []
    described: list[dict[str, object]] = []
    hanging: list[tuple[str, str]] = [(ROOT, name) for name in HANGING[ROOT]]

    def unit(path: str, parent_id: str) -> str:
        name = path.rpartition("/")[2]
        identifier = _unit_id(path)
        units.append((identifier, name))
        described.append({"id": identifier, "name": name, "parent_id": parent_id})
        hanging.extend((identifier, policy) for policy in HANGING.get(name, ()))
        return identifier

    areas = {name: unit(name, ROOT) for name in AREAS}
    teams: list[str] = []
    for line in range(max(accounts // LINE, 1)):
        line_id = unit(f"Workloads/Line {line:02d}", areas["Workloads"])
        for environment in ENVIRONMENTS:
            environment_id = unit(f"Workloads/Line {line:02d}/{environment}", line_id)
            teams.extend(
                unit(f"Workloads/Line {line:02d}/{environment}/Team {line:02d}-{environment}-{team}", environment_id)
                for team in range(3)
            )
    few = [areas[name] for name in AREAS if name != "Workloads"]
    members = [
        _account(number, ROOT if number == 0 else few[number % 5] if number < 50 else teams[number % len(teams)])
        for number in range(accounts)
    ]
    own = [(str(member["id"]), "DenyPublicStorage") for member in members[60::97]]
    nodes = [ROOT, *(identifier for identifier, _ in units), *(str(member["id"]) for member in members)]
    document: dict[str, object] = {
        "organization": {"id": ENTERPRISE, "management_account_id": members[0]["id"], "feature_set": "ALL"},
        "root": {"id": ROOT, "policy_types": ["SERVICE_CONTROL_POLICY"]},
        "organizational_units": described,
        "accounts": members,
        "policies": [
            {"id": _policy_id(name), "name": name, "type": "SERVICE_CONTROL_POLICY", "content": policy_content(name)}
            for name in POLICIES
        ],
        "attachments": [
            *({"policy_id": FULL_ACCESS, "target_id": node} for node in nodes),
            *({"policy_id": _policy_id(name), "target_id": node} for node, name in [*hanging, *own]),
        ],
    }
    return document, units


def _account(number: int, parent_id: str) -> dict[str, object]:
    identifier = f"{700_000_000_000 + number * 7_919}"
    return {
        "id": identifier,
        "name": "management" if number == 0 else f"app-{number:05d}",
        "email": f"aws+{number}@example.com",
        "parent_id": parent_id,
        "status": "ACTIVE",
    }


def _unit_id(path: str) -> str:
    digits = sum(ord(char) * 131**place for place, char in enumerate(path)) % 36**8
    letters = "0123456789abcdefghijklmnopqrstuvwxyz"
    return "ou-en01-" + "".join(letters[digits // 36**place % 36] for place in range(8))


def _policy_id(name: str) -> str:
    return f"p-{name.lower()[:12]:0<12}"
