from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.brokers import BROKER, KAFKA, Broker
from tests.commands import COMMAND

START_SECONDS = 60
STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Rooftree:
    """
    The command as a process, in a folder of its own.

    Attributes:
        kafka: The ``HOST:PORT`` of the broker that ``up`` is to use; None for the one that it embeds.
        variables: Settings.
    """

    folder: Path
    kafka: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: object, status: int = 0, stdin: str | None = None) -> str:
        """
        Run a command to its end and return what it printed; any other status fails the test.
        """
        finished = subprocess.run(
            [*COMMAND, *(str(argument) for argument in arguments)],
            cwd=self.folder,
            env=self._environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
        assert status == finished.returncode, finished.stderr
        return finished.stdout

    def json(self, *arguments: object, status: int = 0) -> Any:
        """
        Run a command with --json and return the document.
        """
        return json.loads(self.run(*arguments, "--json", status=status))

    @contextmanager
    def up(self, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
        """
        Run ``rooftree up`` for the time of the context; gives the process and the line that it printed.
        """
        log_path = self.folder / "up.log"
        with log_path.open("a", encoding="utf-8") as log:
            process = subprocess.Popen(
                [*COMMAND, "up", "--json", *(["--kafka", self.kafka] if self.kafka else []), *arguments],
                cwd=self.folder,
                env=self._environment(),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, log_path.read_text("utf-8")
            yield process, json.loads(line)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=STOP_SECONDS)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ROOFTREE_")}
        # A broker that is not embedded is everybody's: each folder has topics of its own.
        return {**kept, **self.variables, **(topics(self.folder.name) if self.kafka else {})}


def topics(mark: str) -> dict[str, str]:
    """
    Return the variables that name the topics.
    """
    roles = ("changes", "audit", "permissions", "dead_letter")
    return {f"ROOFTREE_{role.upper()}_TOPIC": f"{role}-{mark}" for role in roles}


@pytest.fixture(scope="module")
def kafka_address(request: pytest.FixtureRequest) -> str | None:
    """
    Where the broker is that ``up`` is to use, if it is not to embed one.
    """
    if BROKER != KAFKA:
        return None
    broker: Broker = request.getfixturevalue("broker")
    return broker.bootstrap


@pytest.fixture(scope="module")
def rooftree(tmp_path_factory: pytest.TempPathFactory, kafka_address: str | None) -> Rooftree:
    """
    Give the command an empty folder.
    """
    return Rooftree(tmp_path_factory.mktemp("rooftree"), kafka_address)
