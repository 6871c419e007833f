"""
``rooftree what-if``: which decisions would change, before anybody changes anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from rooftree.cli.comparing import chosen_form, print_report, read_policy_file
from rooftree.cli.files import read_bytes
from rooftree.cli.options import DataDir, Json, OrganizationId, OrgFile
from rooftree.cli.output import counted
from rooftree.cli.source import Where, open_sources
from rooftree.errors import UsageError
from rooftree.inquiry import supposing
from rooftree.inquiry.comparing import Report
from rooftree.inquiry.markdown import code
from rooftree.inquiry.sarif import PolicyFile
from rooftree.inquiry.sources import MemorySource
from rooftree.inquiry.supposing import Step
from rooftree.organization.tree import Organization

__all__ = ["add_commands"]


def _many(option: str, metavar: str, help_text: str) -> typer.models.OptionInfo:
    made: typer.models.OptionInfo = typer.Option(option, metavar=metavar, help=help_text, show_default=False)
    return made


Attach: TypeAlias = Annotated[list[str] | None, _many("--attach", "POLICY:TARGET", "Attach a policy to a node.")]
Detach: TypeAlias = Annotated[list[str] | None, _many("--detach", "POLICY:TARGET", "Detach a policy from a node.")]
Update: TypeAlias = Annotated[list[str] | None, _many("--update", "POLICY=FILE", "Give a policy another content.")]
UpdateFile: TypeAlias = Annotated[
    list[Path] | None,
    _many("--update-file", "FILE", "Give the policy that the file is called by, without its ending, that content."),
]
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
    update_file: UpdateFile = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a report for reviewers.")] = False,
    sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0, for code reviews.")] = False,
    org: OrgFile = None,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Show which decisions would change, and for which users and roles; nothing is written. Policies and nodes go by id or by name; each option may be
    given several times, and all of them together are one change. Exit with 1 if any decision would differ.
    """
    form = chosen_form(markdown=markdown, sarif=sarif, as_json=as_json)
    asked = [("--attach", attach), ("--detach", detach), ("--update", update), ("--move", move)]
    given = [(option, text) for option, texts in asked for text in texts or ()]
    if not given and not update_file:
        raise UsageError("expected --attach, --detach, --update or --move", place="what-if")
    supposed = asyncio.run(_suppose(given, update_file or (), Where(org, organization, data_dir)))
    print_report(supposed.report, form, files=supposed.files, notes=supposed.notes)


Given = tuple[str, str]
"""An option and its value."""


@dataclass(frozen=True, slots=True)
class Supposed:
    """
    What would differ.

    Attributes:
        files: The files of the policies that were written anew, by id.
        notes: What else is to be known, in Markdown.
    """

    report: Report
    files: Mapping[str, PolicyFile]
    notes: Sequence[str]


async def _suppose(given: Sequence[Given], paths: Sequence[Path], where: Where) -> Supposed:
    async with open_sources(where) as sources:
        if len(sources) != 1:
            names = ", ".join(source.organization_id for source in sources) or "none"
            raise UsageError(f"expected one organization; there are {names}", place="--organization")
        organization = await sources[0].organization()
        steps = [_step(option, text) for option, text in given]
        notes = []
        for path in paths:
            if supposing.find_policy(organization, path.stem) is None:
                notes.append(f"{code(path.as_posix())} is no policy of this organization yet: it changes nothing")
            else:
                content = read_bytes(path).decode("utf-8", "surrogateescape")
                steps.append(supposing.Update(path.stem, content, place=str(path), content_place=str(path)))
        report = await supposing.what_if(sources[0], MemorySource(organization), steps, progress=counted)
    return Supposed(report, dict(_files(organization, steps)), notes)


def _files(organization: Organization, steps: Iterable[Step]) -> Iterator[tuple[str, PolicyFile]]:
    for step in steps:
        if isinstance(step, supposing.Update):
            policy_id = supposing.find_policy(organization, step.policy)
            assert policy_id is not None, "its step was taken"
            yield policy_id, read_policy_file(Path(step.content_place))


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
