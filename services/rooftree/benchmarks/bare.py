"""
The floors that are processes: bare aiokafka and asyncpg, with nothing between them.

``python -m rooftree.benchmarks.bare echo ORGANIZATION EVENT`` has the rows and the messages that one change has made in
the database, and makes as many of the same bytes for each record that it reads: consume, decode, one transaction,
produce. ``... ingest`` reads the topic of changes: consume, decode, copy the bytes, commit. Both tell in a table what
they have done.
"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import cycle
from typing import Final

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from rooftree.settings import Settings, load_settings
from rooftree.stream.client import client_options
from rooftree.stream.identity import topic_identity

__all__ = ["ECHO_IN", "ECHO_OUT", "ECHO_STATES", "bare_topics", "echo", "ingest"]

ECHO_IN: Final = "echo_in"
ECHO_OUT: Final = "echo_out"
ECHO_STATES: Final = "echo_states"

BATCH_BYTES: Final = 256 * 1024
FEW: Final = 100
"""Rows for which one statement is faster than several COPY."""

COPIED: Final = ("account_history", "audit_event", "outbox")
KEYS: Final = {
    "account": "organization_id, account_id",
    "account_history": "organization_id, account_id, valid_from",
    "audit_event": "organization_id, revision, part",
    "outbox": "organization_id, position",
}

Connection = asyncpg.Connection
Rows = list[tuple[object, ...]]


def bare_topics(settings: Settings) -> dict[str, str]:
    """
    Return the topics of an echo by role.
    """
    prefix = settings.changes_topic.rpartition(".")[0]
    return {name: f"{prefix}.{name}" for name in (ECHO_IN, ECHO_OUT, ECHO_STATES)}


class _Echo:
    """
    What one change has made, and how to make it again.
    """

    def __init__(self, connection: Connection, organization_id: str, event_id: str) -> None:
        self._connection = connection
        self._organization_id = organization_id
        self._event_id = event_id
        self._rows: dict[str, Rows] = {}
        self._columns: dict[str, list[str]] = {}
        self._accounts: Rows = []
        self._round = 0
        self.audit: list[tuple[bytes, bytes, list[tuple[str, bytes]]]] = []
        self.states: list[tuple[bytes, bytes, list[tuple[str, bytes]]]] = []

    async def prepare(self) -> None:
        """
        Read the rows, and make tables like those they are in, with their primary keys and nothing else.
        """
        await self._connection.execute("create schema if not exists bare")
        revision = await self._connection.fetchval(
            "select max(revision) from rooftree.account where organization_id = $1 and cause_event_id = $2",
            self._organization_id, self._event_id,
        )  # fmt: skip
        for table in KEYS:
            await self._connection.execute(
                f"create table bare.{table} (like rooftree.{table} including identity, primary key ({KEYS[table]}))"
            )
        for table in COPIED:
            where = "revision = $2" if table == "outbox" else "cause_event_id = $2"
            found = await self._connection.fetch(
                f"select * from rooftree.{table} where organization_id = $1 and {where}",  # noqa: S608  # our own names
                self._organization_id, revision if table == "outbox" else self._event_id,
            )  # fmt: skip
            self._columns[table] = [name for name in (found[0].keys() if found else ()) if name != "position"]
            self._rows[table] = [tuple(row[name] for name in self._columns[table]) for row in found]
        accounts = await self._connection.fetch(
            "select * from rooftree.account where organization_id = $1 and cause_event_id = $2",
            self._organization_id, self._event_id,
        )  # fmt: skip
        self._accounts = [tuple(row.values()) for row in accounts]
        self._columns["account"] = list(accounts[0].keys()) if accounts else []
        self._take_messages()
        await self._connection.execute("insert into bare.account select * from rooftree.account")
        await self._connection.execute("create table bare.change (number bigint primary key, told jsonb, place bigint)")
        await self._connection.execute("create table bare.place (number integer primary key, place bigint)")
        await self._connection.execute("insert into bare.place values (1, 0)")

    def _take_messages(self) -> None:
        columns = self._columns["outbox"]
        for row in self._rows["outbox"]:
            told = dict(zip(columns, row, strict=True))
            headers = [("id", str(told["id"]).encode()), ("content-type", b"application/cloudevents+json")]
            payload = told["payload"]
            message = (
                str(told["aggregateid"]).encode(),
                bytes(payload) if isinstance(payload, bytes) else b"",
                headers,
            )
            (self.audit if told["aggregatetype"] == "audit" else self.states).append(message)

    async def write(self, value: bytes, offset: int) -> None:
        """
        Write all rows again in one transaction, those of accounts over the ones before.
        """
        self._round += 1
        async with self._connection.transaction():
            await self._connection.execute(
                """
                with moved as (update bare.place set place = $3 where number = 1)
                insert into bare.change values ($1, $2, $3)
                """,
                self._round, value, offset,
            )  # fmt: skip
            rows = {table: self._renewed(table) for table in COPIED}
            if len(self._accounts) <= FEW:
                await self._write_few(rows)
            else:
                await self._write_many(rows)

    def _renewed(self, table: str) -> Rows:
        columns = self._columns[table]
        at = columns.index("revision") if table != "account_history" else columns.index("valid_from")
        step: object = timedelta(seconds=self._round) if table == "account_history" else 1_000_000 * self._round
        return [(*row[:at], row[at] + step, *row[at + 1 :]) for row in self._rows[table]]  # type: ignore[operator]

    async def _write_few(self, rows: dict[str, Rows]) -> None:
        for table in COPIED:
            if rows[table]:
                places = ", ".join(f"${number}" for number in range(1, len(self._columns[table]) + 1))
                names = ", ".join(self._columns[table])
                insert = f"insert into bare.{table} ({names}) values ({places})"  # noqa: S608  # our own names
                await self._connection.executemany(insert, rows[table])
        await self._upsert()

    async def _write_many(self, rows: dict[str, Rows]) -> None:
        for table in COPIED:
            await self._connection.copy_records_to_table(
                table, schema_name="bare", columns=self._columns[table], records=rows[table]
            )
        await self._upsert()

    async def _upsert(self) -> None:
        await self._connection.execute(
            """
            update bare.account as a
            set revision = n.revision, since = now(), cause_event_id = n.cause
            from unnest($2::text[], $3::bigint[], $4::text[]) as n (account_id, revision, cause)
            where a.organization_id = $1 and a.account_id = n.account_id
            """,
            self._organization_id,
            [row[1] for row in self._accounts],
            [self._round] * len(self._accounts),
            [self._event_id] * len(self._accounts),
        )
        await self._connection.execute(
            """
            update bare.account_history as h
            set valid_to = now()
            from unnest($2::text[], $3::timestamptz[]) as n (account_id, valid_from)
            where h.organization_id = $1 and h.account_id = n.account_id and h.valid_from = n.valid_from
            """,
            self._organization_id,
            *self._closed(),
        )

    def _closed(self) -> tuple[list[object], list[object]]:
        columns = self._columns["account_history"]
        account, start = columns.index("account_id"), columns.index("valid_from")
        before = timedelta(seconds=self._round - 1)
        rows = self._rows["account_history"]
        return [row[account] for row in rows], [row[start] + before for row in rows]  # type: ignore[operator]


async def echo(settings: Settings, organization_id: str, event_id: str) -> None:
    """
    Answer each record of a topic with all the messages of one change.
    """
    topics = bare_topics(settings)
    connection = await _connected(settings)
    what = _Echo(connection, organization_id, event_id)
    await what.prepare()
    async with _consumer(settings, topics[ECHO_IN]) as consumer, _producer(settings) as producer:
        await connection.execute("create table bare.ready ()")
        while True:
            fetched = await consumer.getmany(timeout_ms=1000)
            for records in fetched.values():
                for record in records:
                    orjson.loads(record.value)
                    await what.write(record.value, record.offset)
                    sent = await _send(producer, settings, topics[ECHO_OUT], what.audit)
                    sent += await _send(producer, settings, topics[ECHO_STATES], what.states)
                    await asyncio.gather(*sent)


async def ingest(settings: Settings) -> None:
    """
    Copy each record of the topic of changes into a table.
    """
    connection = await _connected(settings)
    await connection.execute("create schema if not exists bare")
    await connection.execute("create table bare.record (told bytea)")
    await connection.execute("create table bare.read (number integer primary key, records bigint, ended timestamptz)")
    await connection.execute("insert into bare.read values (1, 0, now())")
    async with _consumer(settings, settings.changes_topic) as consumer:
        await connection.execute("create table bare.ready ()")
        while True:
            fetched = await consumer.getmany(timeout_ms=1000)
            values = [record.value for records in fetched.values() for record in records]
            if values:
                for value in values:
                    orjson.loads(value)
                async with connection.transaction():
                    await connection.copy_records_to_table(
                        "record", schema_name="bare", columns=["told"], records=[(value,) for value in values]
                    )
                    await connection.execute(
                        "update bare.read set records = records + $1, ended = clock_timestamp()", len(values)
                    )


async def _connected(settings: Settings) -> Connection:
    connection = await asyncpg.connect(settings.postgres_dsn.get_secret_value(), server_settings={"jit": "off"})
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + value,
        decoder=lambda value: bytes(value[1:]),
        format="binary",
    )
    return connection


async def _send(
    producer: AIOKafkaProducer,
    settings: Settings,
    topic: str,
    messages: Sequence[tuple[bytes, bytes, list[tuple[str, bytes]]]],
) -> list[asyncio.Future[object]]:
    """
    Send messages as batches, which is the fastest that aiokafka can do; partitions take turns.
    """
    numbers = cycle(range(settings.topic_partitions))
    shares: defaultdict[int, list[tuple[bytes, bytes, list[tuple[str, bytes]]]]] = defaultdict(list)
    for message, number in zip(messages, numbers, strict=False):
        shares[number].append(message)
    sent = []
    for number, share in shares.items():
        batch = producer.create_batch()
        for key, value, headers in share:
            if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                sent.append(await producer.send_batch(batch, topic, partition=number))
                batch = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None, headers=headers)
        sent.append(await producer.send_batch(batch, topic, partition=number))
    return sent


@asynccontextmanager
async def _producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        **client_options(settings),
        acks="all",
        enable_idempotence=settings.kafka_idempotence,
        max_request_size=settings.kafka_max_message_bytes,
        max_batch_size=BATCH_BYTES,
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def _consumer(settings: Settings, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        **client_options(settings),
        fetch_max_wait_ms=settings.kafka_fetch_max_wait_ms,
        max_partition_fetch_bytes=settings.kafka_max_message_bytes,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        numbers = (await topic_identity(settings, topic)).partitions
        consumer.assign([TopicPartition(topic, number) for number in numbers])
        await consumer.seek_to_beginning()
        yield consumer
    finally:
        await consumer.stop()


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    asyncio.run(echo(load_settings(), *arguments) if what == "echo" else ingest(load_settings()))
