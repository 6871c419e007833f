from __future__ import annotations

import json
from pathlib import Path

from tests.unit.cli.conftest import Run, Write
from tests.unit.cli.snapshots import snapshot

from rooftree.organization.snapshot_reader import parse_snapshot


def test_what_is_exported_is_what_was_given(run: Run, write: Write, tmp_path: Path) -> None:
    """
    To a file or to standard output, and the same when it is exported again.
    """
    given = write("snapshot.json", snapshot())
    out = tmp_path / "out.json"
    printed = run("export", "--org", given)
    written = run("export", "--org", given, "--output", out)
    again = run("export", "--org", out)

    assert (0, 0, 0) == (printed.status, written.status, again.status)
    assert printed.out == again.out
    assert json.loads(printed.out) == json.loads(out.read_text())
    exported, original = parse_snapshot(json.loads(printed.out)), parse_snapshot(snapshot())
    assert set(original.accounts) == set(exported.accounts)
    assert set(original.attachments) == set(exported.attachments)
    assert set(original.policies) == set(exported.policies)


def test_a_file_that_cannot_be_written_is_named(run: Run, write: Write, tmp_path: Path) -> None:
    """
    In one line.
    """
    outcome = run("export", "--org", write("snapshot.json", snapshot()), "--output", tmp_path / "no" / "out.json")

    assert (2, "", 1) == (outcome.status, outcome.out, outcome.err.count("\n"))
    assert "out.json: cannot be written: No such file or directory" in outcome.err


def test_a_snapshot_has_no_past(run: Run, write: Write) -> None:
    """
    It holds one moment.
    """
    outcome = run("export", "--org", write("snapshot.json", snapshot()), "--at", "2026-01-01T00:00:00Z")

    assert 2 == outcome.status
    assert "--at" in outcome.err
