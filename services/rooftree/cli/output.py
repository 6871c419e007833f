"""
How commands speak: results to stdout, everything else to stderr.

Names of accounts and policies come from outside, so nothing printed here is read as markup, and control
characters are shown instead of sent to the terminal.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

__all__ = [
    "Steps",
    "counted",
    "plain",
    "print_json",
    "print_line",
    "print_lines",
    "print_table",
    "say",
    "stdout_console",
    "steps",
]

Item = TypeVar("Item")

WIDE = 4096
"""Columns of an output that is no terminal: nothing is cut for a program that reads it."""


class Steps:
    """
    A count of steps that may be shown as a bar.
    """

    def __init__(self, progress: Progress | None, *, title: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=total) if progress else None

    def advance(self, count: int = 1) -> None:
        """
        Count so many steps more.
        """
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, count)

    def reach(self, done: int, total: int) -> None:
        """
        Set how many steps are done, and of how many as far as is known.
        """
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, total=total)


@contextmanager
def steps(title: str, *, total: int | None) -> Iterator[Steps]:
    """
    Show a bar on stderr while the block runs, if stderr is a terminal.
    """
    console = Console(stderr=True, markup=False, highlight=False)
    if not console.is_terminal:
        yield Steps(None, title=title, total=total)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("to go"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield Steps(progress, title=title, total=total)


def counted(items: Sequence[Item], /) -> Iterator[Item]:
    """
    Pass on the accounts that a command works through, and show on stderr how far it has come.
    """
    with steps("accounts", total=len(items)) as progress:
        for item in items:
            progress.advance()
            yield item


def plain(value: object) -> str:
    """
    Return a value as text that a terminal only shows: control characters are spelled out.
    """
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # Rich would end the process with status 1, which here is an answer.
        raise BrokenPipeError


def stdout_console() -> Console:
    """
    Return a console on stdout that takes text as it is.
    """
    width = None if sys.stdout.isatty() else WIDE
    return _Console(markup=False, highlight=False, emoji=False, width=width, soft_wrap=True)


def say(message: str) -> None:
    """
    Print a line for people on stderr.
    """
    sys.stderr.write(f"{plain(message)}\n")
    sys.stderr.flush()


def print_json(document: object) -> None:
    """
    Print one JSON document: indented on a terminal, on one line otherwise.
    """
    indent = 2 if sys.stdout.isatty() else None
    separators = None if indent else (",", ":")
    # Names may hold lone surrogates or anything else: ASCII escapes survive every terminal and pipe.
    sys.stdout.write(json.dumps(document, indent=indent, separators=separators) + "\n")


def print_lines(documents: Iterable[object]) -> None:
    """
    Print NDJSON, each line at once, so that a program that reads along sees it.
    """
    for document in documents:
        sys.stdout.write(json.dumps(document, separators=(",", ":")) + "\n")
        sys.stdout.flush()


def print_line(text: str = "") -> None:
    """
    Print a line of the result.
    """
    sys.stdout.write(f"{plain(text)}\n")


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """
    Print rows under headings, without lines around them.
    """
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    stdout_console().print(table)


def close_stdout() -> None:
    """
    Send what is still to be printed nowhere: whoever read it has gone.
    """
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, sys.stdout.fileno())
