"""
``rooftree verify`` and ``audit verify``: whether what is stored is what follows from the changes that were told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import typer

from rooftree.bootstrap.commands import open_inspection
from rooftree.bootstrap.reading import open_reader
from rooftree.cli.options import DataDir, Json, OrganizationId
from rooftree.cli.output import print_json, print_line, steps
from rooftree.cli.runtime import connected_settings
from rooftree.cli.source import Where, choose_organizations
from rooftree.reading.reader import OrganizationRecord
from rooftree.store.inspection import DatabaseInspection
from rooftree.view.rebuilding import REBUILD_SOURCE
from rooftree.view.sealing import SealedSequence
from rooftree.view.verification import Deviation, FoundState, deviations

__all__ = ["AuditCheck", "add_commands", "verify_audit"]

BROKEN: Final = 1
PAGE: Final = 500
BEGINNING: Final = (0, 0)


def add_commands(app: typer.Typer) -> None:
    """
    Add the commands of this module.
    """
    app.command()(verify)


def verify(organization: OrganizationId = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """
    Work out every account anew from the facts and compare; check the history and the audit events; exit with 1 if
    anything deviates. What was found is kept, and shown by the API and the dashboard.
    """
    where = Where(None, organization, data_dir)
    checks = asyncio.run(_verify(where))
    if as_json:
        print_json({"organizations": [check.document for check in checks]})
    for line in () if as_json else (line for check in checks for line in check.lines()):
        print_line(line)
    asyncio.run(_keep(where, [state for check in checks for state in (check.audit.state, check.state)]))
    if any(check.faults for check in checks):
        raise typer.Exit(BROKEN)


def verify_audit(organization: OrganizationId = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """
    Check that no audit event was altered, removed or put in; exit with 1 if one was. What was found is kept.
    """
    where = Where(None, organization, data_dir)
    checks = asyncio.run(_verify_audit(where))
    if as_json:
        print_json({"organizations": [check.document for check in checks]})
    for check in checks if not as_json else ():
        print_line(check.line)
    asyncio.run(_keep(where, [check.state for check in checks]))
    if any(check.fault is not None for check in checks):
        raise typer.Exit(BROKEN)


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """
    What came of checking the audit events of one organization.

    Attributes:
        events: How many are whole, from the first one on.
        position: Revision and part of the last of them.
        fault: What is wrong with the next one, with its place; None if there is nothing wrong.
    """

    organization_id: str
    events: int
    position: tuple[int, int]
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
    def state(self) -> FoundState:
        """
        The same in short, to be kept.
        """
        faults = int(self.fault is not None)
        return FoundState(self.organization_id, "audit", self.position, self.events, faults, self.fault)

    @property
    def line(self) -> str:
        """
        The same in words.
        """
        if self.fault is None:
            return f"{self.organization_id}: {self.events} audit events, whole up to {self.chain_hash}"
        return f"{self.organization_id}: broken after {self.events} audit events: {self.fault}"


@dataclass(frozen=True, slots=True)
class _Check:
    """
    What came of checking one organization.
    """

    revision: int
    accounts: int
    spans: int
    deviations: list[Deviation]
    audit: AuditCheck

    @property
    def state(self) -> FoundState:
        """
        What was found of the view in short, to be kept.
        """
        first = str(self.deviations[0]) if self.deviations else None
        rows = self.accounts + self.spans
        position = (self.revision, 0)
        return FoundState(self.audit.organization_id, "view", position, rows, len(self.deviations), first)

    @property
    def faults(self) -> int:
        """
        How many things are wrong.
        """
        return len(self.deviations) + (self.audit.fault is not None)

    @property
    def document(self) -> dict[str, object]:
        """
        The same as JSON.
        """
        return {
            "organization_id": self.audit.organization_id,
            "accounts": self.accounts,
            "history_rows": self.spans,
            "deviations": [
                {"place": each.place, "expected": each.expected, "found": each.found} for each in self.deviations
            ],
            "audit": self.audit.document,
            "verified": not self.faults,
        }

    def lines(self) -> Iterable[str]:
        """
        Yield the same in words.
        """
        organization_id = self.audit.organization_id
        told = f"{self.accounts} accounts and {self.spans} rows of history"
        if self.deviations:
            yield f"{organization_id}: {told}, {len(self.deviations)} deviations from the facts"
        else:
            yield f"{organization_id}: {told} are what the facts say"
        for deviation in self.deviations:
            yield f"  {deviation}"
        yield self.audit.line


async def _verify(where: Where) -> list[_Check]:
    settings = connected_settings(where.data_dir)
    checks = []
    for record in await _chosen(where):
        async with open_inspection(settings) as inspection:
            stored = await inspection.stored_view(record.organization_id)
            audit = await _check_audit(inspection, record)
        with steps("accounts", total=None):
            found = list(deviations(stored))
        spans = sum(len(spans) for spans in stored.history.values())
        checks.append(_Check(record.revision, len(stored.accounts), spans, found, audit))
    return checks


async def _verify_audit(where: Where) -> list[AuditCheck]:
    async with open_inspection(connected_settings(where.data_dir)) as inspection:
        return [await _check_audit(inspection, record) for record in await _chosen(where)]


async def _keep(where: Where, states: Iterable[FoundState]) -> None:
    async with open_inspection(connected_settings(where.data_dir)) as inspection:
        for state in states:
            await inspection.keep(state)


async def _chosen(where: Where) -> list[OrganizationRecord]:
    async with open_reader(connected_settings(where.data_dir)) as reader:
        chosen = set(await choose_organizations(reader, where.organization_id))
        return [record for record in await reader.organizations() if record.organization_id in chosen]


async def _check_audit(inspection: DatabaseInspection, record: OrganizationRecord) -> AuditCheck:
    organization_id = record.organization_id
    sequence = SealedSequence()
    fault = await _first_fault(inspection, organization_id, sequence, up_to=record.revision)
    if fault is None:
        fault = sequence.end_fault(revision=record.revision, chain_hash=record.chain_hash)
    return AuditCheck(organization_id, sequence.events, sequence.position, sequence.chain_hash, fault)


async def _first_fault(
    inspection: DatabaseInspection, organization_id: str, sequence: SealedSequence, *, up_to: int
) -> str | None:
    others = await inspection.topics() | {REBUILD_SOURCE}
    position = BEGINNING
    with steps("audit events", total=None) as progress:
        while True:
            page = await inspection.audit_after(organization_id, position, limit=PAGE)
            # What a projector writes meanwhile is for the next time.
            events = [event for event in page if event.revision <= up_to]
            if not events:
                return None
            sources = await inspection.sources(organization_id, (event.cause_event_id for event in events))
            for event in events:
                fault = sequence.fault(event, sources.get(event.cause_event_id, set()) | others)
                if fault is not None:
                    return f"revision {event.revision}, part {event.part}: {fault}"
                position = event.revision, event.part
                progress.advance()
