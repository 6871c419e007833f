"""
The port of access over records in memory.
"""

# ruff: noqa: D102  # the port says what each method promises
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from rooftree.access.keeping import AccessEntry, NewSession, NewToken, Outcome, SessionRecord, TokenRecord


class FakeAccess:
    """
    What a test puts in comes out; time does not pass.
    """

    def __init__(self) -> None:
        self.stored: dict[bytes, TokenRecord] = {}
        self.sessions: dict[bytes, NewSession] = {}
        self.log: list[AccessEntry] = []

    def keep(self, token: NewToken) -> None:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        self.stored[token.digest] = TokenRecord(
            *(token.token_id, token.name, token.role, token.organizations, now, token.created_by, token.expires_at),
            *(None, None),
        )

    async def use_token(self, digest: bytes) -> TokenRecord | None:
        return self.stored.get(digest)

    async def open_session(self, session: NewSession) -> None:
        self.sessions[session.digest] = session

    async def use_session(self, digest: bytes, *, idle: float) -> SessionRecord | None:
        found = self.sessions.get(digest)
        return None if found is None else SessionRecord(found.caller, found.proof, found.id_token)

    async def end_session(self, digest: bytes) -> None:
        self.sessions.pop(digest, None)

    async def record(self, entry: AccessEntry) -> int:
        self.log.append(entry)
        return len(self.log)

    async def finish(self, entry_id: int, outcome: Outcome, status: int | None, detail: str = "") -> None:
        self.log[entry_id - 1] = replace(self.log[entry_id - 1], outcome=outcome, status=status, detail=detail)

    async def entries(self, *, before: int | None = None, limit: int = 100) -> list[AccessEntry]:
        return self.log[::-1][:limit]
