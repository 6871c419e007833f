"""
Whether a request that a browser sends comes from a page of ours.

A session cookie goes along with every request to this address, whoever made the browser send it. So what writes must
show two things more: where it comes from (``Sec-Fetch-Site`` and ``Origin``, which scripts cannot set), and a token
that only our own pages hold. Bearer tokens are sent by nobody but their holder, and need neither.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

__all__ = ["CSRF_FIELD", "CSRF_HEADER", "SAFE_METHODS", "csrf_token", "foreign_reason", "is_csrf_token"]

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER: Final = "x-csrf-token"
CSRF_FIELD: Final = "csrf_token"


def csrf_token(session: str) -> str:
    """
    Return the token that the pages of a session hold: it follows from the cookie, and tells nothing of it.
    """
    return hmac.new(session.encode(), b"rooftree csrf token", hashlib.sha256).hexdigest()


def is_csrf_token(session: str, given: str) -> bool:
    """
    Tell whether a token is the one of a session.
    """
    return hmac.compare_digest(csrf_token(session).encode(), given.encode("utf-8", "surrogatepass"))


def foreign_reason(connection: HTTPConnection, *, public_url: str | None = None) -> str | None:
    """
    Return why a request comes from elsewhere, or None if nothing says so.

    Args:
        connection: The request.
        public_url: Under which address browsers know this service, if it is another than that of the request.
    """
    site = connection.headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return "Sec-Fetch-Site says that another site sends this"
    origin = connection.headers.get("origin")
    if origin is None:
        return None
    own = {urlsplit(public_url).netloc} if public_url else {connection.headers.get("host", "")}
    # A proxy that ends TLS changes the scheme, never the host.
    if urlsplit(origin).netloc not in own or not origin.startswith(("https://", "http://")):
        return "Origin says that another site sends this"
    return None
