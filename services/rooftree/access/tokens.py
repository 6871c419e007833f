"""
Secrets that prove who asks: how they look, and what is kept of them.

A token is ``rooftree_``, 43 characters that stand for 256 random bits, and a checksum of 6: scanners for leaked secrets
find it by its prefix and tell it from other text by its checksum, without asking anybody.

What is kept is its SHA-256. A slow hash, as for passwords, would protect nothing here: it makes guessing dear, and
256 random bits cannot be guessed; but it would make each request dear, and let strangers spend our time.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from typing import Final

__all__ = ["PREFIX", "digest_of", "is_token", "new_secret", "new_token"]

PREFIX: Final = "rooftree_"

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_DIGITS: Final = 43  # 62 ** 43 > 2 ** 256
_CHECK_DIGITS: Final = 6  # 62 ** 6 > 2 ** 32
_FORM: Final = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_SECRET_DIGITS}}}[0-9A-Za-z]{{{_CHECK_DIGITS}}}", re.ASCII)


def new_token() -> str:
    """
    Return a new token.
    """
    body = PREFIX + _spelled(secrets.randbits(256), _SECRET_DIGITS)
    return body + _checksum(body)


def is_token(text: str) -> bool:
    """
    Tell whether a text has the form of a token, checksum included; this says nothing of whether it is good.
    """
    return bool(_FORM.fullmatch(text)) and text.endswith(_checksum(text[:-_CHECK_DIGITS]))


def new_secret() -> str:
    """
    Return 256 random bits as text, for a cookie.
    """
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> bytes:
    """
    Return what is kept of a token or a cookie.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _checksum(body: str) -> str:
    return _spelled(zlib.crc32(body.encode("ascii")), _CHECK_DIGITS)


def _spelled(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
