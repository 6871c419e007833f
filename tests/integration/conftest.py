"""
What several files of tests on real servers start from.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.amazon import MANAGEMENT, Amazon, run_amazon


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    """
    Run AWS for one test, with credentials for it.
    """
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", MANAGEMENT)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with run_amazon() as server:
        yield server
