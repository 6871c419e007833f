"""
The signature on a webhook.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from rooftree.errors import UsageError

__all__ = ["SECRET_PREFIX", "Sign", "check_secret", "new_secret", "signed_headers", "signing_with"]

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  # what every secret begins with
LEAST_BYTES: Final = 24
MOST_BYTES: Final = 64

Sign: TypeAlias = Callable[[bytes], Awaitable[bytes]]
"""Returns the HMAC-SHA256 of a message by a key that whoever calls it need not know."""


def new_secret() -> str:
    """
    Return a secret of 256 random bits.
    """
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def check_secret(secret: str) -> str:
    """
    Return a secret that somebody chose.

    Raises:
        UsageError: It is not ``whsec_`` and the Base64 of 24 to 64 bytes.
    """
    if not LEAST_BYTES <= len(_key(secret)) <= MOST_BYTES:
        raise UsageError(f"expected {SECRET_PREFIX} and the Base64 of {LEAST_BYTES} to {MOST_BYTES} bytes")
    return secret


def signing_with(secret: str) -> Sign:
    """
    Return what signs by a secret that is at hand.
    """

    async def sign(message: bytes) -> bytes:
        return hmac.new(_key(secret), message, hashlib.sha256).digest()

    return sign


async def signed_headers(sign: Sign, *, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """
    Return the header fields by which a receiver knows who sends this.

    Args:
        sign: Signs by what both sides know.
        message_id: The same at each attempt, so that receivers know what they had already.
        timestamp: When this attempt is made, in seconds since 1970.
        body: Just what is sent.
    """
    signature = await sign(f"{message_id}.{timestamp}.".encode() + body)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def _key(secret: str) -> bytes:
    if not secret.startswith(SECRET_PREFIX):
        return b""
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:  # a character of another script included
        return b""
