from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.cli.snapshots import snapshot

from rooftree.demo import demo_events

Write = Callable[[str, object], Path]

GOOD = json.dumps(demo_events()[1])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([GOOD, "{"], "events.ndjson:2: "),
        ([GOOD, "", "[]"], "events.ndjson:3: expected an object"),
        ([GOOD.replace("policy.detached", "policy.unheard_of")], "events.ndjson:1: "),
        ([GOOD.replace("p-closeamzq", "closeamzq")], "events.ndjson:1: data.policy_id"),
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


@pytest.mark.parametrize("command", ["publish", "import"])
def test_without_a_broker_the_status_is_three(run: Run, write: Write, command: str) -> None:
    """
    Good input and no service to give it to.
    """
    content = GOOD if command == "publish" else json.dumps(snapshot())

    outcome = run(command, write("input", content))

    assert (3, 1) == (outcome.status, outcome.err.count("\n"))
    assert "ROOFTREE_KAFKA_BOOTSTRAP is not set" in outcome.err
