"""
``rooftree import``: what is so by now, out of a file or as AWS itself tells it.
"""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from rooftree.cli.amazon import import_aws
from rooftree.cli.feeding import import_snapshot
from rooftree.cli.principals import import_iam

__all__ = ["ImportGroup", "add_commands"]


class ImportGroup(TyperGroup):
    """
    A group in which what names no command is the file of a snapshot.
    """

    DEFAULT = "snapshot"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """
        Put the name of the default command in front where none is given.
        """
        named = args[:1] == ["--help"] or (args and self.get_command(ctx, args[0]) is not None)
        return super().parse_args(ctx, args if named else [self.DEFAULT, *args])


def add_commands(app: typer.Typer) -> None:
    """
    Add the commands of this module.
    """
    group = typer.Typer(
        cls=ImportGroup,
        help="Bring in what is so by now: `import FILE` an organization, `import iam` the principals of an account.",
    )
    group.command(name=ImportGroup.DEFAULT)(import_snapshot)
    group.command(name="iam")(import_iam)
    group.command(name="aws")(import_aws)
    app.add_typer(group, name="import")
