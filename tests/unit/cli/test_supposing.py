"""
What would change.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Run, Write
from tests.unit.cli.snapshots import LAB, ROOT, SHOP, snapshot

PERIMETER = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "OwnOrganization",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorg"}},
        }
    ],
}


@pytest.fixture
def org(write: Write) -> Path:
    """
    Write the example organization, with a resource control policy that hangs nowhere.
    """
    document: dict[str, Any] = snapshot()
    document["root"]["policy_types"] = ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"]
    document["policies"].append(
        {"id": "p-perimeter0", "name": "Perimeter", "type": "RESOURCE_CONTROL_POLICY", "content": PERIMETER}
    )
    return write("org.json", document)


def _told(out: str) -> dict[str, Any]:
    return {line["account_id"]: line for line in map(json.loads, out.splitlines())}


def test_attaching_a_policy_shows_the_accounts_that_would_decide_otherwise(run: Run, org: Path) -> None:
    """
    By names: the policy that hangs on one unit would bind the account outside of it as well.
    """
    outcome = run("what-if", "--org", org, "--attach", "DenyRegions:lab", "--json")

    told = _told(outcome.out)
    assert 1 == outcome.status
    assert {LAB: "tightened"} == {account: line["verdict"] for account, line in told.items()}
    assert ["Regions"] == [entry["statement"] for entry in told[LAB]["changes"][0]["statements"]]


def test_all_options_together_are_one_change(run: Run, org: Path) -> None:
    """
    To take a policy off and to hang it on again elsewhere on the chain changes nothing.
    """
    outcome = run("what-if", "--org", org, "--detach", "DenyRegions:Workloads", "--attach", "DenyRegions:shop")

    assert 0 == outcome.status
    assert "No decision differs" in outcome.out


def test_moving_an_account_out_loosens_it(run: Run, org: Path) -> None:
    """
    At the root the unit's policy does not reach it.
    """
    outcome = run("what-if", "--org", org, "--move", f"shop:{ROOT}", "--json")

    assert {SHOP: "loosened"} == {account: line["verdict"] for account, line in _told(outcome.out).items()}


def test_a_resource_control_policy_tells_of_resources(run: Run, org: Path) -> None:
    """
    Attached to the root, it denies outsiders in every member account.
    """
    outcome = run("what-if", "--org", org, "--attach", f"Perimeter:{ROOT}", "--json")

    told = _told(outcome.out)
    kinds = {change.get("policy_type") for line in told.values() for change in line["changes"]}
    assert {SHOP, LAB} == set(told)
    assert {"resource_control"} == kinds


def test_another_content_is_compared_with_the_one_that_hangs(run: Run, org: Path, write: Write) -> None:
    """
    A policy rewritten to deny nothing loosens the accounts below it.
    """
    harmless = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    path = write("harmless.json", harmless)

    outcome = run("what-if", "--org", org, "--update", f"DenyRegions={path}", "--markdown")

    assert 1 == outcome.status
    assert "now allowed" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "what-if: expected --attach, --detach, --update or --move"),
        (("--attach", "DenyRegions"), "--attach: expected two names with `:` between them, found `DenyRegions`"),
        (("--attach", "Nope:Workloads"), "--attach: there is no policy `Nope`"),
        (("--attach", "DenyRegions:Nowhere"), "--attach: there is no node `Nowhere`"),
        (("--attach", "DenyRegions:Workloads"), "--attach: `DenyRegions` hangs already on `Workloads`"),
        (("--detach", "DenyRegions:shop"), "--detach: `DenyRegions` does not hang on `shop`"),
        (("--move", "Workloads:shop"), "--move: expected an account and its new parent, found `Workloads:shop`"),
        (("--update", "FullAWSAccess=x.json"), "--update: `FullAWSAccess` is no policy that can be written anew"),
    ],
)
def test_what_cannot_be_supposed_is_refused(
    run: Run, org: Path, write: Write, arguments: tuple[str, ...], message: str
) -> None:
    """
    One line names the option and what was expected.
    """
    write("x.json", PERIMETER)
    outcome = run("what-if", "--org", org, *arguments)

    assert 2 == outcome.status
    assert message in outcome.err
