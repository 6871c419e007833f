from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Run, Write
from tests.unit.cli.snapshots import DENY_REGIONS, LAB, MANAGEMENT, ROOT, SHOP, WORKLOADS, snapshot


@pytest.fixture
def org(write: Write) -> Path:
    """
    Write the example organization.
    """
    return write("org.json", snapshot())


def test_tree_shows_nodes_with_their_policies(run: Run, org: Path) -> None:
    """
    Units, accounts and what is attached to them, by name.
    """
    outcome = run("tree", "--org", org)

    assert 0 == outcome.status
    assert "Workloads ou-ab12-aaaaaaaa  DenyRegions" in outcome.out
    assert "shop 222222222222" in outcome.out


def test_tree_as_json_is_nested(run: Run, org: Path) -> None:
    """
    The same as one document.
    """
    outcome = run("tree", "--org", org, "--json")

    [organization] = outcome.json["organizations"]
    [unit] = organization["root"]["organizational_units"]
    assert MANAGEMENT == organization["management_account_id"]
    assert (WORKLOADS, 1) == (unit["id"], unit["account_count"])
    assert ["lab", "management"] == [account["name"] for account in organization["root"]["accounts"]]


def test_account_shows_the_chain(run: Run, org: Path) -> None:
    """
    The levels from the root to the account, each with its policies.
    """
    outcome = run("account", SHOP, "--org", org, "--json")

    chain = outcome.json["chain"]
    assert [ROOT, WORKLOADS, SHOP] == [level["target"] for level in chain]
    assert ["FullAWSAccess", "DenyRegions"] == [policy["name"] for policy in chain[1]["policies"]]


@pytest.mark.parametrize(
    ("arguments", "decision", "status"),
    [
        ((SHOP, "ec2:RunInstances", "--context", "aws:RequestedRegion=eu-west-1"), "allow", 0),
        ((SHOP, "ec2:RunInstances", "--context", "aws:RequestedRegion=us-east-1"), "explicit_deny", 1),
        ((SHOP, "ec2:RunInstances", "--context", "AWS:requestedregion=us-east-1"), "explicit_deny", 1),
        ((SHOP, "ec2:RunInstances"), "explicit_deny", 1),
        ((SHOP, "IAM:createuser"), "allow", 0),
        ((LAB, "ec2:RunInstances", "--context", "aws:RequestedRegion=us-east-1"), "allow", 0),
        ((MANAGEMENT, "ec2:RunInstances", "--context", "aws:RequestedRegion=us-east-1"), "allow", 0),
    ],
)
def test_check_decides_one_request(run: Run, org: Path, arguments: tuple[str, ...], decision: str, status: int) -> None:
    """
    The decision under the account's chain; a denial is status 1.
    """
    outcome = run("check", *arguments, "--org", org, "--json")

    assert (status, decision) == (outcome.status, outcome.json["decision"])


def test_check_names_the_statement_and_what_it_assumed(run: Run, org: Path) -> None:
    """
    Keys that AWS always sends are never absent: a value that was not given is said to be assumed.
    """
    answer = run("check", SHOP, "ec2:RunInstances", "--org", org, "--json").json

    assert isinstance(answer, dict)
    [decided_by] = answer["decided_by"]
    assert (
        "DenyRegions",
        "Regions",
        WORKLOADS,
    ) == (decided_by["policy_name"], decided_by["statement"], decided_by["target"])
    assert {"aws:RequestedRegion": "us-east-1"} == answer["assumed"]


def in_govcloud(write: Write, name: str, *, told: bool = True) -> Path:
    """
    Write the example organization with a policy that denies all to all but a role in AWS GovCloud (US).
    """
    condition = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws-us-gov:iam::*:role/Admin"}}
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
    document = snapshot(content={"Version": "2012-10-17", "Statement": [statement]})
    if told:
        document["organization"]["partition"] = "aws-us-gov"
    return write(name, document)


@pytest.mark.parametrize(
    ("arguments", "decision"),
    [
        ((), "explicit_deny"),
        (("--context", f"aws:PrincipalArn=arn:aws-us-gov:iam::{SHOP}:role/Admin"), "allow"),
        (("--context", f"aws:PrincipalArn=arn:aws:iam::{SHOP}:role/Admin"), "explicit_deny"),
    ],
)
def test_a_principal_is_assumed_in_the_partition_of_the_organization(
    run: Run, write: Write, arguments: tuple[str, ...], decision: str
) -> None:
    """
    It can be named by its ARN there; one by another partition's ARN is decided as what it is called.
    """
    answer = run("check", SHOP, "s3:GetObject", *arguments, "--org", in_govcloud(write, "org.json"), "--json").json

    assert isinstance(answer, dict)
    assert decision == answer["decision"]
    assert arguments or {"aws:PrincipalArn": f"arn:aws-us-gov:iam::{SHOP}:role/Example"} == answer["assumed"]


