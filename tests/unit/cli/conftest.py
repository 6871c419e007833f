from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.outcome import Outcome

from rooftree.cli import main

Run = Callable[..., Outcome]
Write = Callable[[str, object], Path]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """
    Run a command as main() does, in an empty folder.
    """
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: object) -> Outcome:
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return run_command


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """
    Write a file: text as it is, anything else as JSON.
    """

    def write_file(name: str, content: object) -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write_file
