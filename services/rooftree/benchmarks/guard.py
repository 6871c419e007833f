"""
Ratios held against those that were accepted before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rooftree.benchmarks.measure import Measurement
from rooftree.errors import InputError

__all__ = ["Accepted", "Worse", "read_accepted"]


@dataclass(frozen=True, slots=True)
class Worse:
    """
    A ratio that is larger than what is let through.
    """

    name: str
    ratio: float
    accepted: float
    limit: float

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.ratio:.2f} times its floor, accepted was {self.accepted:g}, at most {self.limit:.2f}"
        )


@dataclass(frozen=True, slots=True)
class Accepted:
    """
    What was accepted.

    Attributes:
        tolerance: How many times the accepted ratio is let through, since a busy machine disturbs one more than the
            other.
        ratios: By scenario and name.
    """

    tolerance: float
    ratios: dict[str, float]

    def worse(self, measurements: Sequence[Measurement]) -> Iterator[Worse]:
        """
        Yield the ratios that are too large.

        Raises:
            InputError: Nothing of what was accepted was measured.
        """
        found = {f"{one.scenario}: {one.name}": one.ratio for one in measurements}
        if missing := sorted(self.ratios.keys() - found.keys()):
            raise InputError(f"was accepted, but is not measured: `{missing[0]}`", place="ratios")
        for name, accepted in self.ratios.items():
            limit = accepted * self.tolerance
            if found[name] > limit:
                yield Worse(name, found[name], accepted, limit)


def read_accepted(path: Path) -> Accepted:
    """
    Read what was accepted.

    Raises:
        InputError: The file is not there, or is none of this kind.
    """
    try:
        told = json.loads(path.read_text())
        return Accepted(float(told["tolerance"]), {str(name): float(ratio) for name, ratio in told["ratios"].items()})
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=str(path)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError("expected `tolerance` and `ratios`", place=str(path)) from error
