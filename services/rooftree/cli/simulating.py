"""
``rooftree simulate``: requests under all policies that have a say in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from rooftree.authorization import Answer, Authorizer, Layer, Outcome
from rooftree.authorization.surroundings import Surroundings
from rooftree.cli.files import read_lines
from rooftree.cli.options import Json, OrgFile
from rooftree.cli.output import print_line, print_lines, print_table
from rooftree.cli.source import read_snapshot
from rooftree.contracts.simulation import (
    Simulation,
    answer_document,
    layers_document,
    line_id,
    read_line,
    read_simulation,
)
from rooftree.errors import InputError, UsageError
from rooftree.inquiry.sources import load_organization

__all__ = ["add_commands"]

_WORDS: Final = {
    Outcome.DENIES: "denies",
    Outcome.ALLOWS: "allows",
    Outcome.LACKING: "does not allow",
    Outcome.SILENT: "allows nothing, need not",
    Outcome.IDLE: "does not bind",
    Outcome.ABSENT: "none",
}


def add_commands(app: typer.Typer) -> None:
    """
    Add the command.
    """
    app.command()(simulate)


@dataclass(frozen=True, slots=True)
class Simulated:
    """
    One line and what came of it.

    Attributes:
        error: Why it could not be evaluated.
    """

    number: int
    id: object
    simulation: Simulation | None = None
    answer: Answer | None = None
    error: InputError | None = None


def simulate(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Requests with their policies, one a line, or `-`.", show_default=False),
    ],
    *,
    org: OrgFile = None,
    explain: Annotated[bool, typer.Option("--explain", help="Tell what each kind of policies has to say.")] = False,
    as_json: Json = False,
) -> None:
    """
    Decide requests under all policies that have a say in them; NDJSON in, NDJSON out.

    With --org, control policies that a line leaves out are those of the snapshot. With --explain, each decision is a
    table, or with --json a line that holds the same.
    """
    surroundings = None if org is None else Surroundings(load_organization(read_snapshot(org)))
    broken: list[Simulated] = []

    def simulated() -> Iterator[Simulated]:
        for number, line in read_lines(file):
            one = _simulate(number, line, surroundings)
            if one.error is not None:
                broken.append(one)
            yield one

    if explain and not as_json:
        for one in simulated():
            _print_explained(one)
    else:
        print_lines(_document(one, explain=explain) for one in simulated())
    if broken:
        first = broken[0]
        assert first.error is not None, "only lines with an error are broken"
        more = f" ({len(broken) - 1} more lines are broken)" if len(broken) > 1 else ""
        place = f"{file}:{first.number}{f': {first.error.place}' if first.error.place else ''}"
        raise UsageError(f"{first.error.reason}{more}", place=place)


def _simulate(number: int, line: bytes, surroundings: Surroundings | None) -> Simulated:
    content: object = None
    try:
        content = read_line(line)
        simulation = read_simulation(content, moment=datetime.now(UTC), surroundings=surroundings)
    except InputError as error:
        return Simulated(number, line_id(content), error=error)
    answer = Authorizer(simulation.policies).explain(simulation.request)
    return Simulated(number, line_id(content), simulation, answer)


def _document(one: Simulated, *, explain: bool) -> dict[str, object]:
    if one.answer is None:
        return {"id": one.id, "error": str(one.error)}
    document = {"id": one.id, **answer_document(one.answer)}
    return {**document, "layers": layers_document(one.answer)} if explain else document


def _print_explained(one: Simulated) -> None:
    name = one.id if one.id is not None else f"line {one.number}"
    if one.answer is None or one.simulation is None:
        print_line(f"{name}: error: {one.error}")
        print_line()
        return
    request = one.simulation.request
    print_line(f"{name}: {one.answer.decision}: {request.action} on {request.resource}")
    print_line(f"by {request.principal.text} ({request.principal.kind})")
    rows = [
        (
            layer.policy_type.replace("_", " ") if not number else "",
            _WORDS[layer.outcome] if not number else "",
            because,
        )
        for layer in one.answer.layers
        for number, because in enumerate(_because(layer))
    ]
    print_table(("LAYER", "SAYS", "BECAUSE"), rows)
    print_line()


def _because(layer: Layer) -> list[str]:
    lines = [
        f"{verb} by {reason.policy_name}, {reason.label}{f', on {reason.target_id}' if reason.target_id else ''}"
        for verb, reasons in (("denied", layer.denials), ("allowed", layer.grants))
        for reason in reasons
    ]
    lines += [f"no policy on {target} allows it" for target in layer.missing_levels]
    return [*lines, layer.note] if layer.note else lines or [""]
