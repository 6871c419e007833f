"""
A process that has imported everything once, and makes others by forks: hundreds are started, and imports take longest.
"""

from __future__ import annotations

from multiprocessing import get_context

from rooftree.cli.commands import COMMANDS

__all__ = ["FORKS"]

FORKS = get_context("forkserver")
# Of these there is one in each process that runs tests, whoever asks for it first.
FORKS.set_forkserver_preload(
    ["tests.faults.process", *(f"rooftree.cli.{name}" for name in sorted({*COMMANDS.values()}))]
)
