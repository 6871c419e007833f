"""
Tokens and lines of the access log as commands and the API tell them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rooftree.access.caller import listed
from rooftree.access.keeping import AccessEntry, NewToken, TokenRecord
from rooftree.contracts.administration import AccessLogEntry, IssuedToken, Token
from rooftree.organization.timestamps import format_time

__all__ = ["entry_answer", "issued_answer", "token_answer", "token_state"]


def issued_answer(token: str, kept: NewToken) -> IssuedToken:
    """
    Return a token that was just made, itself included.
    """
    return IssuedToken(token=token, **_described(kept))


def token_answer(token: TokenRecord) -> Token:
    """
    Return a token as it is kept.
    """
    return Token(
        **_described(token),
        created_at=format_time(token.created_at),
        last_used_at=_time(token.last_used_at),
        revoked_at=_time(token.revoked_at),
        state=token_state(token),
    )


def token_state(token: TokenRecord) -> Any:
    """
    Return ``good``, ``expired`` or ``revoked``.
    """
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at is not None and token.expires_at <= datetime.now(UTC) else "good"


def entry_answer(entry: AccessEntry) -> AccessLogEntry:
    """
    Return a line of the access log.
    """
    assert entry.entry_id is not None, "it comes out of the store"
    assert entry.time is not None, "it comes out of the store"
    return AccessLogEntry(
        entry=entry.entry_id,
        time=format_time(entry.time),
        kind=entry.kind,
        name=entry.name,
        identity=entry.identity,
        role=entry.role,
        organizations=listed(entry.organizations),
        address=entry.address,
        action=entry.action,
        outcome=entry.outcome.value,
        status=entry.status,
        detail=entry.detail,
    )


def _described(token: NewToken | TokenRecord) -> dict[str, Any]:
    return {
        "id": token.token_id,
        "name": token.name,
        "role": token.role.value,
        "organizations": listed(token.organizations),
        "created_by": token.created_by,
        "expires_at": _time(token.expires_at),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)
