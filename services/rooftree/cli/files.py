"""
Files that are named on the command line.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rooftree.errors import UsageError

__all__ = ["STDIN", "read_bytes", "read_lines"]

STDIN: Final = Path("-")


def read_bytes(path: Path) -> bytes:
    """
    Read a file, or standard input for ``-``.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise UsageError((error.strerror or "cannot be read").lower(), place=str(path)) from error


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """
    Yield the lines of a file, or of standard input for ``-`` as they come, with their numbers; empty ones are left out.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        with sys.stdin.buffer if path == STDIN else path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.strip()
    except OSError as error:
        raise UsageError((error.strerror or "cannot be read").lower(), place=str(path)) from error
