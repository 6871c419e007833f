"""
Timing by turns: what is measured and its floor run one after the other, so that a noisy machine disturbs both.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from time import process_time
from typing import Final

__all__ = ["Measurement", "Subject", "measure", "percentile", "summed_up"]

WARM_UP: Final = 3


@dataclass(frozen=True, slots=True)
class Subject:
    """
    Something to be timed.

    Attributes:
        name: What it does.
        run: Does it once.
        prepare: Runs before each time and is not counted, for example to empty a cache.
        count: How many of the same it does, for things that take too little time to be timed one by one.
    """

    name: str
    run: Callable[[], object]
    prepare: Callable[[], object] = lambda: None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Measurement:
    """
    The times of a subject beside those of its floor, in seconds.

    Attributes:
        count: How many of the same the subject does each time.
        size: How large what it works on is: accounts as a rule; 0 where that says nothing.
        aim: The largest ratio that is meant to be; None where there is none.
        budget: The longest median that is meant to be, in seconds; None where there is none.
        detail: Further figures by name.
    """

    name: str
    floor: str
    runs: int
    median: float
    p95: float
    floor_median: float
    count: int = 1
    scenario: str = ""
    p99: float | None = None
    floor_p99: float | None = None
    size: int = 0
    aim: float | None = None
    budget: float | None = None
    detail: Mapping[str, float] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """
        How many of what it does the subject does in a second, at the median.
        """
        return self.count / self.median

    @property
    def ratio(self) -> float:
        """
        How many times the floor the subject takes, at the median.
        """
        return self.median / self.floor_median

    def as_json(self) -> dict[str, object]:
        """
        Return the measurement for programs.
        """
        return {
            "scenario": self.scenario,
            "name": self.name,
            "size": self.size,
            "runs": self.runs,
            "median_seconds": self.median,
            "p95_seconds": self.p95,
            "p99_seconds": self.p99,
            "floor": self.floor,
            "floor_median_seconds": self.floor_median,
            "floor_p99_seconds": self.floor_p99,
            "ratio": self.ratio,
            "aim": self.aim,
            "budget_seconds": self.budget,
            "count": self.count,
            "per_second": self.per_second,
            "detail": dict(self.detail),
        }


def percentile(values: Sequence[float], share: float) -> float:
    """
    Return the smallest value that at least so large a *share* of *values* does not exceed.
    """
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def summed_up(
    scenario: str,
    name: str,
    floor: str,
    times: Sequence[float],
    floor_times: Sequence[float],
    *,
    count: int = 1,
    size: int = 0,
    aim: float | None = None,
    budget: float | None = None,
    detail: Mapping[str, float] | None = None,
) -> Measurement:
    """
    Return the measurement that times taken by turns, in seconds, make.
    """
    return Measurement(
        name=name,
        floor=floor,
        runs=len(times),
        median=median(times),
        p95=percentile(times, 0.95),
        floor_median=median(floor_times),
        count=count,
        scenario=scenario,
        p99=percentile(times, 0.99),
        floor_p99=percentile(floor_times, 0.99),
        size=size,
        aim=aim,
        budget=budget,
        detail=detail or {},
    )


def measure(subject: Subject, floor: Subject, *, runs: int, scenario: str = "") -> Measurement:
    """
    Time *subject* and *floor* by turns, after a warm-up.
    """
    times: dict[str, list[float]] = {subject.name: [], floor.name: []}
    gc.collect()
    for number in range(WARM_UP + runs):
        for each in (floor, subject):
            each.prepare()
            start = process_time()
            each.run()
            taken = process_time() - start
            if number >= WARM_UP:
                times[each.name].append(taken)
    own, floor_times = times[subject.name], times[floor.name]
    return Measurement(
        name=subject.name,
        floor=floor.name,
        runs=runs,
        median=median(own),
        p95=quantiles(own, n=20)[-1],
        floor_median=median(floor_times),
        count=subject.count,
        scenario=scenario,
        p99=percentile(own, 0.99),
        floor_p99=percentile(floor_times, 0.99),
    )
