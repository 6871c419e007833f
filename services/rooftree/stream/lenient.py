"""
Records with header names that are no UTF-8, which aiokafka cannot step over.

Kafka takes any bytes for the name of a header; aiokafka decodes them strictly, and when that fails it fetches the same
batch again, for ever, also for a reader that seeks behind the record. So where it has failed, one fetch is made beside
it and decoded here, by aiokafka's own code but for the names: bytes that are no UTF-8 become lone surrogates, as in
file names of Python (PEP 383), and become the same bytes again when they are stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.errors import for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

from rooftree.errors import UnavailableError
from rooftree.settings import Settings
from rooftree.stream.client import client_options, stop_quietly, translated_errors

__all__ = ["fetch_leniently"]

_ABORTED_TRANSACTIONS_FROM: Final = 4
_PREFERRED_REPLICA_FROM: Final = 11
_LENGTH_AT, _MAGIC_AT, _OVERHEAD = 8, 16, 12
_PLAIN_MAGIC: Final = 2


async def fetch_leniently(
    settings: Settings, positions: Mapping[TopicPartition, int]
) -> dict[TopicPartition, Sequence[ConsumerRecord]]:
    """
    Return the records that one fetch brings from each of some positions on.

    Raises:
        UnavailableError: The broker does not answer, or sends what even this cannot read.
    """
    client = AIOKafkaClient(**client_options(settings))
    try:
        with translated_errors():
            await client.bootstrap()
            await client.set_topics({place.topic for place in positions})
            return {place: await _fetch(client, settings, place, position) for place, position in positions.items()}
    finally:
        await stop_quietly(client.close)


async def _fetch(
    client: AIOKafkaClient, settings: Settings, place: TopicPartition, position: int
) -> Sequence[ConsumerRecord]:
    leader = client.cluster.leader_for_partition(place)
    if leader is None or leader < 0:
        raise UnavailableError(f"Kafka: partition {place.partition} of `{place.topic}` has no leader")
    size = settings.kafka_max_message_bytes
    partitions = [(place.topic, [(place.partition, position, size)])]
    response = await client.send(
        leader, FetchRequest(settings.kafka_fetch_max_wait_ms, 1, size, READ_COMMITTED, partitions)
    )
    [(_, [(_, error_code, _, *rest)])] = response.topics
    if error_code:
        raise for_code(error_code)
    aborted = _aborted(response.API_VERSION, rest)
    records = PartitionRecords(place, _LenientRecords(rest[-1]), aborted, position, None, None, True, READ_COMMITTED)
    return list(records)


def _aborted(version: int, rest: Sequence[object]) -> object:
    """
    Return the transactions that were given up, which stand last but for the records, and since version 11 for a replica.
    """
    if version < _ABORTED_TRANSACTIONS_FROM:
        return None
    return rest[-3] if version >= _PREFERRED_REPLICA_FROM else rest[-2]


class _LenientRecords:
    """
    The batches of one answer.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._strict = MemoryRecords(content)
        self._at = 0

    def has_next(self) -> bool:
        return bool(self._strict.has_next())

    def next_batch(self) -> object:
        strict = self._strict.next_batch()
        start, self._at = self._at, self._at + _OVERHEAD + self._length()
        if self._content[start + _MAGIC_AT] < _PLAIN_MAGIC:
            return strict  # the old formats have no headers
        return _LenientBatch(self._content[start : self._at])

    def _length(self) -> int:
        return int.from_bytes(self._content[self._at + _LENGTH_AT : self._at + _OVERHEAD], "big")


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # aiokafka has no types
    """
    A batch whose header names are decoded whatever they are.
    """

    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _LenientBytes(self._buffer)


class _LenientBytes(bytearray):
    """
    Bytes that decode with surrogates for what is no UTF-8.
    """

    def __getitem__(self, index: slice | int) -> _LenientBytes | int:  # type: ignore[override]
        found = super().__getitem__(index)
        return found if isinstance(found, int) else _LenientBytes(found)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        del errors
        return bytes(self).decode(encoding, "surrogateescape")
