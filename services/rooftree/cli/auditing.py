"""
``rooftree audit``: what has changed.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final

import typer

from rooftree.bootstrap.reading import open_reader
from rooftree.cli.options import DataDir, Json, OrganizationId, given_account
from rooftree.cli.output import print_line, print_lines
from rooftree.cli.runtime import connected_settings
from rooftree.cli.source import Where, choose_organizations
from rooftree.cli.verifying import verify_audit
from rooftree.inquiry import wording
from rooftree.inquiry.documents import audit_document
from rooftree.inquiry.grouping import RevisionGroup, account_words, group_revisions
from rooftree.organization.timestamps import format_time
from rooftree.reading.reader import AuditRecord, Reader

__all__ = ["add_commands"]

PAGE: Final = 500
CHANGES_SHOWN: Final = 5
"""Changes of one revision that are said in words."""

POLL_SECONDS: Final = 0.5
BEGINNING: Final = (0, 0)


def add_commands(app: typer.Typer) -> None:
    """
    Add the commands of this module.
    """
    group = typer.Typer(invoke_without_command=True, no_args_is_help=False, rich_markup_mode=None)
    group.callback()(audit)
    group.command(name="verify")(verify_audit)
    app.add_typer(group, name="audit")


def audit(
    context: typer.Context,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing as events come.")] = False,
    account: Annotated[
        str | None, typer.Option(metavar="ID", help="Only events of this account.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many events back.")] = 20,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Print the last audit events in their order; `--json` prints them as CloudEvents, one a line.
    """
    if context.invoked_subcommand is None:
        chosen = given_account(account) if account else None
        where = Where(None, organization, data_dir)
        asyncio.run(_audit(where, account_id=chosen, limit=limit, follow=follow, as_json=as_json))


async def _audit(where: Where, *, account_id: str | None, limit: int, follow: bool, as_json: bool) -> None:
    async with open_reader(connected_settings(where.data_dir)) as reader:
        latest: list[list[AuditRecord]] = []
        positions: dict[str, tuple[int, int]] = {}
        for organization_id in await choose_organizations(reader, where.organization_id):
            events = await reader.audit(organization_id, account_id=account_id, limit=limit)
            positions[organization_id] = events[0].position if events else BEGINNING
            latest.append(events[::-1])
        # Organizations have no order in common but time; merging leaves each one's own order as it is.
        merged = list(heapq.merge(*latest, key=lambda event: event.time))
        await _print_events(reader, merged[-limit:], as_json=as_json)
        while follow:
            if not await _print_new(reader, where, account_id, positions, as_json=as_json):
                await asyncio.sleep(POLL_SECONDS)


async def _print_new(
    reader: Reader,
    where: Where,
    account_id: str | None,
    positions: dict[str, tuple[int, int]],
    *,
    as_json: bool,
) -> bool:
    found = False
    known = [record.organization_id for record in await reader.organizations()]
    for organization_id in [where.organization_id] if where.organization_id else known:
        position = positions.get(organization_id, BEGINNING)
        events = await reader.audit_after(organization_id, position, account_id=account_id, limit=PAGE)
        if events:
            await _print_events(reader, events, as_json=as_json)
            positions[organization_id] = events[-1].position
            found = True
    return found


async def _print_events(reader: Reader, events: Sequence[AuditRecord], *, as_json: bool) -> None:
    if as_json:
        print_lines(audit_document(event) for event in events)
        return
    names = {one: await reader.names(one) for one in {event.organization_id for event in events}}
    for group in group_revisions(events):
        for line in _group_lines(group, names[group.organization_id]):
            print_line(line)


def _group_lines(group: RevisionGroup, names: Mapping[str, str]) -> Iterator[str]:
    yield f"{format_time(group.time)} r{group.revision} {group.title}"
    yield f"  {group.cause}"
    if group.parts > 1:
        yield f"  in {account_words(group.accounts, total=group.parts)}"
    if group.impact is not None:
        yield f"  {group.impact}"
    for flip in group.flips:
        yield f"  {wording.flip_words(flip)}"
    names = wording.names_then(group.events[0].data, names)
    blocks = group.blocks
    for block in blocks[:CHANGES_SHOWN]:
        some = len(block.accounts) < len(group.events)
        yield f"  {f'in {len(block.accounts)} of these, ' if some else ''}{wording.change_words(block.change)}"
        if block.change.get("witness"):
            yield f"    for example {wording.witness_words(block.change)}"
        yield f"    because {wording.blame_words(block.change, names)}"
        if block.change.get("unless"):
            yield f"    except what {wording.unless_words(block.change, names)}"
    if len(blocks) > CHANGES_SHOWN:
        yield f"  and {len(blocks) - CHANGES_SHOWN} changes more, which --json prints"
