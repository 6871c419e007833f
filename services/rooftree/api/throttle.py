"""
How often somebody may ask: buckets that fill again with time.

The header fields are those of https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (version 10).
Each process counts for itself: behind a balancer, the limit is that many times as high as there are processes.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["Allowance", "Throttle"]

MOST_NAMES: Final = 10_000
"""Buckets kept: the one that was used least recently goes, so that strangers cannot fill the memory."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """
    What is left to somebody after a request.

    Attributes:
        admitted: Whether the request is within the limit.
        remaining: How many more would be, at once.
        reset: Seconds until all of them are again.
        retry: Seconds until one is; 0 if one is now.
    """

    policy: str
    quota: int
    window: int
    admitted: bool
    remaining: int
    reset: int
    retry: int

    @property
    def headers(self) -> dict[str, str]:
        """
        The header fields that tell it.
        """
        told = {
            "ratelimit-policy": f'"{self.policy}";q={self.quota};w={self.window}',
            "ratelimit": f'"{self.policy}";r={self.remaining};t={self.reset}',
        }
        return told if self.admitted else {**told, "retry-after": str(self.retry)}


class Throttle:
    """
    A limit on requests in a time, for each name on its own.

    Args:
        policy: What the limit is called.
        quota: How many requests are admitted at once after a time of silence; 0 for no limit.
        window: In how many seconds as many are admitted again.
    """

    def __init__(
        self, policy: str, *, quota: int, window: int = 60, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._policy = policy
        self._quota = quota
        self._window = window
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, *, cost: int = 1) -> Allowance | None:
        """
        Count a request of *name*; returns what is left, or None where there is no limit.

        Args:
            name: Who asks.
            cost: How many it counts for; 0 only looks.
        """
        if not self._quota:
            return None
        now = self._clock()
        level, then = self._levels.pop(name, (float(self._quota), now))
        rate = self._quota / self._window
        level = min(float(self._quota), level + (now - then) * rate)
        admitted = level >= max(cost, 1)
        if admitted:
            level -= cost
        self._levels[name] = (level, now)
        if len(self._levels) > MOST_NAMES:
            self._levels.popitem(last=False)
        return Allowance(
            policy=self._policy,
            quota=self._quota,
            window=self._window,
            admitted=admitted,
            remaining=int(level),
            reset=math.ceil((self._quota - level) / rate),
            retry=0 if admitted else max(1, math.ceil((1 - level) / rate)),
        )
