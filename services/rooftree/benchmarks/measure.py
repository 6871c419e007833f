"""
Timing by turns: what is measured and its floor run one after the other, so that a noisy machine disturbs both.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median, quantiles
from time import process_time
from typing import Final

__all__ = ["Measurement", "Subject", "measure"]

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
    """

    name: str
    floor: str
    runs: int
    median: float
    p95: float
    floor_median: float
    count: int = 1

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
            "name": self.name,
            "runs": self.runs,
            "median_seconds": self.median,
            "p95_seconds": self.p95,
            "floor": self.floor,
            "floor_median_seconds": self.floor_median,
            "ratio": self.ratio,
            "count": self.count,
            "per_second": self.per_second,
        }


def measure(subject: Subject, floor: Subject, *, runs: int) -> Measurement:
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
    own = times[subject.name]
    return Measurement(
        name=subject.name,
        floor=floor.name,
        runs=runs,
        median=median(own),
        p95=quantiles(own, n=20)[-1],
        floor_median=median(times[floor.name]),
        count=subject.count,
    )
