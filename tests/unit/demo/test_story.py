from __future__ import annotations

import json
from collections import Counter

import pytest

from rooftree.contracts.decoding import decode_change
from rooftree.demo import ORGANIZATION_ID, demo_events
from rooftree.organization.changes import Change
from rooftree.view.patch import AuditEvent
from rooftree.view.projection import OrganizationView


def changes() -> list[Change]:
    """
    Return the demo's events as the service reads them.
    """
    return [decode_change(json.dumps(event).encode()) for event in demo_events()]


@pytest.fixture(scope="module")
def events() -> dict[str, list[AuditEvent]]:
    """
    Return the audit events that each change of the demo makes.
    """
    view = OrganizationView.load(ORGANIZATION_ID)
    return {change.event_id: list(view.apply(change).audit) for change in changes()}


def test_events_have_ids_of_their_own_and_are_in_order() -> None:
    """
    The story can be published as it stands.
    """
    told = changes()

    assert len(told) == len({change.event_id for change in told})
    assert sorted(change.time for change in told) == [change.time for change in told]
    assert 20 <= len(told) <= 35


def test_every_change_has_an_actor() -> None:
    """
    Each audit event of the demo can say by whose hand.
    """
    assert all(change.actor and change.actor.startswith("arn:aws:sts::") for change in changes())


def test_the_first_sight_of_an_organization_is_no_change(events: dict[str, list[AuditEvent]]) -> None:
    """
    Before the snapshot there were no decisions that could have changed.
    """
    assert [] == events["demo-000"]


def test_amazon_q_opens_for_one_unit_and_closes_again(events: dict[str, list[AuditEvent]]) -> None:
    """
    Detaching the policy lets its accounts do more, attaching it again less; only q and codewhisperer are concerned.
    """
    opened, closed = events["demo-001"], events["demo-025"]

    assert {"loosened"} == {event.verdict for event in opened}
    assert {"tightened"} == {event.verdict for event in closed}
    for event in [*opened, *closed]:
        changed = event.data["changes"]
        assert isinstance(changed, list)
        patterns = {pattern for change in changed for pattern in change["actions"]["any_of"]}
        assert {"codewhisperer:*", "q:*"} == patterns


def test_a_rewritten_policy_is_silent(events: dict[str, list[AuditEvent]]) -> None:
    """
    Three statements merged into one, a renamed unit, another address: none changes a decision.
    """
    assert [[], [], []] == [events["demo-002"], events["demo-008"], events["demo-011"]]


def test_the_story_holds_every_verdict(events: dict[str, list[AuditEvent]]) -> None:
    """
    Whoever looks at the demo sees accounts tightened, loosened, and both at once.
    """
    verdicts = Counter(event.verdict for made in events.values() for event in made)

    assert {"tightened", "loosened", "mixed"} == set(verdicts)
