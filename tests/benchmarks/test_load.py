"""
The measurement of sustained load, made small.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.benchmarks.load import Plan, measure_load

from rooftree.settings import Assignment, Settings

pytestmark = [pytest.mark.integration, pytest.mark.slow]


async def test_a_few_seconds_of_load_are_kept_up_with(settings: Settings, tmp_path: Path) -> None:
    """
    No more waits than may wait, and the figures stand beside their floors.
    """
    plan = Plan(seconds=12.0, organizations=3, accounts=10, backlog=500, window=100)
    shared = settings.model_copy(update={"partition_assignment": Assignment.GROUP})

    found = await measure_load(shared, plan, tmp_path)

    assert found["sustained_rate"] > 0
    assert found["ratio_to_floor"] > 1
    assert found["lag_records_max"] <= 100