def test_what_is_asked_of_a_snapshot_is_asked_in_its_partition(run: Run, write: Write) -> None:
    """
    What there is, who can, what an account may do at most, and what would change.
    """
    org = in_govcloud(write, "org.json")

    tree = run("tree", "--org", org, "--json").json
    who = run("who-can", "s3:GetObject", "--org", org, "--json").json
    permissions = run("permissions", SHOP, "--org", org, "--json").json
    supposed = run("what-if", "--detach", "DenyRegions:Workloads", "--org", org, "--json").lines

    assert isinstance(tree, dict)
    assert isinstance(who, dict)
    assert isinstance(permissions, dict)
    assert ["aws-us-gov"] == [one["partition"] for one in tree["organizations"]]
    assert [MANAGEMENT, LAB] == [account["account_id"] for account in who["accounts"]]
    assert "arn:aws-us-gov:iam::*:role/Admin" in str(permissions["permissions"]["conditional"])
    [[change]] = [line["changes"] for line in supposed]
    assert f"arn:aws-us-gov:iam::{SHOP}:role/Example" == change["witness"]["context"]["aws:PrincipalArn"]


def test_requests_are_simulated_by_the_arns_that_they_name(run: Run, write: Write) -> None:
    """
    A simulation is asked with a whole ARN, so it does not depend on what the snapshot tells of the partition.
    """
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    asked = "".join(
        json.dumps(
            {
                "id": name,
                "request": {"principal": f"arn:aws-us-gov:iam::{SHOP}:role/{name}", "action": "ec2:RunInstances"},
                "policies": {"identity": [{"name": "all", "policy": everything}]},
            }
        )
        + "\n"
        for name in ("Admin", "Other")
    )

    for told in (True, False):
        org = in_govcloud(write, f"{told}.json", told=told)
        lines = run("simulate", write("asked.ndjson", asked), "--org", org).lines
        assert [("Admin", "allow"), ("Other", "explicit_deny")] == [(line["id"], line["decision"]) for line in lines]


def test_a_partition_that_one_snapshot_does_not_tell_is_no_difference(run: Run, write: Write) -> None:
    """
    An organization never leaves its partition.
    """
    told, untold = (in_govcloud(write, f"{name}.json", told=name == "told") for name in ("told", "untold"))

    for before, after in ((told, untold), (untold, told), (untold, untold)):
        assert 0 == run("diff", "--before", before, "--after", after).status


def test_check_refuses_a_value_that_the_account_cannot_have(run: Run, org: Path) -> None:
    """
    The account determines some keys; another value for them is no question about this account.
    """
    outcome = run("check", SHOP, "s3:GetObject", "--context", f"aws:PrincipalAccount={LAB}", "--org", org)

    assert 2 == outcome.status
    assert f"the account determines `aws:PrincipalAccount`; it is `{SHOP}`" in outcome.err


def test_check_says_which_level_lacks_an_allow(run: Run, write: Write) -> None:
    """
    An implicit deny names the nodes on which nothing allows the request.
    """
    bare = snapshot()
    bare["attachments"] = [
        one for one in bare["attachments"] if one != {"policy_id": "p-FullAWSAccess", "target_id": WORKLOADS}
    ]

    outcome = run("check", SHOP, "iam:CreateUser", "--org", write("bare.json", bare))

    assert 1 == outcome.status
    assert "implicit_deny" in outcome.out
    assert "no policy on Workloads allows it" in outcome.out


def test_who_can_lists_accounts(run: Run, org: Path) -> None:
    """
    Every account whose maximum permissions let the request through, the management account included.
    """
    outcome = run("who-can", "ec2:RunInstances", "--context", "aws:RequestedRegion=us-east-1", "--org", org, "--json")

    names = [account["account_name"] for account in outcome.json["accounts"]]
    assert (0, ["management", "lab"]) == (outcome.status, names)


def test_permissions_are_said_in_words(run: Run, org: Path) -> None:
    """
    What is conditional comes with its condition in words.
    """
    outcome = run("permissions", SHOP, "--org", org)

    assert 0 == outcome.status
    assert "denied when aws:RequestedRegion is not eu-west-1" in outcome.out


def test_the_management_account_has_no_limits(run: Run, org: Path) -> None:
    """
    No service control policy binds it.
    """
    outcome = run("permissions", MANAGEMENT, "--org", org, "--json")

    assert outcome.json["permissions"]["unlimited"] is True


@pytest.mark.parametrize("command", [("account",), ("permissions",), ("check",)])
def test_an_account_that_is_not_there_is_bad_input(run: Run, org: Path, command: tuple[str]) -> None:
    """
    The line names the account.
    """
    action = ["s3:GetObject"] if command == ("check",) else []

    outcome = run(*command, "999999999999", *action, "--org", org)

    assert (2, "rooftree: ACCOUNT: no account `999999999999`\n") == (outcome.status, outcome.err)


