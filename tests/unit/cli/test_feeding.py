from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cloudtrail_cases import CASES
from tests.unit.cli.conftest import Run, Write
from tests.unit.cli.snapshots import snapshot

from rooftree.cli.change_lines import read_change_lines
from rooftree.demo import demo_events

GOOD = json.dumps(demo_events()[1])
AWS = next(case.record for case in CASES if case.name == "attach-policy")


def attached(**altered: Any) -> str:
    """
    An attachment as AWS tells it, with something altered.
    """
    return json.dumps({**AWS, **altered, "detail": {**AWS["detail"], **altered.get("detail", {})}})


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([GOOD, "{"], "events.ndjson:2: "),
        ([GOOD, "", "[]"], "events.ndjson:3: expected an object"),
        ([GOOD.replace("policy.detached", "policy.unheard_of")], "events.ndjson:1: "),
        ([GOOD.replace("p-closeamzq", "closeamzq")], "events.ndjson:1: data.policy_id"),
        ([attached(detail={"eventTime": "today"})], "events.ndjson:1: detail.eventTime"),
        (
            [attached(detail={"requestParameters": {"policyId": "x", "targetId": "r-ab12"}})],
            "requestParameters.policyId",
        ),
        ([json.dumps({"Records": [{"eventName": "AttachPolicy"}]})], "events.ndjson:1: Records[0].eventSource"),
        ([attached(**{"detail-type": "Scheduled Event"})], "events.ndjson:1: detail-type"),
        ([""], "events.ndjson: expected change events, one a line, found none"),
    ],
)
def test_a_wrong_event_is_named_by_its_line(run: Run, write: Write, lines: list[str], said: str) -> None:
    """
    Nothing is sent if one event is wrong, and nobody is connected to.
    """
    outcome = run("publish", write("events.ndjson", "\n".join(lines)))

    assert (2, "", 1) == (outcome.status, outcome.out, outcome.err.count("\n"))
    assert said in outcome.err


def test_an_import_checks_the_snapshot_first(run: Run, write: Write) -> None:
    """
    A snapshot that contradicts itself is refused with the place, before anything is sent.
    """
    wrong = snapshot()
    wrong["accounts"][1]["parent_id"] = "ou-ab12-cccccccc"

    outcome = run("import", write("wrong.json", wrong))

    assert 2 == outcome.status
    assert "wrong.json: accounts[1].parent_id" in outcome.err


def test_events_of_aws_are_keyed_by_their_organization_where_it_is_known(tmp_path: Path) -> None:
    """
    Or by that which is given, or by their account; a log file falls into its records.
    """
    told = next(case for case in CASES if case.name == "create-ou")
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join([attached(), json.dumps({"Records": [told.detail, AWS["detail"]]}), GOOD]))

    plain = read_change_lines(file)
    given = read_change_lines(file, organization_id="o-givenorganization")

    assert [b"111111111111", b"o-exampleorg", b"111111111111"] == [record.key for record in plain[:3]]
    assert [b"o-givenorganization", b"o-exampleorg", b"o-givenorganization"] == [record.key for record in given[:3]]
    assert told.detail == json.loads(plain[1].value or b"")
    assert plain[3] == given[3]


@pytest.mark.parametrize("command", ["publish", "import"])
def test_without_a_broker_the_status_is_three(run: Run, write: Write, command: str) -> None:
    """
    Good input and no service to give it to.
    """
    content = GOOD if command == "publish" else json.dumps(snapshot())

    outcome = run(command, write("input", content))

    assert (3, 1) == (outcome.status, outcome.err.count("\n"))
    assert "ROOFTREE_KAFKA_BOOTSTRAP is not set" in outcome.err
