"""
Everything that is measured, by scenario, in three sizes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Final

from rooftree.benchmarks.algebra import algebra_measurements
from rooftree.benchmarks.catch_up import catch_up_measurements
from rooftree.benchmarks.fan_out import FanOut, fan_out_measurements
from rooftree.benchmarks.measure import Measurement
from rooftree.benchmarks.pages import page_measurements
from rooftree.benchmarks.queries import query_measurements
from rooftree.benchmarks.simulation import simulation_measurements
from rooftree.benchmarks.stage import Servers, open_servers
from rooftree.benchmarks.start import start_measurements
from rooftree.benchmarks.throughput import Load, throughput_measurements
from rooftree.settings import Settings
from rooftree.workers.supervisor import collect_seldom

__all__ = ["Scenario", "Size", "Wanted", "measurements"]


class Scenario(StrEnum):
    """
    What can be measured.
    """

    LATENCY = "latency"
    THROUGHPUT = "throughput"
    FAN_OUT = "fan-out"
    START = "start"
    CATCH_UP = "catch-up"
    QUERIES = "queries"
    PAGES = "pages"
    ALGEBRA = "algebra"
    SIMULATION = "simulation"


class Size(StrEnum):
    """
    How much is measured: for a guard in a minute, for a look in some minutes, for a report in an hour.
    """

    SMALL = "small"
    USUAL = "usual"
    LARGE = "large"


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    What is to be measured.

    Attributes:
        texts: Policies to measure the algebra with.
        runs: How often each step of the algebra and the simulation is timed.
        folder: Where servers keep their data, and processes their logs.
        settings: The servers that are not embedded.
    """

    scenarios: Sequence[Scenario]
    size: Size
    texts: Sequence[str]
    runs: int
    folder: Path
    settings: Settings
    embed_kafka: bool = True
    embed_postgres: bool = True


_LATENCY: Final = {
    Size.SMALL: [FanOut(1, 60)],
    Size.USUAL: [FanOut(1, 300), FanOut(100, 40), FanOut(1_000, 12), FanOut(10_000, 4)],
    Size.LARGE: [FanOut(1, 1_000), FanOut(100, 200), FanOut(1_000, 60), FanOut(10_000, 12)],
}
_FAN_OUT: Final = {
    Size.SMALL: [FanOut(2_000, 5)],
    Size.USUAL: [FanOut(1_000, 5), FanOut(10_000, 3)],
    Size.LARGE: [FanOut(1_000, 9), FanOut(10_000, 5), FanOut(100_000, 3)],
}
_THROUGHPUT: Final = {
    Size.SMALL: [Load(3, 1, 1_000, 5)],
    Size.USUAL: [Load(1, 1, 3_000, 3), Load(10, 1, 3_000, 3), Load(100, 1, 3_000, 3), Load(10, 2, 3_000, 3)],
    Size.LARGE: [
        *(Load(organizations, 1, 20_000, 5) for organizations in (1, 10, 100)),
        *(Load(organizations, 2, 20_000, 5) for organizations in (10, 100)),
    ],
}
_START: Final = {Size.SMALL: ([1_000], 5), Size.USUAL: ([1_000, 10_000], 5), Size.LARGE: ([1_000, 10_000, 100_000], 5)}
_CATCH_UP: Final = {Size.SMALL: 2_000, Size.USUAL: 10_000, Size.LARGE: 1_000_000}
_QUERIES: Final = {
    Size.SMALL: (1_000, 10_000, 20),
    Size.USUAL: (10_000, 200_000, 30),
    Size.LARGE: (100_000, 10_000_000, 50),
}
"""Accounts, audit rows, and how often each is asked."""
_PAGES: Final = {Size.SMALL: (1_000, 60, 10), Size.USUAL: (10_000, 120, 20), Size.LARGE: (10_000, 1_200, 50)}
"""Accounts, changes that they have seen, and how often each page is asked for."""


async def measurements(wanted: Wanted) -> AsyncIterator[Measurement]:
    """
    Yield figure after figure.

    Raises:
        UnavailableError: A server cannot be started or does not answer.
    """
    # What is measured within this process runs as it does in those of the service.
    collect_seldom()
    for measurement in _of_memory(wanted):
        yield measurement
    if not set(wanted.scenarios) - {Scenario.ALGEBRA, Scenario.SIMULATION}:
        return
    size = wanted.size
    async with open_servers(
        wanted.folder, wanted.settings, embed_kafka=wanted.embed_kafka, embed_postgres=wanted.embed_postgres
    ) as servers:
        for scenario, figures in _of_servers(servers, size).items():
            if scenario in wanted.scenarios:
                async for measurement in figures:
                    yield measurement


def _of_servers(servers: Servers, size: Size) -> dict[Scenario, AsyncIterator[Measurement]]:
    """
    Return what needs a database or a broker; each begins when its first figure is asked for.
    """
    starts, runs = _START[size]
    accounts, audit_rows, asked = _QUERIES[size]
    shown, changes, visits = _PAGES[size]
    return {
        Scenario.LATENCY: fan_out_measurements(servers, _LATENCY[size], scenario=Scenario.LATENCY),
        Scenario.THROUGHPUT: throughput_measurements(servers, _THROUGHPUT[size]),
        Scenario.FAN_OUT: fan_out_measurements(servers, _FAN_OUT[size], scenario=Scenario.FAN_OUT),
        Scenario.START: start_measurements(servers, starts, runs=runs),
        Scenario.CATCH_UP: catch_up_measurements(servers, changes=_CATCH_UP[size]),
        Scenario.QUERIES: query_measurements(servers, accounts=accounts, audit_rows=audit_rows, runs=asked),
        Scenario.PAGES: page_measurements(servers, accounts=shown, changes=changes, runs=visits),
    }


def _of_memory(wanted: Wanted) -> Iterator[Measurement]:
    """
    Yield what needs no server.
    """
    parts = []
    if Scenario.ALGEBRA in wanted.scenarios:
        parts.append(algebra_measurements(wanted.texts, runs=wanted.runs))
    if Scenario.SIMULATION in wanted.scenarios:
        parts.append(simulation_measurements(runs=wanted.runs))
    yield from chain(*parts)
