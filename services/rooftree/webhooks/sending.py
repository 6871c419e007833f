"""
One attempt at a webhook, that reaches nothing but what its subscriber may name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import httpx

from rooftree.errors import UsageError
from rooftree.webhooks.schedule import Answer

__all__ = ["Sender", "check_url"]

MOST_ANSWER: Final = 65_536
"""Bytes that are read of an answer; nothing but its status counts."""

MOST_URL: Final = 2048


class _RefusedAddressError(Exception):
    """
    A name leads to where nothing may be sent.
    """


def check_url(url: str, *, allow_private: bool = False) -> str:
    """
    Return an address that webhooks may be sent to, as far as it tells by itself.

    Raises:
        UsageError: It is none, or not reached by TLS, or holds a password.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or len(url) > MOST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError("expected an address such as https://hooks.example.com/rooftree", place="URL")
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise UsageError("expected https://", place="URL")
    if parts.username is not None or parts.fragment:
        raise UsageError("expected neither a user, a password nor a fragment", place="URL")
    return url


class Sender:
    """
    Sends by HTTP: to the address that a name had when it was looked up, following no redirect.

    Args:
        timeout: Seconds for one attempt, from the look-up of the name to the end of the answer.
        allow_private: Whether addresses may be private or of this machine, and without TLS.
    """

    def __init__(self, *, timeout: float, allow_private: bool) -> None:
        self._timeout = timeout
        self._allow_private = allow_private

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """
        Return what came of one attempt; nothing is raised.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await self._send(check_url(url, allow_private=self._allow_private), body, headers)
        except TimeoutError:
            return Answer(None, f"no answer within {self._timeout:g} s")
        except (_RefusedAddressError, UsageError) as error:
            return Answer(None, str(error))
        except OSError as error:
            return Answer(None, f"cannot be reached: {error.strerror or type(error).__name__}")
        except UnicodeError:
            return Answer(None, "cannot be reached: its name is none that could be looked up")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Answer(None, f"cannot be reached: {type(error).__name__}")

    async def _send(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        target = httpx.URL(url)
        address = await self._resolved(target.host, target.port or (443 if target.scheme == "https" else 80))
        async with (
            # trust_env off: a proxy of the environment would resolve the name again, and reach what we may not.
            httpx.AsyncClient(timeout=self._timeout, follow_redirects=False, trust_env=False) as client,
            client.stream(
                "POST",
                target.copy_with(host=address),
                content=body,
                headers={**headers, "host": target.netloc.decode("ascii")},
                extensions={"sni_hostname": target.host},
            ) as answer,
        ):
            read = 0
            async for chunk in answer.aiter_raw():
                read += len(chunk)
                if read > MOST_ANSWER:
                    break
        return Answer(
            answer.status_code,
            "" if answer.is_success else f"answered {answer.status_code}",
            _retry_after(answer.headers.get("retry-after", "")),
        )

    async def _resolved(self, host: str, port: int) -> str:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
        if not self._allow_private:
            for address in addresses:
                # One bad address among good ones is reason enough: names with both are made for this.
                if not _is_public(address):
                    raise _RefusedAddressError(f"`{host}` leads to the address `{address}`, which is not public")
        return str(addresses[0])


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        # IPv4 within IPv6, in any of its spellings, is what it leads to.
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return _is_public(inner)
        if address in _NAT64:
            return _is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast and not address.is_reserved


_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


def _retry_after(value: str) -> float | None:
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
