"""
The topic of changes, read from where the store says.

What is known to go wrong in aiokafka is met here: its listeners swallow errors, so they only set a flag, and every
position is set again before records are believed; after a failed batch it would go on behind it, so each batch states
where it starts; and it falls silent, so ends are asked for apart from the records.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException, NoOffsetForPartitionError, OffsetOutOfRangeError

from rooftree.errors import LogLossError, UnavailableError
from rooftree.ports.change_log import Batch, LogPartition, LogRecord, PartitionStatus
from rooftree.settings import Assignment, LogLossPolicy, Settings
from rooftree.stream.client import client_options, stop_quietly, translated_errors
from rooftree.stream.identity import TopicIdentity, topic_identity
from rooftree.stream.lenient import fetch_leniently
from rooftree.telemetry.logs import Action, log
from rooftree.telemetry.metrics import Metrics

__all__ = ["KafkaChangeLog", "OffsetStore"]

_PROBE_MS = 2_000


class OffsetStore(Protocol):
    """
    Where it is written down how far the log was read.
    """

    async def stored_offsets(self, log_id: str, topic: str) -> Mapping[int, int]:
        """
        Return where to read on, by partition.
        """
        ...

    async def adopt_offsets(self, log_id: str, topic: str) -> None:
        """
        Take what was stored by the cluster alone, when it did not tell the id of the topic yet, as of *log_id*.
        """
        ...

    async def read_elsewhere(self, log_id: str, topic: str) -> Mapping[int, str]:
        """
        Return the partitions that were read before from another log of this name, each with the id of that log.
        """
        ...

    async def note_loss(self, partition: LogPartition, reason: str) -> None:
        """
        Write down that reading of a partition has stopped since records were lost, for those who do not read it.
        """
        ...

    async def clear_losses(self, topic: str, partitions: Sequence[int]) -> None:
        """
        Write down that partitions are read again.
        """
        ...


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    def __init__(self, change_log: KafkaChangeLog) -> None:
        self._change_log = change_log

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        del revoked
        self._change_log.positions.clear()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._change_log.positions.clear()
        log().info(Action.PARTITIONS_ASSIGNED, partitions=sorted(each.partition for each in assigned))


class KafkaChangeLog:
    """
    The port `ChangeLog` on Kafka.

    Args:
        settings: Which topic, where, and how it is read.
        store: Where it is written down how far it was read.
        forgetful: Whether the broker is known to begin with nothing at each start, so that another log is no loss.

    Attributes:
        positions: Where reading stands, of the partitions that were placed since the last rebalance.
    """

    def __init__(self, settings: Settings, store: OffsetStore, *, forgetful: bool = False) -> None:
        self._settings = settings
        self._store = store
        self._forgetful = forgetful
        self._consumer: AIOKafkaConsumer | None = None
        self._identity = TopicIdentity("", "", ())
        self.positions: dict[TopicPartition, int] = {}

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Settings, store: OffsetStore, *, forgetful: bool = False
    ) -> AsyncIterator[KafkaChangeLog]:
        """
        Read the topic for the time of the context.

        Raises:
            UnavailableError: The broker does not answer.
        """
        change_log = cls(settings, store, forgetful=forgetful)
        try:
            await change_log._start()
            yield change_log
        finally:
            await change_log.close()

    @property
    def log_id(self) -> str:
        """
        The id of the log that is read: of its cluster and of its topic.
        """
        return self._identity.log_id

    async def take(self) -> Sequence[Batch]:
        """
        Return what has arrived, at most one batch a partition.
        """
        consumer = await self._running()
        with translated_errors():
            self._adopt_new_partitions(consumer)
            if losses := await self._place(consumer):
                return losses
            try:
                fetched = await self._fetch(consumer)
            except (NoOffsetForPartitionError, OffsetOutOfRangeError):
                # Of a partition not placed yet, or of one whose records are gone: placing tells them apart.
                self.positions.clear()
                return []
            except (UnicodeDecodeError, CorruptRecordException):
                fetched = await self._take_leniently(consumer)
        return [batch for place, records in fetched.items() if (batch := self._batch(place, records))]

    def forget(self, partition: LogPartition) -> None:
        """
        Ask the store again where to read *partition* on.
        """
        self.positions.pop(TopicPartition(partition.topic, partition.partition), None)

    async def status(self) -> Sequence[PartitionStatus]:
        """
        Return where reading stands, by asking the broker.
        """
        consumer = await self._running()
        with translated_errors():
            if await self._is_another():
                await self.rebuild()
                return []
            positions = dict(self.positions)
            ends = await _ends(consumer, list(positions))
        stored = await self._store.stored_offsets(self.log_id, self._settings.changes_topic)
        for place, position in positions.items():
            # Some brokers answer a fetch behind the end with nothing, for ever. And who has the log read from its
            # beginning again moves the stored offset: where nothing arrives, no commit would notice.
            if ends[place] < position or stored.get(place.partition, position) != position:
                self.positions.pop(place, None)
        return [
            PartitionStatus(self._partition(place), position, ends[place])
            for place, position in sorted(positions.items())
            if ends[place] >= position
        ]

    async def rebuild(self) -> None:
        """
        Drop all connections and start again.
        """
        log().warning(Action.CONSUMER_REBUILT, topic=self._settings.changes_topic)
        await self.close()
        await self._start()

    async def close(self) -> None:
        """
        Drop all connections; a later call to `take` makes new ones.
        """
        consumer, self._consumer = self._consumer, None
        self.positions.clear()
        if consumer is not None:
            await stop_quietly(consumer.stop)

    async def _fetch(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, Sequence[ConsumerRecord]]:
        most = self._settings.batch_max_records
        fetched: dict[TopicPartition, Sequence[ConsumerRecord]]
        fetched = await consumer.getmany(timeout_ms=int(self._settings.batch_max_wait * 1000), max_records=most)
        # A partition with much to read fills the whole answer, until all that was fetched of it is gone: each of the
        # others gets its own batch, of what is at hand.
        for place in self.positions.keys() - fetched.keys() if fetched else ():
            fetched |= await consumer.getmany(place, timeout_ms=0, max_records=most)
        return fetched

    async def _take_leniently(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, Sequence[ConsumerRecord]]:
        # Which partition cannot be read is not told, so each makes one step.
        log().warning(Action.READ_LENIENTLY, topic=self._settings.changes_topic)
        most = self._settings.batch_max_records
        # A copy: a rebalance empties the positions, also while the records are on their way.
        positions = dict(self.positions)
        fetched = {
            place: records[:most] for place, records in (await fetch_leniently(self._settings, positions)).items()
        }
        for place, records in fetched.items():
            if place in consumer.assignment():
                # Also without records: what the client had fetched of other partitions before it failed is dropped.
                consumer.seek(place, records[-1].offset + 1 if records else positions[place])
        return fetched

    async def _running(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            await self._start()
        return self._consumer

    async def _start(self) -> None:
        settings, topic = self._settings, self._settings.changes_topic
        shared = settings.partition_assignment is Assignment.GROUP
        self._identity = await topic_identity(settings, topic)
        if not self._identity.partitions:
            raise UnavailableError(f"Kafka: there is no topic `{topic}`")
        await self._store.adopt_offsets(self.log_id, topic)
        options = client_options(settings)
        if shared:
            # Whoever joins is answered when all have come or have been missed for the time of a session.
            options["request_timeout_ms"] = int(
                (settings.kafka_request_timeout + settings.kafka_session_timeout) * 1000
            )
        consumer = AIOKafkaConsumer(
            **options,
            group_id=settings.consumer_group if shared else None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_max_wait_ms=settings.kafka_fetch_max_wait_ms,
            max_partition_fetch_bytes=settings.kafka_max_message_bytes,
            session_timeout_ms=int(settings.kafka_session_timeout * 1000),
        )
        try:
            with translated_errors():
                if shared:
                    consumer.subscribe([topic], listener=_Listener(self))
                await consumer.start()
        except BaseException:
            await stop_quietly(consumer.stop)
            raise
        self._consumer = consumer

    async def _is_another(self) -> bool:
        identity = await topic_identity(self._settings, self._settings.changes_topic)
        if identity.log_id == self.log_id:
            return False
        log().warning(Action.LOG_NEW, topic=self._settings.changes_topic, log_id=identity.log_id, before=self.log_id)
        return True

    def _adopt_new_partitions(self, consumer: AIOKafkaConsumer) -> None:
        if self._settings.partition_assignment is Assignment.GROUP:
            return
        topic = self._settings.changes_topic
        # At the first look the client has not heard of the topic yet.
        numbers = consumer.partitions_for_topic(topic) or self._identity.partitions
        known = {TopicPartition(topic, number) for number in numbers}
        if known != set(consumer.assignment()):
            consumer.assign(sorted(known))
            self.positions.clear()
            log().info(Action.PARTITIONS_ASSIGNED, partitions=sorted(place.partition for place in known))

    async def _place(self, consumer: AIOKafkaConsumer) -> list[Batch]:
        places = sorted(set(consumer.assignment()) - set(self.positions))
        if not places:
            return []
        topic = self._settings.changes_topic
        stored = await self._store.stored_offsets(self.log_id, topic)
        elsewhere = await self._elsewhere(topic, stored)
        beginnings = await consumer.beginning_offsets(places)
        ends = await _ends(consumer, places)
        losses = []
        for place in places:
            before, start = stored.get(place.partition), beginnings[place]
            end = ends[place]
            if before is not None and end < before:
                end = await _probed_end(consumer, place, start, end)
            lost = _loss(before, start, end) or elsewhere.get(place.partition)
            if lost is None:
                start = start if before is None else before
            elif await self._is_another():
                # It was made anew while it was read: what is stored is compared with the log that it belongs to.
                await self.rebuild()
                return []
            else:
                losses.append(await self._loss(place, start if before is None else before, start, lost))
            if place in consumer.assignment():  # a rebalance may have come in between
                consumer.seek(place, start)
                self.positions[place] = start
        await self._store.clear_losses(topic, [place.partition for place in places])
        return losses

    async def _elsewhere(self, topic: str, stored: Mapping[int, int]) -> Mapping[int, str]:
        others = await self._store.read_elsewhere(self.log_id, topic)
        new = {number: other for number, other in others.items() if number not in stored}
        if not new:
            return {}
        told = {"topic": topic, "log_id": self.log_id, "before": sorted(set(new.values()))}
        if self._forgetful:
            log().info(Action.LOG_NEW, **told)
            return {}
        log().warning(Action.LOG_NEW, **told)
        return {
            number: f"was read from the log `{other}` before, and is the log `{self.log_id}` now"
            for number, other in new.items()
        }

    async def _loss(self, place: TopicPartition, stored: int, start: int, lost: str) -> Batch:
        message = f"partition {place.partition} of `{place.topic}`: {lost}"
        log().error(Action.LOG_LOST, reason=message, policy=self._settings.on_log_loss.value)
        Metrics.failures.labels(Action.LOG_LOST.value).inc()
        if self._settings.on_log_loss is LogLossPolicy.STOP:
            await self._store.note_loss(self._partition(place), message)
            raise LogLossError(f"{message}; ROOFTREE_ON_LOG_LOSS=resume reads on and marks what may miss something")
        return Batch(self._partition(place), stored, start, (), lost=message)

    def _batch(self, place: TopicPartition, records: Sequence[ConsumerRecord]) -> Batch | None:
        position = self.positions.get(place)
        if position is None:  # taken away by a rebalance while it was fetched
            return None
        fresh = tuple(_record(record) for record in records if record.offset >= position)
        if not fresh:
            return None
        self.positions[place] = fresh[-1].offset + 1
        return Batch(self._partition(place), position, self.positions[place], fresh)

    def _partition(self, place: TopicPartition) -> LogPartition:
        return LogPartition(self.log_id, place.topic, place.partition)


async def _ends(consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """
    Return where partitions end.

    The embedded broker, asked for an end, counts its last batch as one record; what it says with each fetch is right.
    """
    ends: dict[TopicPartition, int] = await consumer.end_offsets(places) if places else {}
    return {place: max(end, _fetched_end(consumer, place)) for place, end in ends.items()}


def _fetched_end(consumer: AIOKafkaConsumer, place: TopicPartition) -> int:
    # A rebalance may have taken the partition away meanwhile, of which aiokafka does not want to be asked then.
    return (consumer.highwater(place) if place in consumer.assignment() else None) or 0


async def _probed_end(consumer: AIOKafkaConsumer, place: TopicPartition, beginning: int, end: int) -> int:
    """
    Return where a partition ends by fetching its last record; moves the position there.
    """
    consumer.seek(place, max(beginning, end - 1))
    with contextlib.suppress(OffsetOutOfRangeError):
        await consumer.getmany(place, timeout_ms=_PROBE_MS)
    return max(end, _fetched_end(consumer, place))


def _loss(stored: int | None, beginning: int, end: int) -> str | None:
    if stored is None:
        return None
    if stored > end:
        return f"was read up to {stored}, but the broker has records up to {end} only"
    if stored < beginning:
        return f"was read up to {stored}, but the broker has records from {beginning} on only"
    return None


def _record(record: ConsumerRecord) -> LogRecord:
    return LogRecord(
        offset=record.offset,
        time=datetime.fromtimestamp(record.timestamp / 1000, UTC) if record.timestamp >= 0 else None,
        key=record.key,
        value=record.value,
        headers=tuple(record.headers),
    )
