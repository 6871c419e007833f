from __future__ import annotations

import json
from pathlib import Path

import pytest

from rooftree.cli import main


def test_settings_that_are_wrong_are_findings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """
    Each fault by itself, and no server is asked.
    """
    monkeypatch.setenv("ROOFTREE_KAFKA_BOOTSTRAP", "nowhere")
    monkeypatch.setenv("ROOFTREE_POSTGRES_DSN", "mysql://localhost")

    status = main(["doctor", "--json", "--data-dir", str(tmp_path)])

    findings = json.loads(capsys.readouterr().out)
    assert 1 == status
    assert {"configuration"} == {finding["check"] for finding in findings}
    assert [
        "ROOFTREE_KAFKA_BOOTSTRAP: `nowhere` is not HOST:PORT",
        "ROOFTREE_POSTGRES_DSN: should start with postgresql://",
    ] == [finding["found"] for finding in findings]
    assert all(finding["level"] == "problem" and finding["advice"] for finding in findings)
