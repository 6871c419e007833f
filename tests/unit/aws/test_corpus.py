"""
Each record of the corpus becomes the change that stands beside it.
"""

from __future__ import annotations

import json

import pytest
from tests.cloudtrail_cases import CASES, ORGANIZATION, CloudTrailCase, rereads_of

from rooftree.aws.events import AwsRecords, decode_record, iam, organizations, translate
from rooftree.organization.changes import Change, RereadAsked
from rooftree.organization.timestamps import format_time


def translated(content: object) -> Change | None:
    """
    Return what one record comes to.
    """
    decoded = decode_record(json.dumps(content).encode())
    assert isinstance(decoded, AwsRecords)
    (record,) = decoded.records
    return translate(record, ORGANIZATION)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_record_becomes_the_change_beside_it(case: CloudTrailCase) -> None:
    """
    With its time, its actor and what is to be read anew; the change has the id of the record.
    """
    change = translated(case.record)

    assert case.rereads == rereads_of(change)
    if case.expected is None:
        assert change is None or isinstance(change.data, RereadAsked)
        return
    assert change is not None
    assert case.data == change.data
    assert (case.expected["type"], case.expected["actor"]) == (change.type, change.actor)
    assert case.expected["time"] == format_time(change.time)
    assert (case.detail["eventID"], case.detail["eventSource"]) == (change.event_id, change.source)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_roads_lead_to_the_same_change(case: CloudTrailCase) -> None:
    """
    EventBridge and the log file of a trail deliver the same event.
    """
    (record,) = decode_record(json.dumps({"Records": [case.detail]}).encode()).records  # type: ignore[union-attr]

    assert translated(case.record) == translate(record, ORGANIZATION)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_call_that_failed_changes_nothing(case: CloudTrailCase) -> None:
    """
    Whatever it was.
    """
    failed = {**case.detail, "errorCode": "ConcurrentModificationException", "responseElements": None}

    assert translated(failed) is None


def test_the_corpus_has_every_record_that_is_known() -> None:
    """
    Each with its source.
    """
    told = {case.detail["eventName"] for case in CASES}

    assert set() == {*iam._HANDLERS, *organizations._HANDLERS} - told
    assert all(case.source for case in CASES)
