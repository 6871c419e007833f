from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from rooftree.benchmarks.processes import run_process
from rooftree.errors import UnavailableError
from rooftree.settings import Settings, load_settings

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


async def test_a_process_tells_what_it_uses(settings_alone: Settings, tmp_path: Path) -> None:
    """
    Memory now and at its peak, and the time of the processor.
    """
    sleeping = ["-c", "import time; time.sleep(60)"]
    async with run_process("sleeper", sleeping, settings_alone, tmp_path) as process:
        process.forget_peak()

        assert 0 < process.resident_bytes() <= process.peak_bytes()
        assert 0 <= process.cpu_seconds() < 60
    assert not process.running


async def test_who_waits_for_a_process_that_has_ended_is_told(settings_alone: Settings, tmp_path: Path) -> None:
    """
    With the last that it said, and not after a quarter of an hour.
    """
    with pytest.raises(UnavailableError, match="the process `broken` has ended: no such thing"):
        async with run_process("broken", ["-c", "raise SystemExit('no such thing')"], settings_alone, tmp_path):
            await asyncio.Event().wait()


@pytest.fixture
def settings_alone() -> Settings:
    """
    Return settings as they are by themselves.
    """
    return load_settings()
