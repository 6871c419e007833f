"""
The command line: ``rooftree``.
"""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Final

import typer
from typer.exceptions import TyperException

from rooftree.cli.app import app
from rooftree.cli.output import close_stdout, say
from rooftree.errors import InputError, RooftreeError

__all__ = ["main"]

DONE: Final = 0
BAD_INPUT: Final = 2
UNREACHABLE: Final = 3
INTERRUPTED: Final = 130
DEFECT: Final = 70
"""As EX_SOFTWARE of sysexits.h: none of the answers that a caller may rely on."""

DEBUG_VARIABLE: Final = "ROOFTREE_DEBUG"


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command and return its exit status: 0 done, 1 no, 2 bad input, 3 a server is away.
    """
    try:
        status = app(args=arguments, prog_name="rooftree", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        close_stdout()
        return DONE
    except (KeyboardInterrupt, asyncio.CancelledError, typer.Abort):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the last line of defence: no user ever meets a traceback
        return _explain(error)
    return status if isinstance(status, int) else DONE


def _explain(error: Exception) -> int:
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
    match error:
        case TyperException():
            say(f"rooftree: {_usage(error)}")
            return BAD_INPUT
        case InputError():
            say(f"rooftree: {error}")
            return BAD_INPUT
        case RooftreeError():
            say(f"rooftree: {error}")
            return UNREACHABLE
        case ExceptionGroup():
            return max(_explain(part) for part in error.exceptions)
        case _:
            say(
                f"rooftree: this is a defect of rooftree, not of your input: {type(error).__name__}: {error}"
                f" (set {DEBUG_VARIABLE}=1 to see where)"
            )
            return DEFECT


def _usage(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = f"{context.command_path.removeprefix('rooftree').strip()}: " if context is not None else ""
    return f"{command}{' '.join(error.format_message().split())}".removeprefix(": ")
