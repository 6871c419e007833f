"""
The steps of the GitHub Action in deploy/ci, run as they are, with a stand-in for GitHub's own API alone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.cli.snapshots import DENY_REGIONS, SHOP, snapshot

STEPS = Path(__file__).parents[2] / "deploy" / "ci"
OTHER_REGION = json.loads(json.dumps(DENY_REGIONS).replace("eu-west-1", "eu-north-1"))

pytestmark = [
    pytest.mark.any_broker,
    pytest.mark.skipif(shutil.which("jq") is None, reason="the runners of GitHub have jq"),
]


@dataclass(slots=True)
class GitHub:
    """
    Keeps the comments of one pull request.
    """

    url: str
    comments: list[dict[str, Any]] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)


@pytest.fixture
def github() -> Iterator[GitHub]:
    """
    Serve what the steps ask of GitHub.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(known.comments if self.path.startswith(PATH) else None)

        def do_POST(self) -> None:
            comment = {"id": len(known.comments) + 100, **self._body()}
            known.comments.append(comment)
            self._answer(comment if self.path == PATH else None)

        def do_PATCH(self) -> None:
            [found] = [
                one for one in known.comments if self.path == f"/repos/acme/policies/issues/comments/{one['id']}"
            ]
            found.update(self._body())
            self._answer(found)

        def log_message(self, *_: object) -> None:
            pass

        def _body(self) -> dict[str, Any]:
            body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            return body

        def _answer(self, document: object) -> None:
            known.tokens.add(self.headers["Authorization"])
            self.send_response(200 if document is not None else 404)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known = GitHub(f"http://127.0.0.1:{server.server_address[1]}", [{"id": 7, "body": "by somebody else"}])
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield known
    server.shutdown()
    thread.join()
    server.server_close()


PATH = "/repos/acme/policies/issues/12/comments"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """
    A repository with a snapshot and one policy, on a branch on which nothing has changed yet.
    """
    folder = tmp_path / "repository"
    (folder / "policies").mkdir(parents=True)
    (folder / "org.json").write_text(json.dumps(snapshot()), encoding="utf-8")
    (folder / "policies" / "DenyRegions.json").write_text(json.dumps(DENY_REGIONS, indent=2), encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder)
    git(folder, "switch", "--quiet", "--create", "change")
    return folder


def git(folder: Path, *arguments: str) -> str:
    """
    Run git as nobody in particular.
    """
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(folder: Path) -> None:
    """
    Commit all there is.
    """
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A change")


def review(folder: Path, tmp_path: Path) -> tuple[int, dict[str, str], str]:
    """
    Run the first step; returns its status, its outputs, and what it printed.
    """
    commands = tmp_path / "bin"
    commands.mkdir(exist_ok=True)
    rooftree = commands / "rooftree"
    rooftree.write_text(f"#!{sys.executable}\nimport sys\nfrom rooftree.cli import main\nsys.exit(main())\n", "utf-8")
    rooftree.chmod(0o755)
    outputs = tmp_path / "outputs"
    outputs.write_text("", encoding="utf-8")
    finished = step(
        "review.sh",
        folder,
        PATH=f"{commands}:{os.environ['PATH']}",
        POLICIES="policies",
        SNAPSHOT="org.json",
        BASE="main",
        RUNNER_TEMP=str(tmp_path),
        GITHUB_OUTPUT=str(outputs),
        GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"),
    )
    told = dict(line.split("=", 1) for line in outputs.read_text("utf-8").splitlines())
    return finished.returncode, told, finished.stdout + finished.stderr


def step(name: str, folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """
    Run a step of the action.
    """
    return subprocess.run(
        ["bash", str(STEPS / name), *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_changed_policy_is_told_in_one_comment(repository: Path, tmp_path: Path, github: GitHub) -> None:
    """
    The comment says what would change, and the next run writes it anew instead of adding another.
    """
    (repository / "policies" / "DenyRegions.json").write_text(json.dumps(OTHER_REGION, indent=2), encoding="utf-8")
    commit(repository)
    status, told, printed = review(repository, tmp_path)
    assert 0 == status, printed
    for _ in range(2):
        variables = {"GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": "acme/policies", "PULL_REQUEST": "12"}
        finished = step("comment.sh", repository, told["report"], GITHUB_TOKEN="secret", **variables)
        assert 0 == finished.returncode, finished.stderr

    [result, *_] = json.loads(Path(told["sarif"]).read_text("utf-8"))["runs"][0]["results"]
    assert "true" == told["changed"]
    assert ["by somebody else", "<!-- rooftree-review -->\n## Decision changes\n"] == [
        comment["body"][:45] for comment in github.comments
    ]
    assert "now allowed" in github.comments[1]["body"]
    assert {"Bearer secret"} == github.tokens
    assert "policies/DenyRegions.json" == result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert SHOP in result["properties"]["accounts"]
    assert "## Decision changes" in (tmp_path / "summary.md").read_text("utf-8")


def test_a_policy_that_is_written_differently_changes_nothing(repository: Path, tmp_path: Path) -> None:
    """
    White space and names of files are no decisions; a file that is gone goes on to bind.
    """
    (repository / "policies" / "DenyRegions.json").write_text(json.dumps(DENY_REGIONS), encoding="utf-8")
    (repository / "policies" / "A fresh one.json").write_text(json.dumps(OTHER_REGION), encoding="utf-8")
    commit(repository)
    status, told, printed = review(repository, tmp_path)
    report = Path(told["report"]).read_text("utf-8")

    assert 0 == status, printed
    assert "false" == told["changed"]
    assert "No decision differs" in report
    assert "`policies/A fresh one.json` is no policy of this organization yet" in report


def test_a_deleted_policy_is_named(repository: Path, tmp_path: Path) -> None:
    """
    Deleting a file detaches nothing.
    """
    (repository / "policies" / "DenyRegions.json").unlink()
    commit(repository)
    status, told, printed = review(repository, tmp_path)

    assert 0 == status, printed
    assert "`policies/DenyRegions.json` was deleted here" in Path(told["report"]).read_text("utf-8")


def test_a_policy_with_errors_fails_the_check(repository: Path, tmp_path: Path) -> None:
    """
    What AWS would refuse is told with its file.
    """
    (repository / "policies" / "DenyRegions.json").write_text('{"Statement": [{"Effect": "Perhaps"}]}', "utf-8")
    commit(repository)
    status, _, printed = review(repository, tmp_path)

    assert 1 == status
    assert "policies/DenyRegions.json: Statement[0]" in printed


def test_the_hook_shows_what_would_change_and_lets_it_pass(repository: Path) -> None:
    """
    The entry of the hook is run as pre-commit runs it: with the files behind it.
    """
    hooks = yaml.safe_load((STEPS.parents[1] / ".pre-commit-hooks.yaml").read_text("utf-8"))
    [entry] = [hook["entry"] for hook in hooks if hook["id"] == "rooftree-what-if"]
    (repository / "policies" / "DenyRegions.json").write_text(json.dumps(OTHER_REGION), encoding="utf-8")
    program = f"rooftree() {{ {sys.executable} -c 'import sys; from rooftree.cli import main; sys.exit(main())' \"$@\"; }}; export -f rooftree; "
    finished = subprocess.run(
        ["bash", "-c", f"{program}{entry} policies/DenyRegions.json"],
        cwd=repository,
        env={**os.environ, "ROOFTREE_SNAPSHOT": "org.json"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == finished.returncode, finished.stderr
    assert "accounts decide differently" in finished.stdout
