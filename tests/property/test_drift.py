"""
What was lost is found by comparing with the truth, whatever is under way meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.generators.histories import Event, History, deliver, disorders, histories

from rooftree.contracts import decode_change
from rooftree.contracts.change_events import change_event
from rooftree.contracts.snapshot_events import encode_event
from rooftree.organization.changes import ChangeType
from rooftree.organization.claims import facts_of
from rooftree.organization.drift import find_drift
from rooftree.organization.export import take_snapshot
from rooftree.organization.observation import Observation
from rooftree.organization.snapshot import Snapshot
from rooftree.organization.tree import Organization
from rooftree.policy.partitions import DEFAULT_PARTITION

PROFILE = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
LATER = timedelta(days=365)


def fold(organization_id: str, events: Iterable[Event]) -> Organization:
    """The facts after some events, from nothing."""
    organization = Organization(organization_id)
    for event in events:
        if "principal" not in event.type:
            organization.merge(facts_of(decode_change(event.to_bytes())))
    return organization


def seen(organization: Organization, moment: datetime) -> Observation:
    """What AWS would say of an organization that is as the facts say."""
    return Observation.of_snapshot(take_snapshot(organization), moment)


def told(organization: Organization) -> Snapshot:
    """All that is in effect, without what hangs of a type that is not enabled."""
    snapshot = take_snapshot(organization)
    return snapshot if snapshot.policy_types else replace(snapshot, attachments=())


def begins_with_the_whole(history: History) -> bool:
    """Whether the root, the management account and the partition are known from the start: of these only snapshots tell."""
    told = [event.data["organization"] for event in history.events if event.type == ChangeType.SNAPSHOT]
    if not told or history.events[0].type != ChangeType.SNAPSHOT:
        return False
    partition = told[0].get("partition", DEFAULT_PARTITION)
    return all(organization.get("partition", partition) == partition for organization in told)


@PROFILE
@given(history=histories(), random=disorders(), share=st.floats(0, 1))
def test_whatever_was_lost_is_found(history: History, random: Random, share: float) -> None:
    """After some events were lost and the rest came in disorder, one comparison leads to the truth, and another finds nothing."""
    assume(begins_with_the_whole(history))
    first, *rest = history.events
    kept = [event for event in rest if random.random() > share]
    truth = fold(history.organization_id, history.events)
    organization = fold(history.organization_id, deliver(random, [first, *kept]))
    moment = history.events[-1].time + LATER

    drift = find_drift(organization, seen(truth, moment))

    assert told(truth) == told(organization)
    assert 0 == drift.postponed
    again = find_drift(organization, seen(truth, moment + LATER))
    assert ((), 0) == (again.changes, again.postponed)


@PROFILE
@given(history=histories(), random=disorders(), share=st.floats(0, 1), at=st.floats(0, 1), seen_at=st.floats(0, 1))
def test_races_are_decided_by_versions(
    history: History, random: Random, share: float, at: float, seen_at: float
) -> None:
    """
    AWS is seen at some time and counts as of an earlier one; what was lost happened before that, and what happened later comes before or after what was found, in any order. The end is the truth.
    """
    assume(begins_with_the_whole(history))
    events = history.events
    start = min(len(events), 1 + int(at * len(events)))
    end = start + int(seen_at * (len(events) - start))
    assume(start == len(events) or events[start - 1].time < events[start].time)
    moment = events[start - 1].time + timedelta(microseconds=1)
    kept = [events[0], *(event for event in events[1:start] if random.random() > share)]
    under_way = [event for event in events[start:] if random.random() < 0.5]
    later = [event for event in events[start:] if event not in under_way]

    known = fold(history.organization_id, [*kept, *under_way])
    drift = find_drift(known, seen(fold(history.organization_id, events[:end]), moment))
    found = [change_event(change) for change in drift.changes]
    organization = fold(history.organization_id, kept)
    arriving = [encode_event(event) for event in found]
    arriving += [event.to_bytes() for event in deliver(random, [*under_way, *later]) if "principal" not in event.type]
    random.shuffle(arriving)
    for value in arriving:
        organization.merge(facts_of(decode_change(value)))

    assert told(fold(history.organization_id, events)) == told(organization)


@PROFILE
@given(history=histories(), random=disorders())
def test_what_was_found_is_read_as_it_was_written(history: History, random: Random) -> None:
    """Each change that was found becomes an event that tells just that change, and says that nobody else told of it."""
    assume(begins_with_the_whole(history))
    truth = fold(history.organization_id, history.events)
    organization = fold(history.organization_id, history.events[: 1 + int(random.random() * len(history.events))])

    drift = find_drift(organization, seen(truth, history.events[-1].time + LATER))

    for change in drift.changes:
        assert change == decode_change(encode_event(change_event(change)))
        assert "reconciliation" == change.origin
