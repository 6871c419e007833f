"""
``rooftree bench``.
"""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from pydantic import SecretStr

from rooftree.benchmarks import (
    Accepted,
    Measurement,
    Scenario,
    Size,
    Wanted,
    demo_policies,
    describe_machine,
    document_of,
    large_policies,
    measurements,
    policies_in,
    read_accepted,
    write_report,
)
from rooftree.cli.options import Json
from rooftree.cli.output import print_json, print_table, say, steps
from rooftree.cli.runtime import is_set
from rooftree.settings import Settings, load_settings
from rooftree.telemetry.logs import configure_logging

__all__ = ["add_commands"]

Scenarios: TypeAlias = Annotated[
    list[Scenario] | None,
    typer.Option("--scenario", help="What is measured; once more for each further one.", show_default="all"),
]
HowMuch: TypeAlias = Annotated[
    Size, typer.Option("--size", help="How much: in a minute, in some minutes, or in an hour.")
]
Kafka: TypeAlias = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="Use this Kafka.", show_default="an embedded broker")
]
Postgres: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="DSN", help="Use this PostgreSQL, in databases made for it.", show_default="an embedded one"),
]
Runs: TypeAlias = Annotated[
    int, typer.Option("--runs", min=5, help="How often each step of the algebra and the simulation is timed.")
]
Policies: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--policies", help="A folder of SCPs as JSON files to measure the algebra with; the demo's, if none is named."
    ),
]
Large: TypeAlias = Annotated[
    bool, typer.Option("--large", help="Measure the algebra with made-up policies at the quota.")
]
Report: TypeAlias = Annotated[
    Path | None, typer.Option("--report", help="A folder for the figures, plots and a page; needs matplotlib.")
]
AcceptedRatios: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--accepted", help="Ratios that were accepted, as JSON: status 1 if one is larger now than that allows."
    ),
]


def add_commands(app: typer.Typer) -> None:
    """
    Add the command.
    """
    app.command("bench")(bench)


def bench(
    *,
    scenario: Scenarios = None,
    size: HowMuch = Size.USUAL,
    kafka: Kafka = None,
    postgres: Postgres = None,
    runs: Runs = 50,
    policies: Policies = None,
    large: Large = False,
    report: Report = None,
    accepted: AcceptedRatios = None,
    as_json: Json = False,
) -> None:
    """
    Time the service and its parts, each figure beside a floor that is measured in the same run, by turns.
    """
    settings = _settings(kafka, postgres)
    configure_logging(level="error", style=settings.log_format.value)
    limits = None if accepted is None else read_accepted(accepted)
    with tempfile.TemporaryDirectory(prefix="rooftree-bench-") as folder:
        Path(folder).chmod(0o711)  # the embedded PostgreSQL runs as another user where this one is root
        wanted = Wanted(
            scenarios=scenario or list(Scenario),
            size=size,
            texts=policies_in(policies) if policies else large_policies(40, seed=1) if large else demo_policies(),
            runs=runs,
            folder=Path(folder),
            settings=settings,
            embed_kafka=kafka is None and not is_set("kafka_bootstrap"),
            embed_postgres=postgres is None and not is_set("postgres_dsn"),
        )
        found = asyncio.run(_measure(wanted))
    _tell(found, report, as_json=as_json)
    if limits is not None:
        _hold(found, limits)


def _settings(kafka: str | None, postgres: str | None) -> Settings:
    given = {"kafka_bootstrap": kafka, "postgres_dsn": None if postgres is None else SecretStr(postgres)}
    return load_settings({name: value for name, value in given.items() if value is not None})


def _tell(found: Sequence[Measurement], report: Path | None, *, as_json: bool) -> None:
    machine = describe_machine()
    if report is not None:
        write_report(report, machine, found)
    if as_json:
        print_json(document_of(machine, found))
    else:
        _print(found)


def _hold(found: Sequence[Measurement], limits: Accepted) -> None:
    worse = list(limits.worse(found))
    for one in worse:
        say(str(one))
    if worse:
        raise typer.Exit(1)


async def _measure(wanted: Wanted) -> list[Measurement]:
    found = []
    task = asyncio.current_task()
    assert task is not None, "a coroutine is run by a task"
    # As SIGINT does by itself: servers and processes end with the contexts that run them.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with steps("Measuring", total=None) as progress:
        async for measurement in measurements(wanted):
            found.append(measurement)
            progress.advance()
    return found


def _print(found: Sequence[Measurement]) -> None:
    print_table(
        ["Scenario", "What", "Median", "p95", "p99", "A second", "Floor", "Median of floor", "Ratio", "Aim"],
        [
            (
                one.scenario,
                one.name,
                _milliseconds(one.median),
                _milliseconds(one.p95),
                "" if one.p99 is None else _milliseconds(one.p99),
                f"{one.per_second:,.0f}",
                one.floor,
                _milliseconds(one.floor_median),
                f"{one.ratio:.1f}",
                _aim(one),
            )
            for one in found
        ],
    )


def _aim(one: Measurement) -> str:
    if one.budget is not None:
        return _milliseconds(one.budget)
    return "" if one.aim is None else f"{one.aim:g}"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.2f} s"
