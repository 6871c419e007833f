"""
``rooftree diff``: what changes between two snapshots, or has changed between two moments.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from rooftree.cli.options import DataDir, From, Json, OrganizationId, To, given_times
from rooftree.cli.output import counted, print_line, print_lines
from rooftree.cli.source import Where, open_sources, read_snapshot
from rooftree.errors import UsageError
from rooftree.inquiry.comparing import Report, compare_organizations, compare_times, join_reports
from rooftree.inquiry.review import markdown_lines, text_lines
from rooftree.inquiry.sources import load_organization

__all__ = ["add_commands", "print_report"]

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
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Compare two snapshots, or the stored view at two times, decision by decision; exit with 1 if any differs. `--json`
    prints one line an account.
    """
    if markdown and as_json:
        raise UsageError("choose one of --json and --markdown", place="--markdown")
    moments = given_times(since, until)
    if before is not None and after is not None and moments is None:
        old, new = load_organization(read_snapshot(before)), load_organization(read_snapshot(after))
        report = compare_organizations(old, new, progress=counted)
    elif before is None and after is None and moments is not None:
        report = asyncio.run(_compare_times(Where(None, organization, data_dir), *moments))
    else:
        raise UsageError("expected --before and --after, or --from", place="diff")
    print_report(report, markdown=markdown, as_json=as_json)


def print_report(report: Report, *, markdown: bool, as_json: bool) -> None:
    """
    Print what differs, and end with 1 if anything does.
    """
    if as_json:
        print_lines(difference.document for difference in report.differences)
    else:
        for line in markdown_lines(report) if markdown else text_lines(report):
            print_line(line)
    if report.differences:
        raise typer.Exit(DIFFERENT)


async def _compare_times(where: Where, since: datetime, until: datetime | None) -> Report:
    async with open_sources(where) as sources:
        return join_reports([await compare_times(source, since, until, progress=counted) for source in sources])
