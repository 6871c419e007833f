"""
Whether reading goes on: a client of Kafka may fall silent without an error.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from rooftree.errors import UnavailableError
from rooftree.ports.change_log import Batch, ChangeLog, LogPartition, PartitionStatus
from rooftree.telemetry.logs import Action, log
from rooftree.telemetry.metrics import Metrics

__all__ = ["Watchdog"]

_LOOK_SECONDS = 5.0


class Watchdog:
    """
    Takes from the log, and makes sure that what is there is taken.

    A partition that lags and does not move, or a call that does not return, is a fault: first the client is made
    anew, and if that does not help within the same time, the worker ends.

    Attributes:
        desperate: Whether the client was made anew without any effect.
    """

    def __init__(self, change_log: ChangeLog, *, stall_timeout: float) -> None:
        self._log = change_log
        self._stall_timeout = stall_timeout
        self._looked = time.monotonic()
        self._moved: dict[LogPartition, tuple[int, float]] = {}
        self._rebuilt = False
        self.desperate = False

    async def take(self) -> Sequence[Batch]:
        """
        Return what has arrived, within the time that counts as a stall.

        Raises:
            UnavailableError: The broker does not answer.
        """
        try:
            async with asyncio.timeout(self._stall_timeout):
                batches = await self._log.take()
        except TimeoutError:
            await self._mend("the client does not return")
            return []
        if batches:
            self._rebuilt = False
        return batches

    async def look(self) -> None:
        """
        Every few seconds, compare where reading stands with where the log ends.

        Raises:
            UnavailableError: The broker does not answer, or reading stalls although the client was made anew.
        """
        now = time.monotonic()
        if now - self._looked < min(_LOOK_SECONDS, self._stall_timeout / 2):
            return
        self._looked = now
        statuses = await self._log.status()
        for status in statuses:
            Metrics.lag.labels(str(status.partition.partition)).set(status.lag)
        stalled = [status for status in statuses if self._stalls(status, now)]
        self._moved = {status.partition: self._moved[status.partition] for status in statuses}
        if stalled:
            partitions = ", ".join(str(status.partition.partition) for status in stalled)
            await self._mend(f"partitions {partitions} lag and do not move")

    def _stalls(self, status: PartitionStatus, now: float) -> bool:
        position, since = self._moved.get(status.partition, (-1, now))
        if status.position != position or not status.lag:
            self._moved[status.partition] = (status.position, now)
            return False
        return now - since > self._stall_timeout

    async def _mend(self, reason: str) -> None:
        log().error(Action.STALLED, reason=reason)
        Metrics.failures.labels(Action.STALLED.value).inc()
        self._moved.clear()
        if self._rebuilt:
            self.desperate = True
            raise UnavailableError(f"Kafka: {reason}, also after a new start of the client")
        self._rebuilt = True
        await self._log.rebuild()
