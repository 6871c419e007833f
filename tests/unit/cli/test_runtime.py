from __future__ import annotations

import stat
from pathlib import Path

import pytest

from rooftree.cli.runtime import Runtime, connected_settings, read_runtime, runtime_path, write_runtime
from rooftree.errors import UnavailableError, UsageError

RUNTIME = Runtime(
    api="http://127.0.0.1:1",
    kafka="127.0.0.1:2",
    postgres="postgresql://rooftree@127.0.0.1:3/rooftree",
    token="a-token-of-sixteen-or-more",
    topics={"changes": "c", "audit": "a", "permissions": "p", "dead_letter": "d"},
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """
    Other commands find a running service by its file.
    """
    write_runtime(tmp_path, RUNTIME)

    assert RUNTIME == read_runtime(tmp_path)


def test_only_the_owner_may_read_the_token(tmp_path: Path) -> None:
    """
    The file holds the token and a password.
    """
    runtime_path(tmp_path).write_text("{}", encoding="utf-8")
    runtime_path(tmp_path).chmod(0o644)

    write_runtime(tmp_path, RUNTIME)

    assert 0o600 == stat.S_IMODE(runtime_path(tmp_path).stat().st_mode)


def test_settings_come_from_the_running_service(tmp_path: Path) -> None:
    """
    Servers and topics are those of the file.
    """
    write_runtime(tmp_path, RUNTIME)

    settings = connected_settings(tmp_path)

    assert RUNTIME.postgres == settings.postgres_dsn.get_secret_value()
    assert ("127.0.0.1:2", "c") == (settings.kafka_bootstrap, settings.changes_topic)


def test_a_variable_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What an operator sets explicitly counts.
    """
    write_runtime(tmp_path, RUNTIME)
    monkeypatch.setenv("ROOFTREE_POSTGRES_DSN", "postgresql://elsewhere/rooftree")

    settings = connected_settings(tmp_path)

    assert "postgresql://elsewhere/rooftree" == settings.postgres_dsn.get_secret_value()
    assert "127.0.0.1:2" == settings.kafka_bootstrap


def test_without_either_it_is_said_what_to_do(tmp_path: Path) -> None:
    """
    The defaults are no guess at a server that nobody named.
    """
    with pytest.raises(UnavailableError, match="ROOFTREE_KAFKA_BOOTSTRAP is not set"):
        connected_settings(tmp_path, server="kafka_bootstrap")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"api": 1}', "\x00"])
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, content: str) -> None:
    """
    A broken file is named, not passed over.
    """
    runtime_path(tmp_path).write_text(content, encoding="utf-8")

    with pytest.raises(UsageError, match=r"runtime\.json"):
        read_runtime(tmp_path)
