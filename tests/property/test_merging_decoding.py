from __future__ import annotations

import json
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.generators.histories import disorders, generate_history

from rooftree.contracts import decode_change
from rooftree.errors import ChangeError
from rooftree.organization.changes import Change

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


def outcome(value: bytes) -> Change | ChangeError:
    """What decoding ends in; any other exception fails the test."""
    try:
        return decode_change(value)
    except ChangeError as error:
        return error


@settings(max_examples=300, deadline=None)
@given(value=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_record_breaks_the_decoder(value: bytes) -> None:
    """Bytes of any kind are a change or are refused in the one way that the projector knows."""
    assert isinstance(outcome(value), ChangeError)


@settings(max_examples=300, deadline=None)
@given(random=disorders(), replacement=JSON)
def test_no_damage_to_an_event_breaks_the_decoder(random: Random, replacement: object) -> None:
    """An event with any part replaced by anything is a change still, or is refused with a disposition."""
    event = random.choice(generate_history(random, changes=5).events).to_json()
    damaged = _damage(random, event, replacement)
    found = outcome(json.dumps(damaged).encode())
    if isinstance(found, ChangeError):
        assert found.disposition in {"undecodable", "unknown_schema", "refused"}
    else:
        assert "o-" == found.organization_id[:2]


def _damage(random: Random, value: object, replacement: object) -> object:
    if not value or not isinstance(value, dict | list) or random.random() < 0.1:
        return replacement
    if isinstance(value, list):
        index = random.randrange(len(value))
        return [_damage(random, item, replacement) if at == index else item for at, item in enumerate(value)]
    chosen = random.choice(list(value))
    return {key: _damage(random, item, replacement) if key == chosen else item for key, item in value.items()}
