"""
`rooftree bench` as somebody who does not wait for its end meets it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from tests.integration.service import eventually

pytestmark = pytest.mark.integration


def members(session: int) -> set[int]:
    """
    Return the processes of a session.
    """
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text("utf-8").rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.add(int(entry.name))
    return found


def files(folder: Path) -> list[Path]:
    """
    Return what a folder and those in it hold.
    """
    return [*folder.iterdir(), *folder.glob("*/*")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    A folder that the embedded PostgreSQL can be in, as another user than this one.
    """
    tmp_path.chmod(0o711)
    return tmp_path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
async def test_whoever_ends_a_benchmark_ends_its_processes(folder: Path, number: signal.Signals) -> None:
    """
    Servers, roles of the service and the floor go with it, and so does the folder of their data.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from rooftree.cli import main; main()", "bench", "--size", "small", "--scenario", "fan-out",
        env={**os.environ, "TMPDIR": str(folder)}, start_new_session=True,
    )  # fmt: skip

    async def has_begun() -> bool:
        return any(path.name == "relay.log" for path in files(folder))

    await eventually(has_begun, seconds=60)
    assert len(members(process.pid)) > 3
    process.send_signal(number)
    await asyncio.wait_for(process.wait(), 30)

    assert set() == members(process.pid)
    assert [] == files(folder)
