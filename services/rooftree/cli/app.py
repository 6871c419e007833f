"""
The command ``rooftree`` itself.
"""

from __future__ import annotations

from typing import Annotated

import typer

from rooftree import __version__
from rooftree.cli.commands import Commands
from rooftree.cli.output import print_line

__all__ = ["app"]

app = typer.Typer(
    name="rooftree",
    cls=Commands,
    help="What the accounts of AWS organizations may do at most, and which decisions changed, why and by whose hand.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 120},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print_line(__version__)
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass
