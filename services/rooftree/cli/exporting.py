"""
``rooftree export``: an organization as a snapshot, as it is or as it was.
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from rooftree.cli.options import At, DataDir, OrganizationId, OrgFile, given_time
from rooftree.cli.output import print_json, say
from rooftree.cli.source import Where, open_sources
from rooftree.errors import UsageError
from rooftree.inquiry.exporting import Export, export

__all__ = ["add_commands"]


def add_commands(app: typer.Typer) -> None:
    """
    Add the command.
    """
    app.command("export")(export_snapshot)


def export_snapshot(
    *,
    at: At = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Where to write it.", show_default="standard output")
    ] = None,
    org: OrgFile = None,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
) -> None:
    """
    Write an organization as a snapshot, which `import` and `--org` take; what is left out is said on standard error.
    """
    found = asyncio.run(_export(Where(org, organization, data_dir), given_time(at, org_file=org)))
    for note in found.notes:
        say(note)
    document = found.snapshot.to_json()
    if output is None:
        print_json(document)
        return
    try:
        output.write_text(f"{json.dumps(document, indent=2)}\n", "ascii")
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", place=str(output)) from error
    counts = f"{len(found.snapshot.accounts)} accounts, {len(found.snapshot.policies)} policies"
    say(f"{found.snapshot.organization_id}: {counts} in {output}")


async def _export(where: Where, at: datetime | None) -> Export:
    async with open_sources(where) as sources:
        if len(sources) != 1:
            names = ", ".join(source.organization_id for source in sources) or "none"
            raise UsageError(f"expected one organization; there are {names}", place="--organization")
        return await export(sources[0], at=at)
