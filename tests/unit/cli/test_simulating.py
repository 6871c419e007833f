from __future__ import annotations

import io
import json
from typing import Any

import pytest
from tests.cases.simulation_cases import simulation_cases
from tests.unit.cli.conftest import Run, Write
from tests.unit.cli.snapshots import LAB, MANAGEMENT, ROOT, SHOP, WORKLOADS, snapshot

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}]}


def lines(*documents: object) -> str:
    """
    Return documents as NDJSON.
    """
    return "".join(f"{json.dumps(document)}\n" for document in documents)


def request(principal: str = f"arn:aws:iam::{SHOP}:user/alice", **changed: Any) -> dict[str, Any]:
    """
    Return a line with a request that its identity policy allows.
    """
    asked = {"principal": principal, "action": "ec2:RunInstances", "context": {"aws:RequestedRegion": "us-east-1"}}
    policies = changed.pop("policies", {"identity": [{"name": "admin", "policy": EVERYTHING}]})
    return {"id": "one", "request": {**asked, **changed}, "policies": policies}


def test_every_case_is_decided_as_by_the_library(run: Run, write: Write) -> None:
    """
    The same files that the library is held to, all in one run.
    """
    cases = simulation_cases()

    outcome = run("simulate", write("cases.ndjson", lines(*(case.line for case in cases))))

    assert 0 == outcome.status
    assert len(cases) == len(outcome.lines)
    for case, answer in zip(cases, outcome.lines, strict=True):
        assert case.line["id"] == answer["id"]
        case.check(answer)


def test_broken_lines_do_not_stop_the_others(run: Run, write: Write) -> None:
    """
    Each gets an error with its id and place; the status is 2, and the first one is told on stderr.
    """
    broken = {"id": 7, "request": {"principal": "bob", "action": "s3:GetObject"}}
    path = write("some.ndjson", lines(request(), broken) + "no json\n\n" + lines(request()))

    outcome = run("simulate", path)

    assert 2 == outcome.status
    assert ["one", 7, None, "one"] == [line["id"] for line in outcome.lines]
    assert ["allow", None, None, "allow"] == [line.get("decision") for line in outcome.lines]
    assert outcome.lines[1]["error"].startswith("request.principal: expected the ARN of a user")
    assert "no JSON" in outcome.lines[2]["error"]
    assert f"rooftree: {path}:2: request.principal: expected" in outcome.err
    assert 1 == outcome.err.count("\n")


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"action": "s3:*"}, "request.action"),
        ({"action": "GetObject"}, "request.action"),
        ({"resource": "bucket"}, "request.resource"),
        ({"resource_account": "12"}, "request.resource_account"),
        ({"context": {"aws:SourceIp": {"a": 1}}}, "request.context.aws:SourceIp"),
        ({"policies": {"identiy": []}}, "policies.identiy"),
        ({"policies": {"identity": [{"name": "p", "policy": 1}]}}, "policies.identity[0].policy"),
        ({"policies": {"identity": [{"name": "p", "policy": {}}]}}, "policies.identity[0].policy"),
        (
            {"policies": {"session": [{"name": "p", "policy": {"Statement": {"Effect": "Allow"}}}]}},
            "policies.session[0].policy.Statement",
        ),
        ({"policies": {"resource": {"name": "p", "policy": EVERYTHING}}}, "policies.resource.policy.Statement[0]"),
        ({"policies": {"service_control": [{"policies": []}]}}, "policies.service_control[0].target"),
        (
            {"policies": {"resource_control": [{"target": ROOT, "policies": [{"name": "p", "policy": EVERYTHING}]}]}},
            "policies.resource_control[0].policies[0].policy.Statement[0]",
        ),
        ({"policies": {"acl": {"object_ownership": "Mine"}}}, "policies.acl.object_ownership"),
        (
            {
                "policies": {
                    "acl": {"object_ownership": "ObjectWriter", "object": [{"grantee": SHOP, "permission": "ALL"}]}
                }
            },
            "policies.acl.object[0].permission",
        ),
    ],
)
def test_an_error_names_the_place(run: Run, write: Write, changed: dict[str, Any], place: str) -> None:
    """
    Down to the element of a policy.
    """
    outcome = run("simulate", write("some.ndjson", lines(request(**changed))))

    assert 2 == outcome.status
    assert outcome.lines[0]["error"].startswith(f"{place}: ")


def test_bare_policies_and_policies_as_text_are_read(run: Run, write: Write) -> None:
    """
    As AWS gives them out; a policy without a name is called by its place.
    """
    policies = {"identity": [EVERYTHING, {"name": "text", "policy": json.dumps(EVERYTHING)}]}

    outcome = run("simulate", write("some.ndjson", lines(request(policies=policies))))

    assert ["identity[0]", "text"] == [reason["policy"] for reason in outcome.lines[0]["decided_by"]]


