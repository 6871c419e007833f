"""
``rooftree probe``: decisions to watch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer
import yaml
from pydantic import ValidationError

from rooftree.bootstrap.reading import open_reader
from rooftree.cli.feeding import Patience, bring_in
from rooftree.cli.files import read_bytes
from rooftree.cli.options import Contexts, DataDir, Json, OrganizationId, given_context
from rooftree.cli.output import print_json, print_line, print_table
from rooftree.cli.runtime import connected_settings
from rooftree.cli.source import choose_organizations
from rooftree.contracts.complaints import first_complaint
from rooftree.contracts.probe_events import probe_events
from rooftree.contracts.probes import ProbeModel
from rooftree.contracts.snapshot_events import SOURCE, Event
from rooftree.errors import InputError, UsageError, join_place
from rooftree.inquiry.documents import probe_document
from rooftree.organization.identifiers import is_organization
from rooftree.organization.probes import Probe
from rooftree.organization.timestamps import format_time
from rooftree.reading.reader import Reader
from rooftree.settings import Settings
from rooftree.view.patch import ProbeState

__all__ = ["add_commands", "read_probes"]

STATES: Final = {True: "yes", False: "NO", None: "not known"}

Name: TypeAlias = Annotated[str, typer.Argument(metavar="NAME", help="What the probe is called.", show_default=False)]


def add_commands(app: typer.Typer) -> None:
    """
    Add the commands of this module.
    """
    group = typer.Typer(
        help="Watch decisions: named requests, with the decision that is expected.", no_args_is_help=True
    )
    group.command()(add)
    group.command(name="list")(list_probes)
    group.command()(rm)
    group.command()(apply)
    app.add_typer(group, name="probe")


def add(
    name: Name,
    *,
    principal: Annotated[str, typer.Option(help="An ARN, a service principal or `anonymous`.", show_default=False)],
    action: Annotated[str, typer.Option(help="One action, such as `s3:GetObject`.", show_default=False)],
    resource: Annotated[str, typer.Option(help="An ARN, or `*`.")] = "*",
    context: Contexts = None,
    expect: Annotated[str, typer.Option(metavar="allow|deny", help="The decision that is right.", show_default=False)],
    organization: OrganizationId = None,
    patience: Patience = 60,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Watch a decision from now on; a probe of this name is replaced.
    """
    values = {key: found[0] if len(found) == 1 else found for key, found in given_context(context).items()}
    told = {"name": name, "principal": principal, "action": action, "resource": resource, "context": values}
    probe = _probe({**told, "expect": expect}, "")
    asyncio.run(_change(organization, data_dir, [probe], [], patience=patience, as_json=as_json))


def rm(
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="Which ones.", show_default=False)],
    *,
    organization: OrganizationId = None,
    patience: Patience = 60,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Watch some decisions no more.
    """
    asyncio.run(_change(organization, data_dir, [], names, patience=patience, as_json=as_json))


def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML with `probes`, or `-`.", show_default=False)],
    *,
    prune: Annotated[bool, typer.Option("--prune", help="Remove probes that are not in the file.")] = False,
    organization: OrganizationId = None,
    patience: Patience = 60,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Bring the probes of an organization to the state of a file; what is as it should be is left alone.
    """
    named, probes = read_probes(read_bytes(file), str(file))
    asyncio.run(
        _change(organization or named, data_dir, probes, None if prune else [], patience=patience, as_json=as_json)
    )


def list_probes(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if one is not as expected, or is not known.")
    ] = False,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> int:
    """
    Show the probes, and how they are decided.
    """
    states = asyncio.run(_list(organization, data_dir, as_json=as_json))
    return int(check and any(state.as_expected is not True for state in states))


