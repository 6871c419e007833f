"""
A short fuzzing of everything that reads bytes, and every input that a long one has found.
"""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzz.mutation import mutate
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS

CASES = sorted(path for path in (Path(__file__).parents[1] / "cases" / "fuzz").glob("*/*") if path.is_file())

SECONDS = 20
"""Of work, for which ordinary inputs need milliseconds; what other processes take of the machine does not count."""


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}: {path.name}")
def test_what_fuzzing_found_stays_mended(path: Path) -> None:
    """
    Each found input ends in the way that its reader declares, and soon.
    """
    started = time.process_time()
    TARGETS[path.parent.name](path.read_bytes())

    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize("target", TARGETS)
def test_ordinary_inputs_hold(target: str) -> None:
    """
    What fuzzing starts from is taken in: otherwise it would only look at refusals.
    """
    assert SEEDS[target]
    for seed in SEEDS[target]:
        TARGETS[target](seed)


@pytest.mark.parametrize("target", TARGETS)
@given(seed=st.integers(0, 2**32), rounds=st.integers(1, 3))
def test_damaged_inputs_end_as_declared(target: str, seed: int, rounds: int) -> None:
    """
    Whatever becomes of an ordinary input, reading it ends, and in no other error than the declared ones.
    """
    random = Random(seed)
    data = random.choice(SEEDS[target])
    for _ in range(rounds):
        data = mutate(random, data)
    started = time.process_time()
    TARGETS[target](data)

    assert time.process_time() - started < SECONDS
