from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.unit.api.fake_reader import ORGANIZATION, FakeReader, event
from tests.unit.api.test_app import browse

from rooftree.api.pages.verification import verification_of_event, verifications
from rooftree.reading.reader import VerificationRecord
from rooftree.telemetry.metrics import METRICS_REGISTRY

AT = datetime(2026, 3, 1, 3, 17, tzinfo=UTC)
WHOLE = VerificationRecord(ORGANIZATION, "audit", AT, revision=2, part=1, checked=3, faults=0, fault=None)
BROKEN = replace(WHOLE, faults=1, fault="revision 2, part 2: it was altered")
VIEW = VerificationRecord(
    ORGANIZATION, "view", AT, revision=2, part=0, checked=9, faults=3, fault="account 1 name: expected `a`, found `b`"
)


@pytest.mark.parametrize(
    ("record", "position", "state"),
    [
        (None, (1, 1), ("quiet", "Not verified yet")),
        (WHOLE, (1, 7), ("good", "Verified")),
        (WHOLE, (2, 1), ("good", "Verified")),
        (WHOLE, (2, 2), ("quiet", "Not verified yet")),
        (BROKEN, (2, 1), ("good", "Verified")),
        (BROKEN, (2, 2), ("bad", "Failed")),
        (BROKEN, (3, 1), ("bad", "Failed")),
    ],
)
def test_an_event_stands_as_the_last_verification_left_it(
    record: VerificationRecord | None, position: tuple[int, int], state: tuple[str, str]
) -> None:
    """
    Up to the first fault everything is whole; what came after a verification that found none is not verified yet.
    """
    found = [VIEW] if record is None else [VIEW, record]

    assert state == verification_of_event(found, position).mark


def test_all_that_can_be_verified_is_listed() -> None:
    """
    With the command for it, whether somebody has given it or not.
    """
    audit, view = verifications([VIEW])

    assert (("quiet", "Not verified yet"), None, "rooftree audit verify") == (audit.mark, audit.at, audit.command)
    assert (("bad", "Failed"), AT, "rooftree verify") == (view.mark, view.at, view.command)
    assert "account 1 name: expected `a`, found `b` and 2 more" == view.words
    assert "3 events, up to change 2" == verifications([WHOLE])[0].words


async def test_the_page_of_a_change_says_whether_it_was_verified() -> None:
    """
    When, and what was found.
    """
    pages = []
    for found in ((), (WHOLE,), (BROKEN,)):
        async with browse(FakeReader(events=[event(1), event(2), event(3)], verified=found)) as client:
            pages.append([(await client.get(f"/{ORGANIZATION}/audit/{number}")).text for number in (2, 3)])
    nobody, whole, broken = pages

    assert all("Nobody has verified the whole chain yet" in page for page in nobody)
    assert "It is whole, and so is all before it." in whole[0]
    assert "2026-03-01" in whole[0]
    assert "The last verification went up to change 2." in whole[1]
    assert "It is whole, and so is all before it." in broken[0]
    assert "revision 2, part 2: it was altered" in broken[1]


async def test_operations_show_what_was_verified_and_what_was_found() -> None:
    """
    On the page and under its own address, which a viewer may see; the metrics tell it of all organizations.
    """
    async with browse(FakeReader(events=[event(1)], verified=[BROKEN, VIEW])) as client:
        page = (await client.get(f"/{ORGANIZATION}/operations")).text
        items = (await client.get("/api/v1/operations/verifications")).json()["items"]
        metrics = (await client.get("/metrics")).text

    assert "revision 2, part 2: it was altered" in page
    assert "and 2 more" in page
    assert [("audit", False, 2, 1, 1), ("view", False, 2, 0, 3)] == [
        (one["subject"], one["verified"], one["revision"], one["part"], one["faults"]) for one in items
    ]
    assert AT.timestamp() == METRICS_REGISTRY.get_sample_value(
        "rooftree_verified_timestamp_seconds", {"subject": "view"}
    )
    assert 'rooftree_verification_failed{subject="view"} 1.0' in metrics
