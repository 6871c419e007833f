"""
What the same machine needs at the least for the same records: each floor on the records that the service has read.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from rooftree.contracts import decode_change
from rooftree.settings import Settings
from rooftree.store.database import connect_database
from rooftree.stream.client import client_options
from rooftree.stream.identity import topic_identity

__all__ = ["Floors", "measure_floors"]


@dataclass(frozen=True, slots=True)
class Floors:
    """
    Seconds for each record.

    Attributes:
        consume: Taken from the broker, and nothing else.
        decode: Read and checked as change events.
        copy: Their bytes copied into a table without an index, in one transaction for each batch.
        commit: That batch's share in a transaction that moves one number in one row.
    """

    records: int
    batch: int
    consume: float
    decode: float
    copy: float
    commit: float

    @property
    def together(self) -> float:
        """
        One after the other.
        """
        return self.consume + self.decode + self.copy + self.commit


async def measure_floors(settings: Settings, *, records: int, batch: int) -> Floors:
    """
    Measure all floors on the first records of the topic.
    """
    values, consuming = await _consumed(settings, records)
    started = time.perf_counter()
    for value in values:
        decode_change(value)
    decoding = time.perf_counter() - started
    copying, committing = await _stored(settings, values, batch)
    count = len(values)
    return Floors(count, batch, *(seconds / count for seconds in (consuming, decoding, copying, committing)))


async def _consumed(settings: Settings, records: int) -> tuple[list[bytes], float]:
    topic = settings.changes_topic
    consumer = AIOKafkaConsumer(
        **client_options(settings),
        fetch_max_wait_ms=settings.kafka_fetch_max_wait_ms,
        max_partition_fetch_bytes=settings.kafka_max_message_bytes,
    )
    await consumer.start()
    try:
        consumer.assign(
            [TopicPartition(topic, number) for number in (await topic_identity(settings, topic)).partitions]
        )
        await consumer.seek_to_beginning()
        values: list[bytes] = []
        started = time.perf_counter()
        while len(values) < records:
            fetched = await consumer.getmany(timeout_ms=1000, max_records=500)
            if not fetched:
                break
            values += [record.value for some in fetched.values() for record in some]
        return values, time.perf_counter() - started
    finally:
        await consumer.stop()


async def _stored(settings: Settings, values: Sequence[bytes], batch: int) -> tuple[float, float]:
    connection = await connect_database(settings.postgres_dsn.get_secret_value())
    try:
        await connection.execute("create table rooftree.benchmark_copy (value bytea)")
        starts = range(0, len(values), batch)
        began = time.perf_counter()
        for start in starts:
            rows = [(value,) for value in values[start : start + batch]]
            await connection.copy_records_to_table("benchmark_copy", schema_name="rooftree", records=rows)
        copying = time.perf_counter() - began
        began = time.perf_counter()
        await connection.execute("create table rooftree.benchmark_offset as select 0::bigint as number")
        for start in starts:
            await connection.execute("update rooftree.benchmark_offset set number = $1", start)
        committing = time.perf_counter() - began
        await connection.execute("drop table rooftree.benchmark_copy, rooftree.benchmark_offset")
    finally:
        await connection.close()
    return copying, committing
