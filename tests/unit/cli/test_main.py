from __future__ import annotations

import pytest
from tests.unit.cli.conftest import Run

from rooftree import __version__
from rooftree.cli.commands import COMMANDS

NESTED = [["audit", "verify"], *(["dead-letter", name] for name in ("list", "show", "replay"))]


def test_the_version_is_printed(run: Run) -> None:
    """
    One line on stdout, and nothing else.
    """
    outcome = run("--version")

    assert (0, f"{__version__}\n", "") == (outcome.status, outcome.out, outcome.err)


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), *NESTED])
def test_every_command_explains_itself(run: Run, command: list[str]) -> None:
    """
    --help works everywhere and is a success.
    """
    outcome = run(*command, "--help")

    assert 0 == outcome.status
    assert outcome.out.startswith("Usage: rooftree")
    assert "" == outcome.err


def test_the_help_lists_every_command(run: Run) -> None:
    """
    What can be done stands in the first help that anybody asks for.
    """
    outcome = run("--help")

    assert [] == [name for name in COMMANDS if f"\n  {name} " not in outcome.out]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "No such command 'nothing'"),
        (["check"], "check: Missing argument 'ACCOUNT'"),
        (["check", "222222222222", "--colour"], "check: No such option: --colour"),
        (["check", "222222222222", "s3"], "ACTION: expected one action such as `s3:GetObject`, found `s3`"),
        (["check", "222222222222", "s3:Get*"], "ACTION: expected one action such as `s3:GetObject`, found `s3:Get*`"),
        (["check", "222222222222", "s3:GetObject", "bucket"], "RESOURCE: expected an ARN"),
        (["check", "222222222222", "s3:GetObject", "--context", "x"], "--context: expected KEY=VALUE, found `x`"),
        (["check", "222222222222", "s3:GetObject", "--at", "now"], "--at: expected an RFC 3339 time"),
        (["check", "12", "s3:GetObject"], "ACCOUNT: expected an account id of 12 digits, found `12`"),
        (["tree", "--org", "missing.json"], "missing.json: no such file or directory"),
        (["publish", "missing.ndjson"], "missing.ndjson: no such file or directory"),
        (["lint", "missing.json"], "missing.json: no such file or directory"),
        (
            ["diff", "--before", "a", "--after", "b", "--json", "--markdown"],
            "choose one of --json, --markdown and --sarif",
        ),
        (["dead-letter", "replay"], "LETTER: expected the numbers of letters, or --all"),
        (["dead-letter", "replay", "1", "--all"], "LETTER: expected the numbers of letters, or --all"),
        (["dead-letter", "show", "1", "--raw", "--json"], "--raw: choose one of --json and --raw"),
        (["dead-letter", "show", "x"], "dead-letter show: Invalid value for 'LETTER'"),
        (["rebuild", "--from-topic"], "--from-topic: the view is empty until the topic is read"),
        (["rebuild", "--from-topic", "--organization", "o-exampleorg"], "--organization: a topic holds all"),
    ],
)
def test_bad_usage_is_one_line_that_says_what_was_expected(run: Run, arguments: list[str], said: str) -> None:
    """
    Status 2, nothing on stdout, one line on stderr with the place.
    """
    outcome = run(*arguments)

    assert (2, "", 1) == (outcome.status, outcome.out, outcome.err.count("\n"))
    assert outcome.err.startswith("rooftree: ")
    assert said in outcome.err


@pytest.mark.parametrize(
    "command",
    [
        *(["tree"], ["account", "222222222222"], ["audit"], ["audit", "verify"], ["verify"], ["rebuild"]),
        *(["rebuild", "--from-topic", "--yes"], ["dead-letter", "list"], ["dead-letter", "show", "1"]),
        *(["dead-letter", "replay", "1"], ["history", "222222222222", "--from", "2026-01-01T00:00:00Z"]),
        ["diff", "--from", "2026-01-01T00:00:00Z"],
    ],
)
def test_without_a_service_the_status_is_three(run: Run, command: list[str]) -> None:
    """
    Where nothing runs and nothing is named, the line says what to do.
    """
    outcome = run(*command)

    assert (3, "", 1) == (outcome.status, outcome.out, outcome.err.count("\n"))
    assert "start `rooftree up`" in outcome.err


def test_a_server_that_does_not_answer_is_status_three(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A refused connection is one line, not a traceback.
    """
    monkeypatch.setenv("ROOFTREE_POSTGRES_DSN", "postgresql://nobody@127.0.0.1:1/nothing")

    outcome = run("tree")

    assert (3, 1) == (outcome.status, outcome.err.count("\n"))
    assert outcome.err.startswith("rooftree: PostgreSQL: ")


def test_a_wrong_setting_is_named_by_its_variable(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    All faults in one line, without the values, which may be secrets.
    """
    monkeypatch.setenv("ROOFTREE_POSTGRES_DSN", "mysql://root:secret@db/x")
    monkeypatch.setenv("ROOFTREE_HTTP_PORT", "99999")

    outcome = run("tree")

    assert 2 == outcome.status
    assert "ROOFTREE_POSTGRES_DSN" in outcome.err
    assert "ROOFTREE_HTTP_PORT" in outcome.err
    assert "secret" not in outcome.err


def test_config_lists_every_setting_and_hides_secrets(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What is set is shown as set; what is secret is not shown.
    """
    monkeypatch.setenv("ROOFTREE_ADMIN_TOKEN", "a-token-that-is-a-secret")
    monkeypatch.setenv("ROOFTREE_HTTP_PORT", "8081")

    outcome = run("config", "--json")

    rows = {row["variable"]: row for row in outcome.json}
    assert 0 == outcome.status
    assert "8081" == rows["ROOFTREE_HTTP_PORT"]["value"]
    assert "…" == rows["ROOFTREE_ADMIN_TOKEN"]["value"]
    assert all(row["description"] for row in rows.values())
    assert "a-token-that-is-a-secret" not in outcome.out
