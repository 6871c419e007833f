"""
The values that condition operators compare, read from text.

A text that cannot be read gives ``None``: such a value matches nothing, in a policy as in a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

__all__ = ["parse_address", "parse_binary", "parse_boolean", "parse_date", "parse_network", "parse_number"]

MAX_NUMBER_LENGTH: Final = 256
"""More digits than any key of AWS holds, also with an exponent written out; comparing stays cheap."""

_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?\Z", re.ASCII)
_EPOCH_SECONDS: Final = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?\Z", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_W3C_DATE: Final = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,15}))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?\Z",
    re.ASCII,
)
_NETWORK: Final = re.compile(r"[0-9A-Fa-f.:]+(?:/\d{1,3})?\Z", re.ASCII)
_ADDRESS: Final = re.compile(r"[0-9A-Fa-f.:]+\Z", re.ASCII)


def parse_boolean(text: str) -> bool | None:
    """
    Read ``true`` or ``false``, in any case: the tolerance of AWS is not documented.
    """
    return {"true": True, "false": False}.get(text.lower())


@lru_cache(maxsize=4096)
def parse_number(text: str) -> Decimal | None:
    """
    Read an integer or a decimal, exactly.
    """
    if len(text) > MAX_NUMBER_LENGTH or not _NUMBER.match(text):
        return None
    return Decimal(text)


@lru_cache(maxsize=4096)
def parse_date(text: str) -> datetime | None:
    """
    Read a moment in UTC: ISO 8601 in the profile of the W3C, or seconds since 1970.

    A partial form means its first moment, and four digits alone are a year. A time without a zone, which the
    profile does not know, is read as UTC.
    https://www.w3.org/TR/NOTE-datetime
    """
    found = _W3C_DATE.match(text)
    try:
        if found is not None:
            return _calendar_moment(found)
        if _EPOCH_SECONDS.match(text):
            return _EPOCH + timedelta(microseconds=int(Decimal(text) * 1_000_000))
    except (ValueError, OverflowError):
        return None  # a month 13, or past the years that a datetime can hold
    return None


def _calendar_moment(found: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = (
        int(part or default) for part, default in zip(found.groups()[:6], (1, 1, 1, 0, 0, 0), strict=True)
    )
    microsecond = int((found[7] or "0")[:6].ljust(6, "0"))
    return datetime(year, month, day, hour, minute, second, microsecond, _zone(found[8])).astimezone(UTC)


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    distance = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-distance if text[0] == "-" else distance)


@lru_cache(maxsize=4096)
def parse_network(text: str) -> IPv4Network | IPv6Network | None:
    """
    Read an address range in CIDR notation; a bare address is a range of one.

    Bits past the prefix are ignored, so ``10.1.2.3/8`` is ``10.0.0.0/8``.
    """
    return _network_or_none(text) if _NETWORK.match(text) else None


def _network_or_none(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """
    Read one address.

    An IPv4 address written as IPv6 (``::ffff:192.0.2.1``) is an IPv6 address: AWS leaves this open.
    """
    if not _ADDRESS.match(text):
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None


def parse_binary(text: str) -> bytes | None:
    """
    Read base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
