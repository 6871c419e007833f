"""
Files that are named on the command line.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from rooftree.errors import UsageError

__all__ = ["STDIN", "read_bytes"]

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
