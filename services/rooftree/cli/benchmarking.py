"""
``rooftree bench``.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from rooftree.benchmarks import (
    ALGEBRA_STEPS,
    SIMULATION_STEPS,
    algebra_measurements,
    demo_policies,
    large_policies,
    policies_in,
    simulation_measurements,
)
from rooftree.cli.options import Json
from rooftree.cli.output import print_json, print_table, steps

__all__ = ["add_commands"]


def add_commands(app: typer.Typer) -> None:
    """
    Add the command.
    """
    app.command("bench")(bench)


def bench(
    runs: Annotated[int, typer.Option("--runs", min=5, help="How often each thing is timed.")] = 50,
    policies: Annotated[
        Path | None,
        typer.Option(
            "--policies",
            help="A folder of SCPs as JSON files to measure the algebra with; the demo's, if none is named.",
        ),
    ] = None,
    large: Annotated[
        bool, typer.Option("--large", help="Measure the algebra with made-up policies at the quota.")
    ] = False,
    as_json: Json = False,
) -> None:
    """
    Time the permission algebra and single decisions, each figure beside a floor measured in the same run.
    """
    found = []
    texts = policies_in(policies) if policies else large_policies(40, seed=1) if large else demo_policies()
    with steps("Measuring", total=ALGEBRA_STEPS + SIMULATION_STEPS) as progress:
        for measurement in chain(algebra_measurements(texts, runs=runs), simulation_measurements(runs=runs)):
            found.append(measurement)
            progress.advance()
    if as_json:
        print_json({"measurements": [measurement.as_json() for measurement in found]})
        return
    print_table(
        ["What", "Median", "p95", "A second", "Floor", "Median of floor", "Ratio"],
        [
            (
                one.name,
                f"{one.median * 1000:.2f} ms",
                f"{one.p95 * 1000:.2f} ms",
                f"{one.per_second:,.0f}",
                one.floor,
                f"{one.floor_median * 1000:.2f} ms",
                f"{one.ratio:.1f}",
            )
            for one in found
        ],
    )
