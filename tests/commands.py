"""
Commands as operators run them, each in a process of its own.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.forks import FORKS
from tests.outcome import Outcome

from rooftree.cli import main

__all__ = ["COMMAND", "run_command"]

COMMAND: Final = [sys.executable, "-c", "import sys; from rooftree.cli import main; sys.exit(main())"]
"""What starts ``rooftree`` as a process of this Python."""

SECONDS: Final = 120


async def run_command(arguments: Sequence[str], environment: Mapping[str, str]) -> Outcome:
    """
    Run ``rooftree`` with some arguments and nothing but an environment, and return what it leaves behind.

    Raises:
        TimeoutError: It did not end.
    """
    with tempfile.TemporaryDirectory(prefix="rooftree-command-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = FORKS.Process(target=_run, args=(list(arguments), dict(environment), str(out), str(err)))
        process.start()
        try:
            await asyncio.to_thread(process.join, SECONDS)
            if process.exitcode is None:
                raise TimeoutError(f"rooftree {' '.join(arguments)}")
        finally:
            process.kill()
        return _left(process.exitcode, out, err)


def _left(status: int, out: Path, err: Path) -> Outcome:
    return Outcome(status, out.read_text("utf-8", "surrogateescape"), err.read_text("utf-8"))


def _run(arguments: list[str], environment: dict[str, str], out: str, err: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for path, descriptor in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
    sys.exit(main(arguments))
