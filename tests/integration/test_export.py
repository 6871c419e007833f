"""
Snapshots out of the live view, of now and of the past, and in again.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.integration.service import ORGANIZATION, command, event, publish, running, settled, snapshot, view_of

from rooftree.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

UNIT = "ou-ab12-aaaaaaaa"
ATTACHED = event("attach", "policy.attached", "2026-01-02T00:00:00Z", policy_id="p-denyregions", target_id=UNIT)
MOVED = event("move", "account.moved", "2026-01-03T00:00:00Z", account_id="333333333333", parent_id="r-ab12")
CREATED = event("create", "account.created", "2026-01-04T00:00:00Z", account_id="444444444444", name="new")


async def test_what_is_exported_changes_nothing_when_it_is_imported(settings: Settings, tmp_path: Path) -> None:
    """
    Every account keeps its row, nobody is told anything, and it is exported again as it was.
    """
    file = tmp_path / "exported.json"
    async with running(settings):
        await publish(settings, snapshot(), ATTACHED, MOVED, CREATED)
        await settled(settings, records=4)
        before = await view_of(settings)
        exported = await command(settings, "export", "--output", file)
        imported = await command(settings, "import", file, "--time", "2026-01-05T00:00:00Z", "--json")
        await settled(settings, records=5)
        again = await command(settings, "export")
    after = await view_of(settings)

    assert (0, 0, True) == (exported.status, imported.status, imported.json["applied"])
    assert json.loads(file.read_text()) == again.json
    for part in ("accounts", "history", "chains", "permissions", "audit", "organizations"):
        assert before[part] == after[part]


async def test_the_past_is_exported_as_far_as_it_decides_anything(settings: Settings, tmp_path: Path) -> None:
    """
    Offline on the snapshot of a time, each account may do what it might at that time; and what is left out is said.
    """
    then, now = "2026-01-01T12:00:00Z", "2026-01-05T00:00:00Z"
    past, present = tmp_path / "past.json", tmp_path / "present.json"
    async with running(settings):
        await publish(settings, snapshot(), ATTACHED, MOVED)
        await settled(settings, records=3)
    outcome = await command(settings, "export", "--organization", ORGANIZATION, "--at", then, "--output", past)
    await command(settings, "export", "--at", now, "--output", present)
    live = await command(settings, "diff", "--from", then, "--to", now, "--json")
    offline = await command(settings, "diff", "--before", past, "--after", present, "--json")

    assert 0 == outcome.status
    assert "units without accounts" in outcome.err
    told = json.loads(past.read_text())
    assert {"r-ab12": 1, UNIT: 2} == {
        parent: sum(one["parent_id"] == parent for one in told["accounts"]) for parent in ("r-ab12", UNIT)
    }
    assert 1 == live.status == offline.status
    assert 1 == len(live.lines)
    assert live.lines == offline.lines


async def test_a_time_before_everything_has_nothing_to_export(settings: Settings) -> None:
    """
    It says so in one line.
    """
    async with running(settings):
        await publish(settings, snapshot())
        await settled(settings, records=1)
    outcome = await command(settings, "export", "--at", "2020-01-01T00:00:00Z")

    assert (2, "") == (outcome.status, outcome.out)
    assert f"{ORGANIZATION}: had no account that is known of at that time" in outcome.err
