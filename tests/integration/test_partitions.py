"""
An organization outside of the partition that nearly all are in, whether that is known at once or late.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.integration.service import (
    DENY_REGIONS,
    command,
    event,
    publish,
    read_topic,
    running,
    settled,
    snapshot,
    stored,
    view_of,
)

from rooftree.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

GOVCLOUD = "aws-us-gov"
SHOP = "222222222222"
UNIT = "ou-ab12-aaaaaaaa"
ATTACHED = event("attach", "policy.attached", "2026-01-02T00:00:00Z", policy_id="p-denyregions", target_id=UNIT)
ONLY_ADMIN = {
    "Version": "2012-10-17",
    "Statement": {
        "Sid": "OnlyAdmin",
        "Effect": "Deny",
        "Action": "ec2:*",
        "Resource": "*",
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": f"arn:{GOVCLOUD}:iam::*:role/Admin"}},
    },
}


def told(event_id: str, time: str, *, partition: str | None, attached: bool = False) -> bytes:
    """
    Return a snapshot with a policy that denies something to all but a role in AWS GovCloud (US).
    """
    written = snapshot(event_id, time).decode().replace(json.dumps(DENY_REGIONS), json.dumps(ONLY_ADMIN))
    whole: dict[str, Any] = json.loads(written)
    if partition is not None:
        whole["data"]["organization"]["partition"] = partition
    if attached:
        whole["data"]["attachments"].append({"policy_id": "p-denyregions", "target_id": UNIT})
    return json.dumps(whole).encode()


async def audit_events(settings: Settings) -> list[dict[str, Any]]:
    """
    Return the audit events of the first account, in order.
    """
    events = [json.loads(record.value) for record in await read_topic(settings, settings.audit_topic)]
    return sorted((each for each in events if each["subject"] == SHOP), key=lambda each: str(each["sequence"]))


def arn(name: str) -> str:
    """
    Return the ARN of a role of the account.
    """
    return f"arn:{GOVCLOUD}:iam::{SHOP}:role/{name}"


async def test_a_change_is_told_of_the_principals_that_are_there(settings: Settings) -> None:
    """
    Who is spared is one of the account's own, the example is another one, and all that can be asked agrees with it.
    """
    await publish(settings, told("snapshot", "2026-01-01T00:00:00Z", partition=GOVCLOUD), ATTACHED)
    async with running(settings):
        await settled(settings, records=2)

    [told_event] = await audit_events(settings)
    [change] = told_event["data"]["changes"]
    assert ("tightened", "allow", "explicit_deny") == (
        told_event["data"]["verdict"],
        change["before"],
        change["after"],
    )
    assert [ONLY_ADMIN["Statement"]["Condition"]["ArnNotLike"]["aws:PrincipalArn"]] == change["conditions"][0]["values"]  # type: ignore[index]
    assert arn("Example") == change["witness"]["context"]["aws:PrincipalArn"]
    assert "exact" not in change

    asked = ("ec2:RunInstances", "--json")
    refused = await command(settings, "check", SHOP, *asked)
    admitted = await command(settings, "check", SHOP, *asked, "--context", f"aws:PrincipalArn={arn('Admin')}")
    who = await command(settings, "who-can", *asked)
    supposed = await command(settings, "what-if", "--detach", "DenyRegions:Workloads", "--json")
    assert ("explicit_deny", arn("Example")) == (refused.json["decision"], refused.json["assumed"]["aws:PrincipalArn"])
    assert "allow" == admitted.json["decision"]
    assert ["111111111111"] == [account["account_id"] for account in who.json["accounts"]]
    [gain] = next(line["changes"] for line in supposed.lines if line["account_id"] == SHOP)
    assert ("allowed", arn("Example")) == (gain["direction"], gain["witness"]["context"]["aws:PrincipalArn"])
    assert [0, 0] == [(await command(settings, *words)).status for words in (("verify",), ("audit", "verify"))]


async def test_a_partition_that_is_told_late_sets_right_what_was_reported(settings: Settings) -> None:
    """
    The role was taken for nobody's, so all were said to be denied; the past stays as it was reported.
    """
    await publish(settings, told("first", "2026-01-01T00:00:00Z", partition=None), ATTACHED)
    async with running(settings):
        await settled(settings, records=2)
        await publish(settings, told("second", "2026-01-03T00:00:00Z", partition=GOVCLOUD, attached=True))
        await settled(settings, records=3)

    reported, mended = await audit_events(settings)
    assert ("tightened", []) == (reported["data"]["verdict"], reported["data"]["changes"][0]["conditions"])
    [change] = mended["data"]["changes"]
    assert ("loosened", "explicit_deny", "allow") == (mended["data"]["verdict"], change["before"], change["after"])
    assert arn("Admin") == change["witness"]["context"]["aws:PrincipalArn"]
    assert "second" == mended["data"]["cause"]["event_id"]

    asked = ("check", SHOP, "ec2:RunInstances", "--context", f"aws:PrincipalArn={arn('Admin')}", "--json")
    permissions = [
        (await command(settings, "permissions", SHOP, "--json", *at)).json["permissions"]
        for at in (("--at", "2026-01-02T12:00:00Z"), ())
    ]
    between = await command(
        settings, "diff", "--from", "2026-01-02T12:00:00Z", "--to", "2026-01-04T00:00:00Z", "--json"
    )
    assert "allow" == (await command(settings, *asked)).json["decision"]
    assert [True, False] == [each["denied"] is not None for each in permissions]
    assert {"loosened"} == {line["verdict"] for line in between.lines}
    exported = await command(settings, "export")
    assert GOVCLOUD == exported.json["organization"]["partition"]

    before = await view_of(settings)
    assert [0, 0] == [(await command(settings, *words)).status for words in (("verify",), ("audit", "verify"))]
    rebuilt = await command(settings, "rebuild", "--json")
    assert (0, 0) == (rebuilt.status, rebuilt.json["organizations"][0]["audit_events"])
    assert before["accounts"] == (await view_of(settings))["accounts"]


async def test_a_partition_that_is_none_waits_as_a_dead_letter(settings: Settings) -> None:
    """
    It is refused with its place, and nothing of the snapshot is taken in.
    """
    await publish(settings, told("snapshot", "2026-01-01T00:00:00Z", partition="govcloud"))
    async with running(settings):
        await settled(settings, records=1)

    [letter] = await stored(settings, "select place, reason from rooftree.dead_letter")
    assert "data.organization.partition" == letter["place"]
    assert "expected `aws`, `aws-cn`," in letter["reason"]
    assert [] == (await view_of(settings))["accounts"]
