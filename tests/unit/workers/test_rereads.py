"""
Requests to read something anew, on their way through the projector.
"""

from __future__ import annotations

import json

import pytest
from tests.generators.telling import ORGANIZATION, POLICY, at, snapshot_document
from tests.unit.workers.fakes import MemoryStore
from tests.unit.workers.test_projector import log_of, project

from rooftree.contracts.rereads import answer_event
from rooftree.organization.timestamps import format_time


def event(second: int, kind: str, data: dict[str, object]) -> bytes:
    """
    Return a change event.
    """
    envelope = {
        "specversion": "1.0",
        "id": f"{kind}-{second}",
        "source": "test",
        "type": f"rooftree.{kind}.v1",
        "time": format_time(at(second)),
    }
    return json.dumps({**envelope, "data": data}).encode()


SNAPSHOT = event(1, "organization.snapshot", snapshot_document())
ASKED = event(
    2,
    "reread.asked",
    {"organization_id": ORGANIZATION, "kind": "policy", "object_id": POLICY, "reason": "its content was not told"},
)
ANSWERED = json.dumps(answer_event(ORGANIZATION, "policy", POLICY, at(3))).encode()


@pytest.mark.parametrize(
    ("records", "complete"),
    [
        pytest.param([SNAPSHOT, ASKED], False, id="asked"),
        pytest.param([SNAPSHOT, ASKED, ANSWERED], True, id="answered"),
        pytest.param([SNAPSHOT, ASKED, ASKED, ANSWERED, ASKED], True, id="asked again by the same event"),
        pytest.param([SNAPSHOT, ASKED, b"{}", ANSWERED], False, id="with a dead letter"),
    ],
)
@pytest.mark.parametrize("size", [1, 500])
async def test_the_mark_goes_with_the_last_answer(records: list[bytes], *, complete: bool, size: int) -> None:
    """
    Unless something else is missing.
    """
    store = MemoryStore()
    log = log_of(store, *records)
    log.size = size
    await project(log, store)
    view = (await store.load_view(ORGANIZATION)).view

    assert complete == view.position.complete
    assert (ANSWERED not in records) == view.in_doubt
