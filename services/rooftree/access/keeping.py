"""
What is kept about callers, and the port through which it is reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from rooftree.access.caller import Caller, CallerKind, Organizations, Role
from rooftree.errors import UsageError

__all__ = [
    "AccessEntry",
    "AccessStore",
    "NameTakenError",
    "NewSession",
    "NewToken",
    "Outcome",
    "SessionRecord",
    "TokenRecord",
    "TokenStore",
]


class NameTakenError(UsageError):
    """
    Another token that is not revoked has this name.
    """


@dataclass(frozen=True, slots=True)
class NewToken:
    """
    A token to be kept.

    Attributes:
        digest: What is kept of it.
        created_by: Who made it.
        expires_at: None for never.
    """

    token_id: str
    name: str
    digest: bytes
    role: Role
    organizations: Organizations
    created_by: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """
    A token as it is kept, without anything by which it could be used.
    """

    token_id: str
    name: str
    role: Role
    organizations: Organizations
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @property
    def caller(self) -> Caller:
        """
        Who uses it.
        """
        return Caller(CallerKind.TOKEN, self.name, f"token:{self.token_id}", self.role, self.organizations)


@dataclass(frozen=True, slots=True)
class NewSession:
    """
    A session to be kept.

    Attributes:
        digest: What is kept of the cookie.
        token_id: The token with which the session ends.
        proof: What ties it to the admin token.
        id_token: What the identity provider wants to see at a logout.
        seconds: How long it lasts at most.
        until: When it ends at the latest, whatever *seconds* say.
    """

    digest: bytes
    caller: Caller
    seconds: float
    token_id: str | None = None
    proof: bytes | None = None
    id_token: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """
    A session that is good now.
    """

    caller: Caller
    proof: bytes | None
    id_token: str | None


class Outcome(StrEnum):
    """
    How something ended that somebody did.
    """

    BEGUN = "begun"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """
    One line of the access log.

    Attributes:
        kind: How the caller has proved who they are; ``unknown`` for a stranger, ``command`` for a command line.
        address: Where the request came from.
        action: ``METHOD /path``, or a word such as ``sign-in``.
        entry_id: Given by the store.
        time: Given by the store.
    """

    kind: str
    name: str
    identity: str
    role: str | None
    organizations: Organizations
    address: str
    action: str
    outcome: Outcome
    status: int | None = None
    detail: str = ""
    entry_id: int | None = None
    time: datetime | None = None


class AccessStore(Protocol):
    """
    Tokens, sessions and the access log.

    Every method raises `UnavailableError` when the database does not answer.
    """

    async def use_token(self, digest: bytes) -> TokenRecord | None:
        """
        Return the token of a digest if it is neither revoked nor expired at this moment.
        """
        ...

    async def open_session(self, session: NewSession) -> None:
        """
        Keep a session.
        """
        ...

    async def use_session(self, digest: bytes, *, idle: float) -> SessionRecord | None:
        """
        Return a session that is not over, was used in the last *idle* seconds, and whose token is good.
        """
        ...

    async def end_session(self, digest: bytes) -> None:
        """
        Forget a session.
        """
        ...

    async def record(self, entry: AccessEntry) -> int:
        """
        Write a line of the access log; returns its id.
        """
        ...

    async def finish(self, entry_id: int, outcome: Outcome, status: int | None, detail: str = "") -> None:
        """
        Write into a line how it ended.
        """
        ...


class TokenStore(Protocol):
    """
    Tokens and the access log, for those who look after them.

    Given organizations, each method is about callers who are limited to nothing but these. Every method raises
    `UnavailableError` when the database does not answer.
    """

    async def create_token(self, token: NewToken) -> None:
        """
        Keep a token; raises `NameTakenError`.
        """
        ...

    async def tokens(self, organizations: Organizations = None) -> list[TokenRecord]:
        """
        Return tokens, the latest first, those that are over included.
        """
        ...

    async def revoke_token(
        self, named: str, *, by_name: bool = True, organizations: Organizations = None
    ) -> TokenRecord | None:
        """
        End a token that is named by its id or, unless that is not wanted, by its name; returns it, or None if there is
        none that is good.
        """
        ...

    async def entries(
        self, *, before: int | None = None, limit: int = 100, organizations: Organizations = None
    ) -> list[AccessEntry]:
        """
        Return lines of the access log, the latest first.
        """
        ...
