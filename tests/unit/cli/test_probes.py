from __future__ import annotations

import pytest
from tests.generators.telling import ORGANIZATION
from tests.unit.cli.conftest import Run, Write

from rooftree.cli.probes import read_probes
from rooftree.errors import UsageError
from rooftree.organization.probes import Probe

ALICE = "arn:aws:iam::222222222222:user/alice"
FILE = f"""
organization: {ORGANIZATION}
probes:
  - name: no-leaving
    principal: {ALICE}
    action: organizations:LeaveOrganization
    context: {{"aws:RequestedRegion": [eu-west-1, us-east-1], "aws:MultiFactorAuthPresent": true}}
    expect: deny
  - {{name: buckets, principal: {ALICE}, action: "s3:ListAllMyBuckets", expect: allow}}
"""


def test_a_file_names_its_probes() -> None:
    """YAML as people write it, with lists and truth values in the context."""
    context = (("aws:MultiFactorAuthPresent", ("true",)), ("aws:RequestedRegion", ("eu-west-1", "us-east-1")))
    expected = [
        Probe("no-leaving", ALICE, "organizations:LeaveOrganization", "*", context, "deny"),
        Probe("buckets", ALICE, "s3:ListAllMyBuckets", "*", (), "allow"),
    ]
    assert (ORGANIZATION, expected) == read_probes(FILE.encode(), "probes.yaml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("probes: [", "probes.yaml: line 1 column 10: no YAML: "),
        ("[]", "probes.yaml: expected `probes`, a list"),
        ("probes: {}", "probes.yaml: expected `probes`, a list"),
        ("organization: 7\nprobes: []", "probes.yaml: organization: expected an id such as"),
        ("probes: [7]", "probes.yaml: probes[0]: expected an object"),
        ("probes: [{name: a}]", "probes.yaml: probes[0].principal: is missing"),
        (FILE.replace("eu-west-1", "{}"), "probes.yaml: probes[0].context.aws:RequestedRegion[0]: expected text"),
        (FILE.replace("buckets", "no-leaving"), "probes.yaml: probes[1].name: `no-leaving` stands twice"),
        (FILE.replace(f"principal: {ALICE},", "principal: bob,"), "probes.yaml: probes[1].principal: expected the ARN"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(content: str, message: str) -> None:
    """The file, and the place in it."""
    with pytest.raises(UsageError) as caught:
        read_probes(content.encode(), "probes.yaml")
    assert str(caught.value).startswith(message)


def test_a_probe_of_the_command_line_is_checked_first(run: Run) -> None:
    """Nobody is connected to for a request that is none."""
    outcome = run("probe", "add", "x", "--principal", "bob", "--action", "s3:GetObject", "--expect", "deny")

    assert (2, "", 1) == (outcome.status, outcome.out, outcome.err.count("\n"))
    assert "principal: expected the ARN" in outcome.err


@pytest.mark.parametrize("command", [["list"], ["rm", "x"], ["apply", "FILE"]])
def test_without_a_service_the_status_is_three(run: Run, write: Write, command: list[str]) -> None:
    """Good input and nobody to give it to."""
    file = write("probes.yaml", FILE)

    outcome = run("probe", *(file if word == "FILE" else word for word in command))

    assert (3, 1) == (outcome.status, outcome.err.count("\n"))
