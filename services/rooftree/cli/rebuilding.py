"""
``rooftree rebuild``: the view computed anew, from the facts or from the log.
"""

from __future__ import annotations

import asyncio
import time as clock
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from rooftree.bootstrap.commands import open_rebuild
from rooftree.bootstrap.reading import open_reader
from rooftree.cli.options import DataDir, Json, OrganizationId
from rooftree.cli.output import print_json, print_line, steps
from rooftree.cli.runtime import connected_settings
from rooftree.cli.source import choose_organizations
from rooftree.errors import UnavailableError, UsageError
from rooftree.organization.timestamps import format_time
from rooftree.ports.outbox import Outgoing
from rooftree.settings import Settings
from rooftree.store.rebuilding import DatabaseRebuild, Extent
from rooftree.stream import topic_beginnings
from rooftree.view.audit import Cause
from rooftree.view.patch import Position
from rooftree.view.rebuilding import REBUILD_SOURCE, Rebuilt, rebuild_view
from rooftree.view.verification import StoredView
from rooftree.workers.encoding import outgoing

__all__ = ["add_commands"]

POLL_SECONDS: Final = 0.2


def add_commands(app: typer.Typer) -> None:
    """
    Add the commands of this module.
    """
    app.command()(rebuild)


def rebuild(
    *,
    from_topic: Annotated[
        bool, typer.Option("--from-topic", help="Forget everything and read the topic of changes from its beginning.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do that, although the view is empty until it is read.")] = False,
    patience: Annotated[float, typer.Option(min=1, help="Seconds to wait while reading makes no progress.")] = 60,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Compute the view anew from the facts; the history and the audit events go on from where they are.

    With --from-topic everything is made anew, history and audit events included, and all is sent again under the
    same ids.
    """
    if from_topic and organization is not None:
        raise UsageError("a topic holds all organizations; leave out --organization", place="--organization")
    if from_topic and not yes:
        raise UsageError(
            "the view is empty until the topic is read, and all is sent again; --yes says that this is meant",
            place="--from-topic",
        )
    if from_topic:
        read = asyncio.run(_from_topic(data_dir, patience=patience))
        if as_json:
            print_json({"records": read})
        else:
            print_line(f"the view is made anew from {read} records")
        return
    outcomes = asyncio.run(_from_facts(organization, data_dir))
    if as_json:
        print_json({"organizations": [outcome.document for outcome in outcomes]})
    for outcome in outcomes if not as_json else ():
        print_line(outcome.line)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """
    What a rebuild of one organization came to.
    """

    organization_id: str
    rebuilt: Rebuilt

    @property
    def document(self) -> dict[str, object]:
        """
        The same as JSON.
        """
        patch = self.rebuilt.patch
        return {
            "organization_id": self.organization_id,
            "accounts": len(self.rebuilt.accounts),
            "mended": list(self.rebuilt.mended),
            "removed": sorted(departure.account_id for departure in patch.departed),
            "audit_events": len(patch.audit),
        }

    @property
    def line(self) -> str:
        """
        The same in words.
        """
        patch = self.rebuilt.patch
        mended, removed = len(self.rebuilt.mended), len(patch.departed)
        told = f"{len(self.rebuilt.accounts)} accounts computed anew"
        if not mended and not removed:
            return f"{self.organization_id}: {told}; each was what the facts say"
        return f"{self.organization_id}: {told}; {mended} mended, {removed} removed, {len(patch.audit)} audit events"


async def _from_facts(organization_id: str | None, data_dir: DataDir) -> list[_Outcome]:
    settings = connected_settings(data_dir)
    async with open_reader(settings) as reader:
        chosen = await choose_organizations(reader, organization_id)
    outcomes = []
    async with open_rebuild(settings) as store:
        with steps("organizations", total=len(chosen)) as progress:
            for each in chosen:
                rebuilt = await store.rebuild(each, _plan)
                if rebuilt is not None:
                    outcomes.append(_Outcome(each, rebuilt))
                progress.advance()
    return outcomes


def _plan(stored: StoredView, position: Position) -> tuple[Rebuilt, Outgoing]:
    now = datetime.now(UTC)
    cause = Cause(
        source=REBUILD_SOURCE,
        event_id=f"rebuild@{format_time(now)}",
        event_type=None,
        time=now,
        actor=None,
        summary="the view was computed anew from the facts",
    )
    rebuilt = rebuild_view(stored, position, cause)
    return rebuilt, outgoing(stored.organization_id, [rebuilt.patch])


async def _from_topic(data_dir: DataDir, *, patience: float) -> int:
    settings = connected_settings(data_dir, server="kafka_bootstrap")
    log_id, beginnings = await topic_beginnings(settings, settings.changes_topic)
    extent = Extent(log_id, settings.changes_topic, beginnings)
    async with open_rebuild(settings) as store:
        goals = await store.rewind(settings.consumer_group, extent)
        await _wait(store, settings, extent, goals, patience=patience)
    return sum(goal - beginnings[partition] for partition, goal in goals.items())


async def _wait(
    store: DatabaseRebuild, settings: Settings, extent: Extent, goals: Mapping[int, int], *, patience: float
) -> None:
    left, since = -1, clock.monotonic()
    with steps("records", total=sum(goals.values())) as progress:
        while left:
            offsets = await store.offsets(settings.consumer_group, extent)
            now = sum(max(0, goal - offsets.get(partition, 0)) for partition, goal in goals.items())
            if now != left:
                progress.advance(max(0, left - now))
                left, since = now, clock.monotonic()
            elif clock.monotonic() - since > patience:
                raise UnavailableError(
                    f"{left} records are still to be read, and nobody reads them; is a projector running?"
                )
            else:
                await asyncio.sleep(POLL_SECONDS)
