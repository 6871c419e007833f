"""
The relay's side of the store: what is to be sent, and that it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from rooftree.ports.change_log import LogPartition
from rooftree.ports.letters import DeadLetter, StoredLetter
from rooftree.ports.outbox import EncodeStates, OutboxRow
from rooftree.ports.publishing import RecordKind
from rooftree.store.database import Connection, Database, Row
from rooftree.store.emitting import save_outbox
from rooftree.store.letters import log_record
from rooftree.store.queries import query
from rooftree.store.stored import account_of
from rooftree.view.patch import PermissionState

__all__ = ["PostgresOutbox"]

_TRIM_ROWS = 5_000


class PostgresOutbox:
    """
    The port `OutboxStore` on PostgreSQL.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pending(self) -> Sequence[str]:
        """
        Return the organizations that have rows to send.
        """
        async with self._database.connection() as connection:
            return [row["organization_id"] for row in await connection.fetch(query("pending_organizations"))]

    @asynccontextmanager
    async def claim(
        self, organization_id: str, *, limit: int, most: int = 1
    ) -> AsyncIterator[AsyncIterator[Sequence[OutboxRow]]]:
        """
        Lend the rows of an organization that are not sent, batch by batch; what was sent is marked when the block ends.
        """
        async with self._database.transaction() as connection:
            if not await connection.fetchval(query("try_lock_outbox"), organization_id):
                yield _nothing()
                return
            position = await connection.fetchval(query("sent_position"), organization_id)
            lending = _Lending(connection, organization_id, position, limit, most)
            try:
                yield lending.batches()
            finally:
                await lending.end()
            await lending.mark()

    @asynccontextmanager
    async def claim_letters(self, *, limit: int) -> AsyncIterator[Sequence[StoredLetter]]:
        """
        Lend dead letters that are not sent.
        """
        async with self._database.transaction() as connection:
            rows = await connection.fetch(query("claim_letters"), limit)
            yield [_stored_letter(row) for row in rows]
            if rows:
                names = ("organization_id", "letter_id")
                await connection.execute(query("mark_letters_sent"), *([row[name] for row in rows] for name in names))

    async def resend_states(self, log_id: str, topic: str, encode: EncodeStates) -> int:
        """
        Put the states of all accounts of an organization into the outbox, where the topic does not have them.
        """
        async with self._database.connection() as connection:
            await connection.execute(query("adopt_filled"), log_id, topic)
            rows = await connection.fetch(query("unfilled_organizations"), log_id, topic)
        count = 0
        for row in rows:
            async with self._database.transaction() as connection:
                count += await _enqueue_states(connection, row["organization_id"], log_id, topic, encode)
        return count

    async def trim(self, *, older_than: float) -> int:
        """
        Remove rows that were sent, and written more than so many seconds ago.
        """
        removed = 0
        async with self._database.connection() as connection:
            for row in await connection.fetch(query("all_organizations")):
                status = await connection.execute(query("trim_outbox"), row["organization_id"], older_than, _TRIM_ROWS)
                removed += int(status.rpartition(" ")[2])
        return removed

    async def count_probes(self) -> Mapping[str, int]:
        """
        Return how many probes are as expected, are not, and are not known.
        """
        async with self._database.connection() as connection:
            return dict(await connection.fetchrow(query("count_probes")) or {})

    async def oldest_unsent(self) -> float:
        """
        Return the age in seconds of the oldest row to send.
        """
        async with self._database.connection() as connection:
            return float(await connection.fetchval(query("oldest_unsent")))


async def _nothing() -> AsyncIterator[Sequence[OutboxRow]]:
    nothing: Sequence[Sequence[OutboxRow]] = ()
    for batch in nothing:
        yield batch


class _Lending:
    """
    Batches of one organization, the next of which is read while the one before is being sent.
    """

    def __init__(self, connection: Connection, organization_id: str, position: int, limit: int, most: int) -> None:
        self._connection = connection
        self._organization_id = organization_id
        self._limit = limit
        self._most = most
        self._sent = self._position = position
        self._reading: asyncio.Task[list[Row]] | None = None

    async def batches(self) -> AsyncIterator[Sequence[OutboxRow]]:
        """
        Yield what there is to send.
        """
        rows = await self._read(self._position)
        for number in range(1, self._most + 1):
            if not rows:
                return
            last = rows[-1]["position"]
            if number < self._most and len(rows) == self._limit:
                self._reading = asyncio.create_task(self._read(last))
            yield [_outbox_row(row) for row in rows]
            self._position = last
            if self._reading is None:
                return
            rows, self._reading = await self._reading, None

    async def end(self) -> None:
        """
        Let go of the connection: what is being read is read to its end.
        """
        if self._reading is not None:
            await asyncio.wait([self._reading])

    async def mark(self) -> None:
        """
        Write down that everything was sent after which another batch was asked for.
        """
        if self._position > self._sent:
            await self._connection.execute(query("mark_sent"), self._organization_id, self._position)

    async def _read(self, after: int) -> list[Row]:
        return await self._connection.fetch(query("claim_rows"), self._organization_id, after, self._limit)


async def _enqueue_states(
    connection: Connection, organization_id: str, log_id: str, topic: str, encode: EncodeStates
) -> int:
    # Under the lock of the organization: no change can put an older state behind these rows.
    await connection.fetchval(query("lock_organization"), organization_id)
    if await connection.fetchval(query("mark_filled"), organization_id, log_id, topic) is None:
        return 0
    head = await connection.fetchrow(query("load_organization"), organization_id)
    accounts = [account_of(row) for row in await connection.fetch(query("load_accounts"), organization_id)]
    sets = await connection.fetch(query("load_permission_sets"), organization_id)
    rows = encode(
        organization_id,
        accounts,
        [PermissionState(row["permissions_id"], row["permissions"], None) for row in sets],
        complete=head is not None and head["incomplete_since"] is None,
    )
    await save_outbox(connection, organization_id, rows)
    return len(rows)


def _outbox_row(row: Row) -> OutboxRow:
    return OutboxRow(
        row["id"],
        RecordKind(row["aggregatetype"]),
        row["aggregateid"],
        row["type"],
        row["payload"],
        row["revision"],
        row["traceparent"],
        row["received_at"],
    )


def _stored_letter(row: Row) -> StoredLetter:
    letter = DeadLetter(
        log_record(row), row["organization_id"], row["reason"], row["place"], row["disposition"], row["error_class"]
    )
    partition = LogPartition(row["log_id"], row["topic"], row["partition_id"])
    return StoredLetter(partition, letter, row["software_version"])
