"""
``rooftree publish`` and ``import``: changes for the service.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import typer

from rooftree.bootstrap.publishing import open_publisher
from rooftree.bootstrap.reading import open_reader
from rooftree.cli.arrival import until_seen
from rooftree.cli.change_lines import change_record, read_change_lines
from rooftree.cli.files import read_bytes
from rooftree.cli.options import DataDir, Json, given_time
from rooftree.cli.output import print_json, print_line, steps
from rooftree.cli.runtime import connected_settings, is_set, read_runtime
from rooftree.cli.source import parse_snapshot_file
from rooftree.contracts.snapshot_events import SOURCE, encode_event, snapshot_events
from rooftree.errors import UsageError
from rooftree.organization.identifiers import is_organization
from rooftree.policy.strict_json import load_json
from rooftree.ports.publishing import OutgoingRecord
from rooftree.settings import Settings

__all__ = ["Patience", "add_commands", "bring_in", "import_snapshot"]

CHUNK: Final = 500

Patience: TypeAlias = Annotated[
    float, typer.Option(min=0, help="Seconds to wait while the view makes no progress; 0: do not wait.")
]


def add_commands(app: typer.Typer) -> None:
    """
    Add the command.
    """
    app.command()(publish)


def publish(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Change events, one a line, or `-`.", show_default=False)
    ],
    *,
    organization: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Whose events of AWS these are, where they do not tell.", show_default=False),
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Check change events, ours or those of AWS, and send them to the changes topic; if one is wrong, none is sent.
    """
    if organization is not None and not is_organization(organization):
        raise UsageError(
            f"expected an organization such as `o-exampleorg`, found `{organization}`", place="--organization"
        )
    records = read_change_lines(file, organization_id=organization)
    settings = connected_settings(data_dir, server="kafka_bootstrap")
    asyncio.run(_publish(settings, records, title="events"))
    if as_json:
        print_json({"published": len(records), "topic": settings.changes_topic})
    else:
        events = "1 event" if len(records) == 1 else f"{len(records)} events"
        print_line(f"{events} published to {settings.changes_topic}")


def import_snapshot(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A snapshot, or `-`.", show_default=False)],
    *,
    time: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it was true (RFC 3339).", show_default="now")
    ] = None,
    patience: Patience = 60,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Bring an organization to the state of a snapshot, and wait until the view has it.
    """
    content = read_bytes(file)
    snapshot = parse_snapshot_file(content, file)
    document = load_json(content)
    assert isinstance(document, Mapping), "a snapshot was read from it"
    moment = given_time(time, option="--time") or datetime.now(UTC)
    events = snapshot_events(snapshot, document, moment)
    settings = connected_settings(data_dir, server="kafka_bootstrap")
    applied = asyncio.run(bring_in(settings, snapshot.organization_id, events, patience=patience))
    if as_json:
        print_json({"organization_id": snapshot.organization_id, "published": len(events), "applied": applied})
        return
    told = "1 event" if len(events) == 1 else f"{len(events)} events"
    state = "the view has it" if applied else f"sent to {settings.changes_topic}, not waited for"
    print_line(f"{snapshot.organization_id}: {len(snapshot.accounts)} accounts by {told}; {state}")


async def _publish(settings: Settings, records: Sequence[OutgoingRecord], *, title: str) -> None:
    async with open_publisher(settings) as publisher:
        with steps(title, total=len(records)) as progress:
            for start in range(0, len(records), CHUNK):
                chunk = records[start : start + CHUNK]
                await publisher.publish(chunk)
                progress.advance(len(chunk))


async def bring_in(
    settings: Settings, organization_id: str, events: Sequence[Mapping[str, Any]], *, patience: float
) -> bool:
    """
    Send events and wait until the view holds them; tells whether it does.

    Waiting needs a database that is known here; whether it answers is found out before anything is sent.
    """
    waits = patience > 0 and (is_set("postgres_dsn") or read_runtime(settings.data_dir) is not None)
    async with AsyncExitStack() as stack:
        reader = await stack.enter_async_context(open_reader(settings)) if waits else None
        records = [change_record(organization_id, encode_event(event)) for event in events]
        await _publish(settings, records, title="publishing")
        if reader is None:
            return False
        await until_seen(reader, organization_id, SOURCE, [str(event["id"]) for event in events], patience=patience)
        return True
