"""
Principals and probes from the command line through the broker into the view, and out again.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.integration.service import (
    DENY_REGIONS,
    ORGANIZATION,
    command,
    event,
    publish,
    read_topic,
    running,
    settled,
    snapshot,
    stored,
)

from rooftree.settings import Settings

pytestmark = pytest.mark.integration

SHOP = "222222222222"
DEPLOY = f"arn:aws:iam::{SHOP}:role/deploy"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ALLOW_EC2 = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}
DETAILS = {
    "UserDetailList": [],
    "GroupDetailList": [],
    "RoleDetailList": [
        {
            "RoleName": name,
            "RoleId": f"AROA{name.upper()}",
            "Arn": f"arn:aws:iam::{SHOP}:role/{name}",
            "AssumeRolePolicyDocument": TRUST,
            "RolePolicyList": [{"PolicyName": "main", "PolicyDocument": ALLOW_EC2}] if name == "deploy" else [],
        }
        for name in ("deploy", "idle")
    ],
    "Policies": [],
}
ATTACHED = event(
    "attach", "policy.attached", "2026-01-02T00:00:00Z", policy_id="p-denyregions", target_id="ou-ab12-aaaaaaaa"
)


async def test_what_is_imported_can_be_read_and_published_again(settings: Settings, tmp_path: Path) -> None:
    """
    The list, the views for SQL users, and the JSON, which changes nothing when it comes back.
    """
    file = tmp_path / "details.json"
    file.write_text(json.dumps(DETAILS))
    await publish(settings, snapshot())
    async with running(settings):
        await settled(settings, records=1)
        imported = await command(settings, "import", "iam", file, SHOP, "--time", "2026-01-02T00:00:00Z", "--json")
        listed = await command(settings, "principals", SHOP)
        exported = (await command(settings, "principals", SHOP, "--json")).json
        told = event("again", "principal.snapshot", "2026-01-03T00:00:00Z", **exported)
        await publish(settings, told)
        await settled(settings, records=3)

    assert (0, True, 2) == (imported.status, imported.json["applied"], imported.json["roles"])
    assert ["deploy", "idle"] == [line.split()[1] for line in listed.out.splitlines()[1:]]
    rows = await stored(settings, "select name, since, trust_policy::text from rooftree.principals order by name")
    assert [("deploy", 2), ("idle", 2)] == [(row["name"], row["since"].day) for row in rows]
    assert TRUST["Version"] == json.loads(rows[0]["trust_policy"])["Version"]
    [policy] = await stored(settings, "select arn, use, policy_name from rooftree.principal_policies")
    assert {"arn": DEPLOY, "use": "identity", "policy_name": "main"} == policy
    [fact] = await stored(settings, "select time from rooftree.principal_fact")
    assert 3 == fact["time"].day


async def test_an_attachment_tells_whom_it_touches_and_which_probes_flip(settings: Settings, tmp_path: Path) -> None:
    """
    One event of the account holds all of it, also after the worker has been another one, and what-if has said it before.
    """
    file, probes = tmp_path / "details.json", tmp_path / "probes.yaml"
    file.write_text(json.dumps(DETAILS))
    probes.write_text(
        f"probes:\n- {{name: abroad, principal: '{DEPLOY}', action: 'ec2:RunInstances', expect: deny,"
        " context: {'aws:RequestedRegion': us-east-1}}\n"
    )
    await publish(settings, snapshot())
    async with running(settings):
        await settled(settings, records=1)
        await command(settings, "import", "iam", file, SHOP)
        applied = await command(settings, "probe", "apply", probes, "--json")
        checked = await command(settings, "probe", "list", "--check")
        supposed = await command(settings, "what-if", "--attach", "DenyRegions:Workloads", "--json")
        worded = await command(settings, "what-if", "--attach", "DenyRegions:Workloads")
    await publish(settings, ATTACHED)
    async with running(settings):
        await settled(settings, records=4)
        finally_checked = await command(settings, "probe", "list", "--check", "--json")

    assert (0, 1, 1) == (applied.status, applied.json["published"], checked.status)
    audit = [json.loads(record.value) for record in await read_topic(settings, settings.audit_topic)]
    [data] = [one["data"] for one in audit if one["subject"] == SHOP and one["type"] == "rooftree.decision.changed.v1"]
    [before] = [line for line in supposed.lines if line["account_id"] == SHOP]
    assert (data["verdict"], data["changes"], data["principals"]) == tuple(
        before[name] for name in ("verdict", "changes", "principals")
    )
    assert f"  {DEPLOY}: may do less than before" in worded.out.splitlines()
    [group] = data["principals"]["touched"]
    assert ([DEPLOY], 1) == (group["arns"], data["principals"]["untouched_count"])
    assert ("explicit_deny", True) == (data["probes"][0]["after"], data["probes"][0]["as_expected"])
    assert DENY_REGIONS["Statement"]["Sid"] == data["probes"][0]["decided_by"][0]["statement"]  # type: ignore[index]
    [probe] = finally_checked.json
    assert (0, ORGANIZATION, "explicit_deny") == (finally_checked.status, probe["organization_id"], probe["decision"])


async def test_a_probe_that_is_removed_is_gone(settings: Settings) -> None:
    """
    One that is not there is named, and nothing is sent.
    """
    await publish(settings, snapshot())
    async with running(settings):
        await settled(settings, records=1)
        name = ("--principal", DEPLOY, "--action", "s3:GetObject", "--expect", "deny")
        added = await command(settings, "probe", "add", "one", *name, "--json")
        missing = await command(settings, "probe", "rm", "two")
        removed = await command(settings, "probe", "rm", "one")
        listed = await command(settings, "probe", "list", "--json")

    assert (0, 2, 0) == (added.status, missing.status, removed.status)
    assert "unknown" == added.json["probes"][0]["decision"]
    assert [] == listed.json
