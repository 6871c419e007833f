"""
Rows in bulk, for sessions that may COPY and for those that may not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

from rooftree.store.queries import query

if TYPE_CHECKING:
    _Base: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    _Base = asyncpg.Connection

__all__ = ["BulkConnection"]


class BulkConnection(_Base):
    """
    A connection on which COPY becomes INSERT where PostgreSQL does not take it.

    COPY does not look at policies, so it is refused on tables with row-level security to everybody whom that binds: to
    workers in their roles, unless their login has ``BYPASSRLS``.
    """

    async def copy_records_to_table(  # type: ignore[override]  # rows in a list, as we have them
        self,
        table_name: str,
        *,
        records: Iterable[Sequence[object]],
        columns: Sequence[str],
        schema_name: str,
        **options: Any,
    ) -> str:
        """
        Put rows into a table, by the fastest way that is open to this session.
        """
        place = f"{schema_name}.{table_name}"
        if not await self._is_bound(place):
            return await super().copy_records_to_table(
                table_name, records=records, columns=columns, schema_name=schema_name, **options
            )
        numbers = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
        rows = list(records)
        await self.executemany(f"insert into {place} ({', '.join(columns)}) values ({numbers})", rows)  # noqa: S608 - names of ours
        return f"COPY {len(rows)}"

    async def _is_bound(self, place: str) -> bool:
        found: dict[str, bool] = self.__dict__.setdefault("_bound", {})
        if place not in found:
            found[place] = bool(await self.fetchval(query("row_security_active"), place))
        return found[place]
