from __future__ import annotations

import json
from pathlib import Path

import pytest

from rooftree.benchmarks.guard import Accepted, read_accepted
from rooftree.benchmarks.measure import Measurement, summed_up
from rooftree.errors import InputError


def measured(ratio: float) -> Measurement:
    """
    Return a measurement of so many times its floor.
    """
    return summed_up("latency", "one", "bare", [ratio], [1.0])


def test_a_ratio_within_the_tolerance_is_let_through() -> None:
    """
    Twice as much as was accepted is not worse where that is allowed.
    """
    assert [] == list(Accepted(2.0, {"latency: one": 3.0}).worse([measured(6.0)]))


def test_a_larger_ratio_is_named() -> None:
    """
    With what was accepted, and what is let through.
    """
    (worse,) = Accepted(2.0, {"latency: one": 3.0}).worse([measured(6.5)])

    assert "latency: one: 6.50 times its floor, accepted was 3, at most 6.00" == str(worse)


def test_what_was_accepted_must_be_measured() -> None:
    """
    A guard that looks at nothing would never find anything.
    """
    with pytest.raises(InputError) as raised:
        list(Accepted(2.0, {"latency: another": 3.0}).worse([measured(1.0)]))

    assert "ratios: was accepted, but is not measured: `latency: another`" == str(raised.value)


@pytest.mark.parametrize("text", ["[]", "{", '{"tolerance": 2}', '{"tolerance": 2, "ratios": {"a": "b"}}'])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    """
    With what was expected.
    """
    path = tmp_path / "accepted.json"
    path.write_text(text)

    with pytest.raises(InputError, match="expected `tolerance` and `ratios`"):
        read_accepted(path)


def test_what_is_accepted_in_the_repository_can_be_read() -> None:
    """
    And lets no ratio through that is ten times as large.
    """
    accepted = read_accepted(Path("tests/benchmarks/accepted.json"))

    assert 1 < accepted.tolerance < 10
    assert json.loads(Path("tests/benchmarks/accepted.json").read_text())["ratios"] == accepted.ratios
