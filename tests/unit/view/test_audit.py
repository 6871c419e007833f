from __future__ import annotations

import hashlib

import pytest

from rooftree.view.audit import seal
from rooftree.view.patch import GENESIS


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