def test_a_snapshot_has_no_past(run: Run, org: Path) -> None:
    """
    --at and --org do not go together.
    """
    outcome = run("permissions", SHOP, "--org", org, "--at", "2026-01-01T00:00:00Z")

    assert 2 == outcome.status
    assert "a snapshot holds one moment only" in outcome.err


def test_a_wrong_snapshot_is_named_with_the_place(run: Run, write: Write) -> None:
    """
    File, place in it, and what was expected.
    """
    wrong = snapshot()
    wrong["policies"][0]["content"] = {"Statement": [{"Effect": "Maybe", "Action": "*", "Resource": "*"}]}

    outcome = run("tree", "--org", write("wrong.json", wrong))

    assert (2, 1) == (outcome.status, outcome.err.count("\n"))
    assert "wrong.json: policies[0].content.Statement[0].Effect" in outcome.err


def test_names_from_outside_cannot_steer_the_terminal(run: Run, write: Write) -> None:
    """
    Escape sequences and markup in a name are shown, not obeyed.
    """
    hostile = snapshot()
    hostile["accounts"][1]["name"] = "\x1b[31m[bold]shop"

    tree = run("tree", "--org", write("hostile.json", hostile))
    table = run("who-can", "iam:CreateUser", "--org", write("hostile.json", hostile))

    for outcome in (tree, table):
        assert "\x1b" not in outcome.out
        assert "\\x1b[31m[bold]shop" in outcome.out


def test_equal_snapshots_do_not_differ(run: Run, write: Write) -> None:
    """
    A policy that is written another way and means the same is no difference.
    """
    rewritten = {
        "Version": "2012-10-17",
        "Statement": [{**DENY_REGIONS["Statement"][0], "Sid": "Other", "NotAction": ["sts:*", "IAM:*"]}],
    }

    outcome = run(
        "diff",
        "--before",
        write("before.json", snapshot()),
        "--after",
        write("after.json", snapshot(content=rewritten)),
        "--json",
    )

    assert (0, "") == (outcome.status, outcome.out)


def test_diff_prints_a_line_for_each_account_that_differs(run: Run, write: Write) -> None:
    """
    NDJSON with the verdict and the changes; a difference is status 1.
    """
    before, after = write("before.json", snapshot()), write("after.json", snapshot(regions_on=(ROOT,)))

    outcome = run("diff", "--before", before, "--after", after, "--json")

    assert 1 == outcome.status
    assert [(LAB, "tightened")] == [(line["account_id"], line["verdict"]) for line in outcome.lines]
    [change] = outcome.lines[0]["changes"]
    assert ("denied", "allow", "explicit_deny") == (change["direction"], change["before"], change["after"])


def test_diff_tells_reviewers_each_change_once(run: Run, write: Write) -> None:
    """
    One block for one change, with the accounts that it touches, in Markdown that shows names as they are.
    """
    named = snapshot(regions_on=())
    named["accounts"][2]["name"] = "lab_*1*"
    after = snapshot(regions_on=(ROOT,))
    after["accounts"][2]["name"] = "lab_*1*"

    outcome = run("diff", "--before", write("before.json", named), "--after", write("after.json", after), "--markdown")

    assert 1 == outcome.status
    assert 1 == outcome.out.count("### ")
    assert "### 1. 2 accounts: now denied" in outcome.out
    assert "lab\\_\\*1\\*" in outcome.out
    assert "DenyRegions (Regions) on the root denies" in outcome.out


def test_diff_names_accounts_that_are_in_one_snapshot_only(run: Run, write: Write) -> None:
    """
    What cannot be compared is said not to be compared.
    """
    fewer = snapshot()
    fewer["accounts"] = fewer["accounts"][:2]
    fewer["attachments"] = [one for one in fewer["attachments"] if one["target_id"] != LAB]

    outcome = run("diff", "--before", write("before.json", snapshot()), "--after", write("after.json", fewer))

    assert 0 == outcome.status
    assert f"only before, not compared: {LAB}" in outcome.out


def test_lint_finds_errors_with_their_places(run: Run, write: Write) -> None:
    """
    An error is status 1, with the file, the place and what was expected.
    """
    path = write("policy.json", {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*"}]})

    outcome = run("lint", path)
    as_json = run("lint", path, "--json")

    assert (1, 1) == (outcome.status, as_json.status)
    assert f"{path}: Statement[0]" in outcome.out
    assert "error" == as_json.json[0]["severity"]


def test_lint_passes_a_good_policy(run: Run, write: Write) -> None:
    """
    Warnings and notes alone are no failure.
    """
    outcome = run("lint", write("policy.json", DENY_REGIONS), "--json")

    assert 0 == outcome.status
    assert isinstance(outcome.json, list)
