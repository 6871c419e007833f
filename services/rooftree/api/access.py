"""
Who asks: a bearer token for programs, a session for browsers, a code that is good once for the first visit.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

from rooftree.access.caller import ADMIN_TOKEN, Caller, CallerKind
from rooftree.access.keeping import AccessStore, NewSession, SessionRecord, TokenRecord
from rooftree.access.tokens import digest_of, is_token, new_secret

__all__ = ["COOKIE", "SECURE_COOKIE", "Access", "Credential", "Proof", "is_secure"]

COOKIE: Final = "rooftree_session"
SECURE_COOKIE: Final = f"__Host-{COOKIE}"
"""The name under TLS: browsers take it from this host alone, and never without TLS."""

MOST_COOKIE: Final = 256


@dataclass(frozen=True, slots=True)
class Proof:
    """
    A bearer token that is good.

    Attributes:
        token: What is kept of it; None for the admin token.
    """

    caller: Caller
    token: TokenRecord | None


@dataclass(frozen=True, slots=True)
class Credential:
    """
    Who sends a request, and by what it is known.

    Attributes:
        session: The cookie of a browser; None for a bearer token.
    """

    caller: Caller
    session: str | None


class Access:
    """
    The admin token, tokens and sessions.

    Args:
        store: Where tokens and sessions are kept.
        admin_token: The token of the settings.
        code: What opens a session once.
        lifetime: Seconds after which a session ends in any case.
        idle: Seconds without a request after which it ends.
        public_url: Under which address browsers know this service.
    """

    def __init__(
        self,
        store: AccessStore,
        admin_token: str,
        *,
        code: str | None = None,
        lifetime: float = 12 * 3600,
        idle: float = 3600,
        public_url: str | None = None,
    ) -> None:
        self._store = store
        self._admin_token = admin_token.encode()
        self._code = code
        self._lifetime = lifetime
        self._idle = idle
        self._public_url = public_url

    async def prove(self, token: str) -> Proof | None:
        """
        Return whose token this is; None if it is nobody's, or not good any more.
        """
        if hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._admin_token):
            return Proof(ADMIN_TOKEN, None)
        if not is_token(token):
            return None
        record = await self._store.use_token(digest_of(token))
        return None if record is None else Proof(record.caller, record)

    def redeem(self, code: str) -> bool:
        """
        Tell whether this is the code for the first visit; it is good once.
        """
        if self._code is None or not secrets.compare_digest(code.encode("utf-8", "surrogatepass"), self._code.encode()):
            return False
        self._code = None
        return True

    async def credential(self, connection: HTTPConnection) -> Credential | None:
        """
        Return who sends a request, or None if nothing proves it. A bearer token goes before a cookie.
        """
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            proof = await self.prove(token.strip())
            return None if proof is None else Credential(proof.caller, None)
        cookie = self.cookie(connection)
        record = None if cookie is None else await self._session(cookie)
        return None if record is None else Credential(record.caller, cookie)

    async def begin(
        self,
        connection: HTTPConnection,
        response: Response,
        caller: Caller,
        *,
        token: TokenRecord | None = None,
        id_token: str | None = None,
    ) -> None:
        """
        Open a session and put its cookie on a response. A session that the browser had ends: none is carried over.

        Args:
            connection: The request.
            response: Its answer.
            caller: Who signs in.
            token: The token with which the session is to end.
            id_token: What the identity provider wants to see at a logout.
        """
        await self.end(connection)
        cookie = new_secret()
        await self._store.open_session(
            NewSession(
                digest=digest_of(cookie),
                caller=caller,
                seconds=self._lifetime,
                token_id=token.token_id if token else None,
                proof=self._tie(cookie) if caller.kind is CallerKind.ADMIN_TOKEN else None,
                id_token=id_token,
                until=token.expires_at if token else None,
            )
        )
        secure = is_secure(connection, self._public_url)
        response.set_cookie(
            SECURE_COOKIE if secure else COOKIE,
            cookie,
            max_age=int(self._lifetime),
            path="/",
            httponly=True,
            samesite="strict",
            secure=secure,
        )

    async def end(self, connection: HTTPConnection) -> SessionRecord | None:
        """
        End the session of a request, if it has one; returns what it was.
        """
        cookie = self.cookie(connection)
        if cookie is None:
            return None
        record = await self._session(cookie)
        await self._store.end_session(digest_of(cookie))
        return record

    def forget(self, response: Response) -> None:
        """
        Have the browser forget its cookies.
        """
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        response.delete_cookie(SECURE_COOKIE, path="/", httponly=True, samesite="strict", secure=True)

    def cookie(self, connection: HTTPConnection) -> str | None:
        """
        Return the cookie of a request. Under TLS only the one that was set under TLS counts.
        """
        name = SECURE_COOKIE if is_secure(connection, self._public_url) else COOKIE
        cookie = connection.cookies.get(name)
        return cookie if cookie and len(cookie) <= MOST_COOKIE else None

    async def _session(self, cookie: str) -> SessionRecord | None:
        record = await self._store.use_session(digest_of(cookie), idle=self._idle)
        if record is None:
            return None
        if record.caller.kind is CallerKind.ADMIN_TOKEN and not hmac.compare_digest(
            record.proof or b"", self._tie(cookie)
        ):
            return None
        return record

    def _tie(self, cookie: str) -> bytes:
        # The admin token may be short: what is kept of it cannot be tried out without the cookie, which is not kept.
        return hmac.new(cookie.encode(), self._admin_token, hashlib.sha256).digest()


def is_secure(connection: HTTPConnection, public_url: str | None) -> bool:
    """
    Tell whether browsers reach this service by TLS.
    """
    return public_url.startswith("https://") if public_url else connection.url.scheme == "https"
