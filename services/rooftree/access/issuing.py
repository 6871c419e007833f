"""
New tokens: what they may be called, how long they may last, and who may make and see which.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from rooftree.access.caller import Caller, Organizations, Role
from rooftree.access.keeping import NewToken
from rooftree.access.tokens import digest_of, new_token
from rooftree.errors import ForbiddenError, UsageError

__all__ = ["LIFETIME", "NAME", "expiry", "issue", "require_within"]

ID_PREFIX: Final = "tok_"

NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}"
"""What a token may be called."""

LIFETIME: Final = r"[1-9][0-9]{0,4}[dh]|never"
"""How long it may last: days or hours."""


def issue(
    name: str, *, role: Role, organizations: Organizations, lifetime: str, created_by: str
) -> tuple[str, NewToken]:
    """
    Return a new token, and what is kept of it.

    Raises:
        UsageError: The name or the lifetime is of another form; the place is ``name`` or ``expires``.
    """
    # A name that looks like an id could be taken for that of another token.
    if not re.fullmatch(NAME, name, re.ASCII) or name.startswith(ID_PREFIX):
        raise UsageError(f"expected letters, digits and . _ @ -, at most 100, not `{ID_PREFIX}…`", place="name")
    token = new_token()
    return token, NewToken(
        token_id=f"{ID_PREFIX}{secrets.token_hex(8)}",
        name=name,
        digest=digest_of(token),
        role=role,
        organizations=organizations,
        created_by=created_by,
        expires_at=expiry(lifetime),
    )


def expiry(lifetime: str) -> datetime | None:
    """
    Return when a token ends that is made now; None for never.

    Raises:
        UsageError: The lifetime is of another form.
    """
    if not re.fullmatch(LIFETIME, lifetime, re.ASCII):
        raise UsageError(f"expected a time such as `90d` or `12h`, or `never`, found `{lifetime}`", place="expires")
    if lifetime == "never":
        return None
    count, unit = int(lifetime[:-1]), lifetime[-1]
    return datetime.now(UTC) + (timedelta(days=count) if unit == "d" else timedelta(hours=count))


def require_within(caller: Caller, organizations: Organizations) -> None:
    """
    Return if a caller may give these organizations to a token: nobody gives more than they have.

    Raises:
        ForbiddenError: They may not.
    """
    if caller.organizations is None:
        return
    if organizations is None or not organizations <= caller.organizations:
        raise ForbiddenError(f"`{caller.name}` is limited to some organizations; the token has to be limited to those")
