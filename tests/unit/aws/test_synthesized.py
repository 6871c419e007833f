"""
What the synthesizer delivers is what the service understands.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from tests.generators.aws_events import Deliveries, as_log_file

from rooftree.aws.events import AwsRecords, decode_record, translate
from rooftree.organization.changes import AccountClosed, AccountCreated, AccountRemoved, AccountUpdated, Change

MANAGEMENT = "111111111111"
MEMBER = "222222222222"
NOON = datetime(2026, 1, 5, 12, 30, 5, 123456, tzinfo=UTC)
CREATED = {
    "CreateAccountStatus": {"Id": "car-1", "State": "SUCCEEDED", "AccountId": MEMBER, "CompletedTimestamp": NOON}
}


def changes(events: list[dict[str, Any]]) -> list[Change]:
    """
    Return what events come to.
    """
    decoded = decode_record(json.dumps(as_log_file(events)).encode())
    assert isinstance(decoded, AwsRecords)
    found = (translate(record, "o-exampleorg") for record in decoded.records)
    return [change for change in found if change is not None]


def test_the_result_of_creating_an_account_follows() -> None:
    """
    What is personal is masked, and times are by the second.
    """
    request = {"Email": "shop@example.com", "AccountName": "shop"}
    events = Deliveries(MANAGEMENT).of("CreateAccount", request, CREATED, time=NOON)
    result = events[1]["detail"]["serviceEventDetails"]["createAccountStatus"]

    assert ["CreateAccount", "CreateAccountResult", "AccountJoinedOrganization"] == [
        event["detail"]["eventName"] for event in events
    ]
    assert {"email": "****", "accountName": "****"} == events[0]["detail"]["requestParameters"]
    assert "Jan 5, 2026 12:30:05 PM" == result["completedTimestamp"]
    assert [AccountCreated(MEMBER), AccountCreated(MEMBER)] == [change.data for change in changes(events)]


def test_closing_and_leaving_have_results() -> None:
    """
    An account that leaves says so in its own trail, and the service in that of the management account.
    """
    deliveries = Deliveries(MANAGEMENT)
    closed = deliveries.of("CloseAccount", {"AccountId": MEMBER}, None, time=NOON)
    left = deliveries.of("LeaveOrganization", {}, None, time=NOON, account_id=MEMBER)

    assert [AccountUpdated(MEMBER, status="PENDING_CLOSURE"), AccountClosed(MEMBER)] == [
        change.data for change in changes(closed)
    ]
    assert [MEMBER, MANAGEMENT] == [event["account"] for event in left]
    assert [AccountRemoved(MEMBER)] * 2 == [change.data for change in changes(left)]


def test_reads_and_failures_come_to_nothing() -> None:
    """
    The first are not delivered, the second are and change nothing.
    """
    deliveries = Deliveries(MANAGEMENT)
    failed = deliveries.of("DeletePolicy", {"PolicyId": "p-12345678"}, None, time=NOON, error=("PolicyInUse", "no"))

    assert [] == deliveries.of("DescribePolicy", {"PolicyId": "p-12345678"}, {}, time=NOON)
    assert [] == changes(failed)
    assert 1 == len(failed)
