from __future__ import annotations

import hashlib

import pytest
from tests.generators.telling import ORGANIZATION, at

from rooftree.view.audit import Cause, Journal, seal
from rooftree.view.patch import GENESIS

CAUSE = Cause("rooftree.changes", "0:7", None, at(3), None, "no JSON")


def test_a_seal_is_over_the_hash_before_and_the_canonical_data() -> None:
    """Anybody can compute it: keys sorted, no white space, characters as themselves, without the seal itself."""
    data = {"b": [1, True, None], "a": "für", "chain_hash": {"this": "ignored"}}
    text = GENESIS + '{"a":"für","b":[1,true,null]}'
    assert hashlib.sha256(text.encode()).hexdigest() == seal(GENESIS, data)


@pytest.mark.parametrize(
    ("previous", "data"),
    [("1" * 64, {"a": 1}), (GENESIS, {"a": 2}), (GENESIS, {"a": 1, "b": None})],
    ids=["hash before", "value", "field"],
)
def test_whatever_is_altered_breaks_the_seal(previous: str, data: dict[str, object]) -> None:
    """A missing event, a changed value or an added field are noticed."""
    assert seal(GENESIS, {"a": 1}) != seal(previous, data)


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
