"""
Who may read: a bearer token for programs, a session cookie for browsers, a code that is good once for the first visit.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rooftree.access.caller import ADMIN_TOKEN, Caller
from rooftree.api.callers import ReaderFor, admit
from rooftree.api.problems import problem

__all__ = ["COOKIE", "OPEN_FOLDER", "OPEN_PATHS", "Access", "Guard"]

COOKIE: Final = "rooftree_session"
SESSION_SECONDS: Final = 12 * 3600

OPEN_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics", "/login"})
"""What needs no token: probes, counts without names, and the way in."""

OPEN_FOLDER: Final = "/assets/"
"""Where everything is open: the same files for every installation."""


class Access:
    """
    The one token of an installation and what follows from it.

    A session is a time of expiry signed with the token: nothing is stored, every process with the same token knows it,
    and a new token ends all sessions.
    """

    def __init__(self, token: str, *, code: str | None = None, clock: Callable[[], float] = time.time) -> None:
        self._token = token.encode()
        self._code = code
        self._clock = clock

    def knows(self, token: str) -> bool:
        """
        Tell whether this is the token.
        """
        return hmac.compare_digest(token.encode(), self._token)

    def redeem(self, code: str) -> bool:
        """
        Tell whether this is the code for the first visit; it is good once.
        """
        if self._code is None or not secrets.compare_digest(code.encode(), self._code.encode()):
            return False
        self._code = None
        return True

    def admit(self, response: Response, *, secure: bool) -> Response:
        """
        Return the response with the cookie of a new session.
        """
        expiry = str(int(self._clock()) + SESSION_SECONDS)
        response.set_cookie(
            COOKIE,
            f"{expiry}.{self._sign(expiry)}",
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=secure,
        )
        return response

    async def caller(self, connection: HTTPConnection) -> Caller | None:
        """
        Return who sends a request, or None if nothing proves it.
        """
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return ADMIN_TOKEN if self.knows(token.strip()) else None
        return ADMIN_TOKEN if self._is_session(connection.cookies.get(COOKIE, "")) else None

    def _is_session(self, cookie: str) -> bool:
        expiry, _, signature = cookie.partition(".")
        if not (expiry.isascii() and expiry.isdigit() and len(expiry) <= 12):
            return False
        return hmac.compare_digest(signature.encode(), self._sign(expiry).encode()) and int(expiry) > self._clock()

    def _sign(self, expiry: str) -> str:
        return hmac.new(self._token, f"rooftree session until {expiry}".encode(), hashlib.sha256).hexdigest()


class Guard:
    """
    Let nothing pass to the application whose sender is not known, and tell it who that is.
    """

    def __init__(self, app: ASGIApp, *, access: Access, reader_for: ReaderFor) -> None:
        self._app = app
        self._access = access
        self._reader_for = reader_for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Pass the request on, ask for a token, or show the way to the login.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        path = connection.url.path
        if path in OPEN_PATHS or path.startswith(OPEN_FOLDER):
            await self._app(scope, receive, send)
        elif (caller := await self._access.caller(connection)) is not None:
            admit(scope, caller, self._reader_for(caller.organizations))
            await self._app(scope, receive, send)
        elif path.startswith("/api/"):
            refusal = problem(401, "a bearer token is needed", headers={"WWW-Authenticate": 'Bearer realm="rooftree"'})
            await refusal(scope, receive, send)
        else:
            await RedirectResponse("/login", status_code=303)(scope, receive, send)
