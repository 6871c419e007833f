from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.cli.snapshots import ROOT, WORKLOADS, snapshot

from rooftree.contracts.decoding import decode_change
from rooftree.contracts.snapshot_events import encode_event, snapshot_events
from rooftree.demo import demo_snapshot
from rooftree.organization.claims import facts_of
from rooftree.organization.export import take_snapshot
from rooftree.organization.snapshot import Snapshot
from rooftree.organization.snapshot_reader import parse_snapshot
from rooftree.organization.tree import Organization
from rooftree.view.projection import OrganizationView

EARLIER = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 2, 1, tzinfo=UTC)


def told(document: dict[str, Any], *, time: datetime = LATER, max_bytes: int = 900_000) -> list[dict[str, object]]:
    """
    Return the events for a snapshot.
    """
    return snapshot_events(parse_snapshot(document), document, time, max_bytes=max_bytes)


def fold(events: list[dict[str, object]]) -> Snapshot:
    """
    Return the organization that the events lead to.
    """
    changes = [decode_change(encode_event(event)) for event in events]
    organization = Organization(changes[0].organization_id)
    for change in changes:
        organization.merge(facts_of(change))
    return take_snapshot(organization)


def in_parts(document: dict[str, Any], *, time: datetime = LATER) -> list[dict[str, object]]:
    """
    Return the events for a snapshot that is taken to be too large for one.
    """
    return told(document, time=time, max_bytes=10)


def test_a_snapshot_that_fits_is_one_event() -> None:
    """
    It is applied at once, and each account is compared once.
    """
    [event] = told(snapshot())

    assert "rooftree.organization.snapshot.v1" == event["type"]
    assert snapshot() == event["data"]


@pytest.mark.parametrize("document", [snapshot(), snapshot(regions_on=(ROOT, WORKLOADS)), demo_snapshot()])
def test_a_snapshot_in_parts_leads_to_the_same_organization(document: dict[str, Any]) -> None:
    """
    Small events say the same as the one large one.
    """
    events = in_parts(document)

    assert len(events) > 1
    assert fold(told(document)) == fold(events)


@pytest.mark.parametrize("seed", range(5))
def test_the_parts_may_arrive_in_any_order(seed: int) -> None:
    """
    Nothing depends on the order in which the parts are read, or on how often.
    """
    events = in_parts(demo_snapshot())
    shuffled = [*events, *events[::3]]
    random.Random(seed).shuffle(shuffled)

    assert fold(told(demo_snapshot())) == fold(shuffled)


def test_what_the_snapshot_lacks_is_gone_after_its_parts() -> None:
    """
    Accounts, units, policies and attachments that were there before and are not told anew do not stay.
    """
    smaller = snapshot(regions_on=())
    smaller["policies"] = []

    events = [*told(demo_like(), time=EARLIER), *in_parts(smaller)]

    assert fold(told(smaller)) == fold(events)


def test_a_level_without_full_access_never_has_it_for_a_moment() -> None:
    """
    Creating a node implies FullAWSAccess; the event that denies it goes before, so no decision opens and closes.
    """
    bare = snapshot()
    bare["attachments"] = [
        one for one in bare["attachments"] if one != {"policy_id": "p-FullAWSAccess", "target_id": WORKLOADS}
    ]
    view = OrganizationView.load("o-exampleorg")
    view.apply(decode_change(encode_event(told(bare, time=EARLIER)[0])))

    patches = [view.apply(decode_change(encode_event(event))) for event in in_parts(bare)]

    assert [] == [event for patch in patches for event in patch.audit]


def test_telling_the_same_again_changes_nothing() -> None:
    """
    An import of what is so already makes no audit event, in one part or in many.
    """
    view = OrganizationView.load("o-demorooftree")
    view.apply(decode_change(encode_event(told(demo_snapshot(), time=EARLIER)[0])))

    patches = [view.apply(decode_change(encode_event(event))) for event in in_parts(demo_snapshot())]

    assert [] == [event for patch in patches for event in patch.audit]
    assert [] == [departed for patch in patches for departed in patch.departed]


def test_the_first_sight_of_an_organization_in_parts_is_no_change() -> None:
    """
    New accounts never look unlimited for a moment, and the management account never looks limited.
    """
    view = OrganizationView.load("o-demorooftree")

    patches = [view.apply(decode_change(encode_event(event))) for event in in_parts(demo_snapshot())]

    assert [] == [event for patch in patches for event in patch.audit]
    assert len(parse_snapshot(demo_snapshot()).accounts) == len(view.accounts)


def test_events_of_one_import_have_the_same_ids_again() -> None:
    """
    Repeating an import with its time is a repetition of its events, not new ones.
    """
    first, second = in_parts(snapshot()), in_parts(snapshot())

    assert [event["id"] for event in second] == [event["id"] for event in first]
    assert len(first) == len({event["id"] for event in first})


def demo_like() -> dict[str, Any]:
    """
    Return the example organization with more in it than the example has.
    """
    larger = snapshot(regions_on=(ROOT, WORKLOADS))
    larger["organizational_units"].append({"id": "ou-ab12-bbbbbbbb", "name": "Old", "parent_id": WORKLOADS})
    larger["accounts"].append({"id": "444444444444", "name": "old", "parent_id": "ou-ab12-bbbbbbbb"})
    larger["attachments"] += [
        {"policy_id": "p-FullAWSAccess", "target_id": "ou-ab12-bbbbbbbb"},
        {"policy_id": "p-FullAWSAccess", "target_id": "444444444444"},
    ]
    return larger
