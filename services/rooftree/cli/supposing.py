"""
``rooftree what-if``: which decisions would change, before anybody changes anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from rooftree.cli.comparing import print_report
from rooftree.cli.files import read_bytes
from rooftree.cli.options import DataDir, Json, OrganizationId, OrgFile
from rooftree.cli.output import counted
from rooftree.cli.source import Where, open_sources
from rooftree.errors import UsageError
from rooftree.inquiry import supposing
from rooftree.inquiry.comparing import Report
from rooftree.inquiry.supposing import Step

__all__ = ["add_commands"]


def _many(option: str, metavar: str, help_text: str) -> typer.models.OptionInfo:
    made: typer.models.OptionInfo = typer.Option(option, metavar=metavar, help=help_text, show_default=False)
    return made


Attach: TypeAlias = Annotated[list[str] | None, _many("--attach", "POLICY:TARGET", "Attach a policy to a node.")]
Detach: TypeAlias = Annotated[list[str] | None, _many("--detach", "POLICY:TARGET", "Detach a policy from a node.")]
Update: TypeAlias = Annotated[list[str] | None, _many("--update", "POLICY=FILE", "Give a policy another content.")]
Move: TypeAlias = Annotated[list[str] | None, _many("--move", "ACCOUNT:PARENT", "Move an account.")]


def add_commands(app: typer.Typer) -> None:
    """
    Add the command.
    """
    app.command("what-if")(what_if)


def what_if(
    *,
    attach: Attach = None,
    detach: Detach = None,
    update: Update = None,
    move: Move = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a report for reviewers.")] = False,
    org: OrgFile = None,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Show which decisions would change; nothing is written. Policies and nodes go by id or by name; each option may be
    given several times, and all of them together are one change. Exit with 1 if any decision would differ.
    """
    if markdown and as_json:
        raise UsageError("choose one of --json and --markdown", place="--markdown")
    asked = [("--attach", attach), ("--detach", detach), ("--update", update), ("--move", move)]
    given = [(option, text) for option, texts in asked for text in texts or ()]
    if not given:
        raise UsageError("expected --attach, --detach, --update or --move", place="what-if")
    report = asyncio.run(_suppose(given, Where(org, organization, data_dir)))
    print_report(report, markdown=markdown, as_json=as_json)


Given = tuple[str, str]
"""An option and its value."""


async def _suppose(given: Sequence[Given], where: Where) -> Report:
    async with open_sources(where) as sources:
        if len(sources) != 1:
            names = ", ".join(source.organization_id for source in sources) or "none"
            raise UsageError(f"expected one organization; there are {names}", place="--organization")
        organization = await sources[0].organization()
    return supposing.what_if(organization, [_step(option, text) for option, text in given], progress=counted)


def _step(option: str, text: str) -> Step:
    """
    Return what an option asks for.

    Raises:
        UsageError: It does not name two things, or its file cannot be read.
    """
    separator = "=" if option == "--update" else ":"
    first, found, second = text.partition(separator)
    if not (first and found and second):
        raise UsageError(f"expected two names with `{separator}` between them, found `{text}`", place=option)
    match option:
        case "--attach":
            return supposing.Attach(first, second, place=option)
        case "--detach":
            return supposing.Detach(first, second, place=option)
        case "--move":
            return supposing.Move(first, second, place=option)
        case _:
            content = read_bytes(Path(second)).decode("utf-8", "surrogateescape")
            return supposing.Update(first, content, place=option, content_place=second)