def test_standard_input_is_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Under the name ``-``.
    """
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines(request()).encode())))

    outcome = run("simulate", "-")

    assert (0, "allow") == (outcome.status, outcome.lines[0]["decision"])


def test_a_file_that_is_not_there_is_bad_input(run: Run) -> None:
    """
    One line on stderr, nothing on stdout.
    """
    outcome = run("simulate", "nowhere.ndjson")

    assert (2, "") == (outcome.status, outcome.out)
    assert "nowhere.ndjson: no such file" in outcome.err


def test_the_snapshot_gives_control_policies_that_are_left_out(run: Run, write: Write) -> None:
    """
    A member is bound by its chain, the management account by none, and what a line says itself comes first.
    """
    org = write("org.json", snapshot())
    own = {"identity": [{"name": "admin", "policy": EVERYTHING}], "service_control": []}
    asked = lines(
        request(),
        request(f"arn:aws:iam::{LAB}:user/alice"),
        request(f"arn:aws:iam::{MANAGEMENT}:user/alice"),
        request("arn:aws:iam::999999999999:user/alice"),
        request(policies=own),
        request(f"arn:aws:iam::{SHOP}:root", policies={}),
    )

    outcome = run("simulate", write("some.ndjson", asked), "--org", org)

    assert 0 == outcome.status
    assert ["explicit_deny", "allow", "allow", "allow", "allow", "explicit_deny"] == [
        line["decision"] for line in outcome.lines
    ]
    assert [
        {
            "policy_type": "service_control",
            "target": WORKLOADS,
            "policy": "p-regions001",
            "policy_name": "DenyRegions",
            "statement": "Regions",
            "index": 0,
        }
    ] == outcome.lines[0]["decided_by"]


def test_the_snapshot_gives_resource_control_policies_of_the_owner(run: Run, write: Write) -> None:
    """
    With the organization's keys: a perimeter that outsiders do not pass and insiders do.
    """
    content = snapshot()
    content["root"]["policy_types"].append("RESOURCE_CONTROL_POLICY")
    perimeter = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Perimeter",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": "*",
                "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}},
            }
        ],
    }
    content["policies"].append(
        {"id": "p-perimeter1", "name": "Perimeter", "type": "RESOURCE_CONTROL_POLICY", "content": perimeter}
    )
    content["attachments"].append({"policy_id": "p-perimeter1", "target_id": WORKLOADS})
    bucket = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}}
    policies = {"identity": [EVERYTHING], "resource": bucket}
    asked = [
        request(
            principal, action="s3:GetObject", resource="arn:aws:s3:::b/k", resource_account=owner, policies=policies
        )
        for principal, owner in [
            ("arn:aws:iam::999999999999:user/eve", SHOP),
            (f"arn:aws:iam::{LAB}:user/bob", SHOP),
            ("anonymous", SHOP),
            ("arn:aws:iam::999999999999:user/eve", LAB),
        ]
    ]

    outcome = run("simulate", write("some.ndjson", lines(*asked)), "--org", write("org.json", content))

    assert ["explicit_deny", "allow", "explicit_deny", "allow"] == [line["decision"] for line in outcome.lines]
    assert (WORKLOADS, "p-perimeter1") == tuple(outcome.lines[0]["decided_by"][0][key] for key in ("target", "policy"))


def test_a_level_that_does_not_allow_is_named(run: Run, write: Write) -> None:
    """
    An implicit deny has no statement; it has a place all the same.
    """
    policies = {"identity": [EVERYTHING], "service_control": [{"target": ROOT, "policies": []}]}

    outcome = run("simulate", write("some.ndjson", lines(request(policies=policies))))

    assert {
        "id": "one",
        "decision": "implicit_deny",
        "blocked_by": ["service_control"],
        "decided_by": [],
        "missing_levels": [ROOT],
    } == outcome.lines[0]


def test_an_explained_decision_is_a_table_of_layers(run: Run, write: Write) -> None:
    """
    What each kind of policies says, with policy and statement, or why it does not bind.
    """
    policies = {"identity": [{"name": "admin", "policy": EVERYTHING}], "session": [EVERYTHING]}
    path = write("some.ndjson", lines(request(policies=policies)))

    outcome = run("simulate", path, "--explain", "--org", write("org.json", snapshot()))

    rows = [" ".join(row.split()) for row in outcome.out.splitlines()]
    assert "one: explicit_deny: ec2:RunInstances on *" == rows[0]
    assert f"by arn:aws:iam::{SHOP}:user/alice (IAM user)" == rows[1]
    assert f"service control denies denied by DenyRegions, Regions, on {WORKLOADS}" in rows
    assert f"allowed by FullAWSAccess, #0, on {SHOP}" in rows
    assert "identity allows allowed by admin, All" in rows
    assert "session does not bind this is no session" in rows
    assert "resource control none" in rows
    assert "permissions boundaries none" in rows


def test_an_explained_error_does_not_stop_the_others(run: Run, write: Write) -> None:
    """
    A line without an id is called by its number.
    """
    outcome = run("simulate", write("some.ndjson", "[]\n" + lines(request())), "--explain")

    assert 2 == outcome.status
    assert "line 1: error: expected an object" in outcome.out
    assert "one: allow: ec2:RunInstances on *" in outcome.out


def test_layers_come_as_json_too(run: Run, write: Write) -> None:
    """
    With every kind of policies and its outcome in one word.
    """
    outcome = run("simulate", write("some.ndjson", lines(request())), "--explain", "--json")

    assert {
        "resource_control": "absent",
        "service_control": "absent",
        "vpc_endpoint": "absent",
        "resource": "absent",
        "acl": "absent",
        "identity": "allows",
        "permissions_boundaries": "absent",
        "session": "absent",
    } == {layer["policy_type"]: layer["outcome"] for layer in outcome.lines[0]["layers"]}


def test_the_time_of_the_request_is_known(run: Run, write: Write) -> None:
    """
    AWS's clock sets two keys; a time that is given comes first.
    """
    statement = {
        "Effect": "Allow",
        "Action": "*",
        "Resource": "*",
        "Condition": {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z", "aws:EpochTime": "1767225600"}},
    }
    policies = {"identity": [{"Version": "2012-10-17", "Statement": statement}]}
    before = {"AWS:CURRENTTIME": "2025-01-01T00:00:00Z"}

    outcome = run(
        "simulate", write("some.ndjson", lines(request(policies=policies), request(policies=policies, context=before)))
    )

    assert ["allow", "implicit_deny"] == [line["decision"] for line in outcome.lines]
