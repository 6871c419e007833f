from __future__ import annotations

from tests.generators.telling import ORGANIZATION, at

from rooftree.view.audit import Cause
from rooftree.view.journal import Journal
from rooftree.view.patch import GENESIS

CAUSE = Cause("rooftree.changes", "0:7", None, at(3), None, "no JSON")


def test_becoming_incomplete_and_complete_by_one_cause_are_two_events() -> None:
    """Their ids differ although the cause is the same."""
    journal = Journal(ORGANIZATION, 4, GENESIS)
    journal.became_incomplete(CAUSE, reason="no JSON")
    journal.became_complete(CAUSE, reason="no JSON", incomplete_since=at(3))
    assert [5, 6] == [event.revision for event in journal.events]
    assert 2 == len({event.event_id for event in journal.events})


def test_an_event_about_the_organization_has_its_id_as_key() -> None:
    """There is no account to be the key."""
    journal = Journal(ORGANIZATION, 0, GENESIS)
    journal.became_incomplete(CAUSE, reason="no JSON")
    (event,) = journal.events
    assert (ORGANIZATION, None, None) == (event.key, event.account_id, event.verdict)
