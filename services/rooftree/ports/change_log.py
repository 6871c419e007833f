"""
The topic of changes, as those see it who read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

__all__ = ["Batch", "ChangeLog", "LogPartition", "LogRecord", "PartitionStatus"]


@dataclass(frozen=True, slots=True, order=True)
class LogPartition:
    """
    One partition of one topic in one particular broker.

    Attributes:
        log_id: The id of the broker's cluster and, after a slash, of the topic; what was made anew has another.
    """

    log_id: str
    topic: str
    partition: int

    @property
    def cluster_id(self) -> str:
        """
        The id of the broker's cluster.
        """
        return self.log_id.partition("/")[0]


@dataclass(frozen=True, slots=True)
class LogRecord:
    """
    One record as the broker gave it.

    Attributes:
        time: When the broker took it, if it says.
    """

    offset: int
    time: datetime | None
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """
    Records of one partition that follow each other.

    Attributes:
        from_offset: Where reading stood before; the first record may lie behind it, since logs have gaps.
        to_offset: Where reading stands after.
        lost: Why reading cannot go on at *from_offset*, but only at *to_offset*, with no records in this batch; None
            in the ordinary case.
    """

    partition: LogPartition
    from_offset: int
    to_offset: int
    records: tuple[LogRecord, ...]
    lost: str | None = None


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """
    How far reading of one partition has come.
    """

    partition: LogPartition
    position: int
    end: int

    @property
    def lag(self) -> int:
        """
        How many records are waiting.
        """
        return max(0, self.end - self.position)


class ChangeLog(Protocol):
    """
    The topic of changes, as one of its readers sees it.
    """

    async def take(self) -> Sequence[Batch]:
        """
        Return what has arrived, at most one batch a partition; nothing after a short while without records.

        A batch starts where the one before of its partition ended, or where the store says if the partition is new
        here. What a rebalance takes away is not returned.

        Raises:
            LogLossError: The broker holds no longer, or not yet, what the store says was read, and policy is to stop.
        """
        ...

    def forget(self, partition: LogPartition) -> None:
        """
        Ask the store again where to read *partition* on, before the next batch of it.
        """
        ...

    async def status(self) -> Sequence[PartitionStatus]:
        """
        Return where reading stands, by asking the broker for the ends.

        A partition that ends before its position, or a broker that has become another one, is taken as not read yet:
        the next batches start where the store says.
        """
        ...

    async def rebuild(self) -> None:
        """
        Drop all connections and start again, for a client that has gone silent.
        """
        ...
