"""
``rooftree audit`` and ``audit verify``: what has changed, and whether the record of it is whole.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from rooftree.api import wording
from rooftree.api.documents import audit_document
from rooftree.api.grouping import RevisionGroup, account_words, group_revisions
from rooftree.bootstrap import open_reader
from rooftree.cli.options import DataDir, Json, OrganizationId, given_account
from rooftree.cli.output import print_json, print_line, print_lines, steps
from rooftree.cli.runtime import connected_settings
from rooftree.cli.source import Where, choose_organizations
from rooftree.organization.timestamps import format_time
from rooftree.reading import AuditRecord, OrganizationRecord, Reader
from rooftree.view.audit import seal
from rooftree.view.patch import GENESIS

__all__ = ["add_commands"]

BROKEN: Final = 1
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
    group.command()(verify)
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


def verify(organization: OrganizationId = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """
    Check that no audit event was altered, removed or put in; exit with 1 if one was.
    """
    if not asyncio.run(_verify(Where(None, organization, data_dir), as_json=as_json)):
        raise typer.Exit(BROKEN)


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
    blocks = group.blocks()
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


async def _verify(where: Where, *, as_json: bool) -> bool:
    async with open_reader(connected_settings(where.data_dir)) as reader:
        chosen = set(await choose_organizations(reader, where.organization_id))
        records = [record for record in await reader.organizations() if record.organization_id in chosen]
        verdicts = [await _verdict(reader, record) for record in records]
    if as_json:
        print_json({"organizations": [verdict.document for verdict in verdicts]})
    for verdict in verdicts if not as_json else ():
        print_line(verdict.line)
    return all(verdict.fault is None for verdict in verdicts)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """
    What came of checking the events of one organization.
    """

    organization_id: str
    events: int
    chain_hash: str
    fault: str | None

    @property
    def document(self) -> dict[str, object]:
        """
        The same as JSON.
        """
        return {
            "organization_id": self.organization_id,
            "events": self.events,
            "chain_hash": self.chain_hash,
            "whole": self.fault is None,
            "fault": self.fault,
        }

    @property
    def line(self) -> str:
        """
        The same in words.
        """
        if self.fault is None:
            return f"{self.organization_id}: {self.events} audit events, whole up to {self.chain_hash}"
        return f"{self.organization_id}: broken after {self.events} audit events: {self.fault}"


async def _verdict(reader: Reader, record: OrganizationRecord) -> _Verdict:
    count, chain_hash, fault = await _walk(reader, record.organization_id, up_to=record.revision)
    if fault is None and chain_hash != record.chain_hash:
        fault = f"the event with hash {record.chain_hash}, which was written last, is not there"
    return _Verdict(record.organization_id, count, chain_hash, fault)


async def _walk(reader: Reader, organization_id: str, *, up_to: int) -> tuple[int, str, str | None]:
    count, chain_hash, position = 0, GENESIS, BEGINNING
    with steps("audit events", total=None) as progress:
        while True:
            events = await reader.audit_after(organization_id, position, limit=PAGE)
            events = [event for event in events if event.revision <= up_to]
            if not events:
                return count, chain_hash, None
            for event in events:
                fault = _fault(event, position, chain_hash)
                if fault is not None:
                    return count, chain_hash, f"revision {event.revision}, part {event.part}: {fault}"
                position, chain_hash, count = event.position, _hashes(event)["this"], count + 1
                progress.advance()


def _fault(event: AuditRecord, position: tuple[int, int], previous: str) -> str | None:
    revision, part = position
    if event.position not in {(revision, part + 1), (revision + 1, 1)}:
        return f"events are missing after revision {revision}, part {part}"
    hashes = _hashes(event)
    if hashes["previous"] != previous:
        return "it is not sealed to the event before"
    if hashes["this"] != seal(previous, event.data):
        return "it was altered"
    return None


def _hashes(event: AuditRecord) -> dict[str, str]:
    found = event.data.get("chain_hash")
    known = found if isinstance(found, dict) else {}
    return {name: str(known.get(name)) for name in ("previous", "this")}
