"""
``rooftree diff``: what changes between two snapshots, or has changed between two moments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from rooftree.cli.files import read_bytes
from rooftree.cli.options import DataDir, From, Json, OrganizationId, To, given_times
from rooftree.cli.output import counted, print_json, print_line, print_lines
from rooftree.cli.source import Where, open_sources, read_snapshot
from rooftree.errors import UsageError
from rooftree.inquiry.comparing import Report, compare_snapshots, compare_times, join_reports
from rooftree.inquiry.review import markdown_lines, text_lines
from rooftree.inquiry.sarif import PolicyFile, sarif_document

__all__ = ["Form", "add_commands", "chosen_form", "print_report", "read_policy_file"]

DIFFERENT: Final = 1


def add_commands(app: typer.Typer) -> None:
    """
    Add the commands of this module.
    """
    app.command()(diff)


def diff(
    *,
    before: Annotated[
        Path | None, typer.Option(metavar="SNAPSHOT", help="The organization as it is.", show_default=False)
    ] = None,
    after: Annotated[
        Path | None, typer.Option(metavar="SNAPSHOT", help="The same as it would be.", show_default=False)
    ] = None,
    since: From = None,
    until: To = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a report for reviewers.")] = False,
    sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0, for code reviews.")] = False,
    policy_file: Annotated[
        list[str] | None,
        typer.Option(
            metavar="POLICY=PATH", help="Where a policy is written, so that --sarif has lines.", show_default=False
        ),
    ] = None,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Compare two snapshots, or the stored view at two times, decision by decision; exit with 1 if any differs. `--json`
    prints one line an account.
    """
    form = chosen_form(markdown=markdown, sarif=sarif, as_json=as_json)
    moments = given_times(since, until)
    if before is not None and after is not None and moments is None:
        report = compare_snapshots(read_snapshot(before), read_snapshot(after), progress=counted)
    elif before is None and after is None and moments is not None:
        report = asyncio.run(_compare_times(Where(None, organization, data_dir), *moments))
    else:
        raise UsageError("expected --before and --after, or --from", place="diff")
    print_report(report, form, files=_policy_files(policy_file, report.names))


class Form(StrEnum):
    """
    How a report is printed.
    """

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    SARIF = "sarif"


def chosen_form(*, markdown: bool, sarif: bool, as_json: bool) -> Form:
    """
    Return the form that options choose.

    Raises:
        UsageError: They choose several.
    """
    chosen = [form for form, wanted in ((Form.MARKDOWN, markdown), (Form.SARIF, sarif), (Form.JSON, as_json)) if wanted]
    if len(chosen) > 1:
        raise UsageError("choose one of --json, --markdown and --sarif", place=f"--{chosen[0]}")
    return chosen[0] if chosen else Form.TEXT


def print_report(
    report: Report, form: Form, *, files: Mapping[str, PolicyFile] | None = None, notes: Sequence[str] = ()
) -> None:
    """
    Print what differs, and end with 1 if anything does.

    Args:
        report: What differs.
        form: How it is printed.
        files: Where policies are written, by id.
        notes: What else is to be known, in Markdown.
    """
    match form:
        case Form.JSON:
            print_lines(report.documents)
        case Form.SARIF:
            print_json(sarif_document(report, files or {}))
        case Form.MARKDOWN:
            for line in markdown_lines(report, notes=notes):
                print_line(line)
        case Form.TEXT:
            for line in (*text_lines(report), *notes):
                print_line(line)
    if report.alike:
        raise typer.Exit(DIFFERENT)


def _policy_files(given: Sequence[str] | None, names: Mapping[str, str]) -> dict[str, PolicyFile]:
    """
    Return the files that options name, by the ids of their policies.

    Raises:
        UsageError: One names no policy, or cannot be read.
    """
    found = {}
    for text in given or ():
        wanted, separator, path = text.partition("=")
        known = [policy_id for policy_id, name in names.items() if wanted in {policy_id, name}]
        if not separator or len(known) != 1:
            raise UsageError(
                f"expected POLICY=PATH with the id or the name of a policy, found `{text}`", place="--policy-file"
            )
        found[known[0]] = read_policy_file(Path(path))
    return found


def read_policy_file(path: Path) -> PolicyFile:
    """
    Read a policy as it is written.

    Raises:
        UsageError: It cannot be read.
    """
    return PolicyFile(path.as_posix(), read_bytes(path).decode("utf-8-sig", "replace"))


async def _compare_times(where: Where, since: datetime, until: datetime | None) -> Report:
    async with open_sources(where) as sources:
        return join_reports([await compare_times(source, since, until, progress=counted) for source in sources])
