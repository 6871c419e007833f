"""
Tokens, sessions and the access log in PostgreSQL.
"""

from __future__ import annotations

import asyncpg

from rooftree.access.caller import Caller, CallerKind, Organizations, Role, listed
from rooftree.access.keeping import (
    AccessEntry,
    NameTakenError,
    NewSession,
    NewToken,
    Outcome,
    SessionRecord,
    TokenRecord,
)
from rooftree.store.database import Database, Row
from rooftree.store.queries import query

__all__ = ["DatabaseAccess"]

_LAST_ENTRY = 2**63 - 1


class DatabaseAccess:
    """
    The port of access over a pool of connections.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_token(self, token: NewToken) -> None:
        """
        Keep a token.

        Raises:
            NameTakenError: Another token that is not revoked has this name.
        """
        async with self._database.connection() as connection:
            try:
                await connection.execute(
                    query("create_token"),
                    *(token.token_id, token.name, token.digest, token.role),
                    *(listed(token.organizations), token.created_by, token.expires_at),
                )
            except asyncpg.UniqueViolationError:
                raise NameTakenError(
                    f"there is a token `{token.name}` already; revoke it first", place="NAME"
                ) from None

    async def tokens(self, organizations: Organizations = None) -> list[TokenRecord]:
        """
        Return tokens, the latest first, those that are over included.

        Args:
            organizations: Only those that see nothing but these.
        """
        async with self._database.connection() as connection:
            return [_token(row) for row in await connection.fetch(query("list_tokens"), listed(organizations))]

    async def revoke_token(
        self, named: str, *, by_name: bool = True, organizations: Organizations = None
    ) -> TokenRecord | None:
        """
        End a token; returns it, or None if there is none that is good.

        Args:
            named: Its id or its name.
            by_name: Whether a name will do.
            organizations: Only one that sees nothing but these.
        """
        async with self._database.connection() as connection:
            row = await connection.fetchrow(query("revoke_token"), named, by_name, listed(organizations))
        return None if row is None else _token(row)

    async def use_token(self, digest: bytes) -> TokenRecord | None:
        """
        Return the token of a digest if it is neither revoked nor expired at this moment.
        """
        async with self._database.connection() as connection:
            row = await connection.fetchrow(query("use_token"), digest)
        return None if row is None else _token(row)

    async def open_session(self, session: NewSession) -> None:
        """
        Keep a session.
        """
        caller = session.caller
        async with self._database.connection() as connection:
            await connection.execute(
                query("open_session"),
                *(session.digest, caller.kind, caller.name, caller.identity, caller.role),
                *(listed(caller.organizations), session.token_id, session.proof, session.id_token),
                *(session.seconds, session.until),
            )

    async def use_session(self, digest: bytes, *, idle: float) -> SessionRecord | None:
        """
        Return a session that is not over, was used in the last *idle* seconds, and whose token is good.
        """
        async with self._database.connection() as connection:
            row = await connection.fetchrow(query("use_session"), digest, idle)
        if row is None:
            return None
        caller = Caller(
            CallerKind(row["kind"]),
            row["name"],
            row["identity"],
            Role(row["role"]),
            _organizations(row),
        )
        return SessionRecord(caller, row["proof"], row["id_token"])

    async def end_session(self, digest: bytes) -> None:
        """
        Forget a session.
        """
        async with self._database.connection() as connection:
            await connection.execute(query("end_session"), digest)

    async def record(self, entry: AccessEntry) -> int:
        """
        Write a line of the access log; returns its id.
        """
        async with self._database.connection() as connection:
            found: int = await connection.fetchval(
                query("log_access"),
                *(entry.kind, entry.name, entry.identity, entry.role, listed(entry.organizations)),
                *(entry.address, entry.action, entry.outcome, entry.status, entry.detail),
            )
        return found

    async def finish(self, entry_id: int, outcome: Outcome, status: int | None, detail: str = "") -> None:
        """
        Write into a line how it ended.
        """
        async with self._database.connection() as connection:
            await connection.execute(query("finish_access"), entry_id, outcome, status, detail)

    async def entries(
        self, *, before: int | None = None, limit: int = 100, organizations: Organizations = None
    ) -> list[AccessEntry]:
        """
        Return lines of the access log, the latest first.

        Args:
            before: Only those before this one.
            limit: How many at most.
            organizations: Only of callers who see nothing but these.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                query("read_access_log"), _LAST_ENTRY if before is None else before, limit, listed(organizations)
            )
        return [
            AccessEntry(**{**dict(row), "outcome": Outcome(row["outcome"]), "organizations": _organizations(row)})
            for row in rows
        ]


def _token(row: Row) -> TokenRecord:
    return TokenRecord(**{**dict(row), "role": Role(row["role"]), "organizations": _organizations(row)})


def _organizations(row: Row) -> Organizations:
    return None if row["organizations"] is None else frozenset(row["organizations"])
