"""
Reads of dead letters from PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rooftree.ports.change_log import LogRecord
from rooftree.reading.reader import LetterRecord
from rooftree.store.database import Row
from rooftree.store.queries import query
from rooftree.store.restricted import Connections

__all__ = ["DatabaseLetters", "log_record"]


class DatabaseLetters:
    """
    The dead letters, for those who look after them.

    Each method is one statement, and raises `UnavailableError` when the database does not answer.
    """

    def __init__(self, database: Connections) -> None:
        self._database = database

    async def letters(
        self, organization_id: str | None = None, *, resolved: bool = False, after: int = 0, limit: int | None = None
    ) -> list[LetterRecord]:
        """
        Return letters, the oldest first.

        Args:
            organization_id: Only of this organization; the empty text is for those that tell none.
            resolved: Also those that do not wait any more.
            after: Only those with a greater id.
            limit: How many at most.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(query("list_letters"), organization_id, resolved, after, limit)
        return [LetterRecord(**dict(row)) for row in rows]

    async def latest(self, organization_id: str, *, limit: int) -> list[LetterRecord]:
        """
        Return letters of an organization: those that wait before the others, of each the latest first.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(query("latest_letters"), organization_id, limit)
        return [LetterRecord(**dict(row)) for row in rows]

    async def count_waiting(self, organization_id: str) -> int:
        """
        Return how many letters of an organization wait.
        """
        async with self._database.connection() as connection:
            return int(await connection.fetchval(query("count_open_letters"), organization_id))

    async def find(self, letter_ids: Iterable[int]) -> dict[int, LetterRecord]:
        """
        Return those of some letters that there are, by id.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(query("letters_by_id"), sorted(letter_ids))
        return {row["letter_id"]: LetterRecord(**dict(row)) for row in rows}

    async def record(self, letter_id: int) -> LogRecord | None:
        """
        Return the record as it came from the broker; None if there is no such letter.
        """
        async with self._database.connection() as connection:
            row = await connection.fetchrow(query("letter_record"), letter_id)
        return None if row is None else log_record(row)

    async def losses(self) -> Mapping[str, str]:
        """
        Return the organizations whose view only a snapshot makes complete, and why.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(query("organizations_with_losses"))
        return {row["organization_id"]: row["incomplete_reason"] or "" for row in rows}


def log_record(row: Row) -> LogRecord:
    """
    Return the record that a dead letter holds.
    """
    return LogRecord(
        offset=row["record_offset"],
        time=row["record_time"],
        key=row["key"],
        value=row["value"],
        headers=tuple(
            (name.decode("utf-8", "surrogateescape"), value)
            for name, value in zip(row["header_names"], row["header_values"], strict=True)
        ),
    )