def read_probes(content: bytes, place: str) -> tuple[str | None, list[Probe]]:
    """
    Return the organization that a YAML file names, if it does, and its probes.

    Raises:
        UsageError: Something is wrong; the error names the file and the place in it.
    """
    try:
        top = yaml.safe_load(content)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f": line {mark.line + 1} column {mark.column + 1}" if mark is not None else ""
        raise UsageError(
            f"no YAML: {getattr(error, 'problem', None) or 'cannot be read'}", place=f"{place}{where}"
        ) from error
    listed = top.get("probes") if isinstance(top, dict) else None
    if not isinstance(listed, list):
        raise UsageError("expected `probes`, a list", place=place)
    organization = top.get("organization")
    if organization is not None and not (isinstance(organization, str) and is_organization(organization)):
        raise UsageError("expected an id such as `o-exampleorg`", place=f"{place}: organization")
    probes: dict[str, Probe] = {}
    for index, entry in enumerate(listed):
        where = f"probes[{index}]"
        try:
            probe = _probe(entry, where)
        except InputError as error:
            raise UsageError(error.reason, place=f"{place}: {error.place}") from error
        if probe.name in probes:
            raise UsageError(f"`{probe.name}` stands twice", place=f"{place}: {where}.name")
        probes[probe.name] = probe
    return organization, list(probes.values())


def _probe(told: object, place: str) -> Probe:
    try:
        return ProbeModel.model_validate(told).to_probe()
    except ValidationError as error:
        complaint = first_complaint(error, place)
        raise UsageError(complaint.reason, place=complaint.place) from error
    except InputError as error:
        raise UsageError(error.reason, place=join_place(place, error.place)) from error


async def _list(organization: str | None, data_dir: Path | None, *, as_json: bool) -> list[ProbeState]:
    async with open_reader(connected_settings(data_dir)) as reader:
        found = [
            (organization_id, state)
            for organization_id in await choose_organizations(reader, organization)
            for state in await reader.probes(organization_id)
        ]
    if as_json:
        print_json([probe_document(organization_id, state) for organization_id, state in found])
    elif not found:
        print_line("nothing is watched; `rooftree probe add` and `rooftree probe apply FILE` begin it")
    else:
        _show(state for _, state in found)
    return [state for _, state in found]


def _show(states: Iterable[ProbeState]) -> None:
    print_table(
        ("NAME", "PRINCIPAL", "ACTION", "RESOURCE", "EXPECTED", "DECISION", "AS EXPECTED", "SINCE"),
        [
            (
                state.probe.name,
                state.probe.principal,
                state.probe.action,
                state.probe.resource,
                state.probe.expect,
                state.finding.decision,
                STATES[state.as_expected],
                format_time(state.since),
            )
            for state in states
        ],
    )


async def _change(
    organization: str | None,
    data_dir: Path | None,
    wanted: Sequence[Probe],
    unwanted: Sequence[str] | None,
    *,
    patience: float,
    as_json: bool,
) -> None:
    """
    Set probes and remove others; all others where *unwanted* is None.
    """
    settings = connected_settings(data_dir)
    async with open_reader(settings) as reader:
        organization_id = await _organization(reader, organization)
        known = {state.probe.name: state.probe for state in await reader.probes(organization_id)}
        names = {probe.name for probe in wanted}
        gone = [name for name in known if name not in names] if unwanted is None else list(unwanted)
        for name in gone:
            if name not in known:
                raise UsageError(f"no probe `{name}`; known are {', '.join(known) or 'none'}", place="NAME")
        events = probe_events(
            organization_id,
            [probe for probe in wanted if known.get(probe.name) != probe],
            gone,
            source=SOURCE,
            moment=datetime.now(UTC),
        )
        applied = await _send(settings, organization_id, events, patience=patience)
        states = [state for state in await reader.probes(organization_id) if state.probe.name in names]
    if as_json:
        documents = [probe_document(organization_id, state) for state in states]
        print_json({"published": len(events), "applied": applied, "removed": gone, "probes": documents})
        return
    print_line(
        f"{len(events) - len(gone)} set, {len(gone)} removed, {len(wanted) + len(gone) - len(events)} as they were"
    )
    if states:
        _show(states)


async def _organization(reader: Reader, wanted: str | None) -> str:
    found = await choose_organizations(reader, wanted)
    if len(found) != 1:
        raise UsageError(f"needed, since there are {len(found)} organizations", place="--organization")
    return found[0]


async def _send(settings: Settings, organization_id: str, events: Sequence[Event], *, patience: float) -> bool:
    return await bring_in(settings, organization_id, events, patience=patience) if events else True
