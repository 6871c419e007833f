"""
The gate before every handler: who asks, how often, from which page; and what they do is written down.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol
from urllib.parse import parse_qs, quote

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rooftree.access.caller import Caller
from rooftree.access.keeping import AccessEntry, AccessStore, Outcome
from rooftree.api.access import Access, Credential
from rooftree.api.callers import ReaderFor, admit
from rooftree.api.forgery import CSRF_FIELD, CSRF_HEADER, SAFE_METHODS, foreign_reason, is_csrf_token
from rooftree.api.problems import headers_of, problem
from rooftree.api.throttle import Allowance, Throttle
from rooftree.errors import UnavailableError
from rooftree.telemetry.logs import Action, log

__all__ = ["OPEN_FOLDER", "OPEN_PATHS", "Guard", "address_of", "entry", "entry_of"]

OPEN_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics", "/login", "/login/oidc", "/login/oidc/callback"})
"""What needs no token: probes, counts without names, and the ways in."""

OPEN_FOLDER: Final = "/assets/"
"""Where everything is open: the same files for every installation."""

MOST_FIELDS: Final = 1000
MOST_TEXT: Final = 500
"""Characters of a path that are written down."""


class Refuse(Protocol):
    """
    Makes a page that says why a request was not let through.
    """

    def __call__(
        self, request: Request, status: int, reason: str, *, headers: Mapping[str, str] | None = None
    ) -> Response:
        """
        Return the page.
        """
        ...


class Guard:
    """
    Let nothing pass to the application whose sender is not known, and tell it who that is.

    Args:
        access: Knows tokens and sessions.
        store: Takes the access log.
        reader_for: Opens the view for a caller.
        requests: How often a caller may ask.
        failures: How often an address may fail to prove who asks.
        asks: Tells by method and path whether a request changes nothing though its method could.
        refuse: Makes the answer for people; programs are told by problem details.
        public_url: Under which address browsers know this service.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        access: Access,
        store: AccessStore,
        reader_for: ReaderFor,
        requests: Throttle,
        failures: Throttle,
        asks: Callable[[str, str], bool],
        refuse: Refuse,
        public_url: str | None = None,
    ) -> None:
        self._app = app
        self._access = access
        self._store = store
        self._reader_for = reader_for
        self._requests = requests
        self._failures = failures
        self._asks = asks
        self._refuse = refuse
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Pass a request on, or answer it with a refusal.
        """
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # nothing here speaks anything else
        request = Request(scope, receive)
        # What routes go by, and not the address: that is put together from headers, too.
        if scope["path"] in OPEN_PATHS or scope["path"].startswith(OPEN_FOLDER):
            await self._app(scope, receive, send)
            return
        try:
            refusal, receive, passing = await self._examine(request, receive, send)
        except UnavailableError as error:
            refusal, passing = self._refusal(request, 503, str(error), headers=headers_of(error)), send
        await (refusal or self._app)(scope, receive, passing)

    async def _examine(self, request: Request, receive: Receive, send: Send) -> tuple[Response | None, Receive, Send]:
        """
        Return a refusal if there is reason for one, and the channels with which to go on.
        """
        started = time.perf_counter()
        address = address_of(request)
        blocked = self._failures.take(address, cost=0) if "authorization" in request.headers else None
        if blocked is not None and not blocked.admitted:
            refusal = self._refusal(request, 429, "too many attempts from this address", headers=blocked.headers)
            return refusal, receive, send
        credential = await self._access.credential(request)
        if credential is None:
            return await self._stranger(request, address), receive, send
        allowance = self._requests.take(credential.caller.identity)
        if allowance is not None and not allowance.admitted:
            refusal = self._refusal(request, 429, "too many requests", headers=allowance.headers)
            return refusal, receive, send
        admit(request.scope, credential, self._reader_for(credential.caller.organizations), self._recheck(request))
        entry_id = None
        if request.method not in SAFE_METHODS:
            if credential.session is not None:
                reason, receive = await self._forged(request, credential.session, receive)
                if reason is not None:
                    await self._store.record(entry_of(request, credential.caller, Outcome.REFUSED, 403, reason))
                    return self._refusal(request, 403, reason), receive, send
            if not self._asks(request.method, request.scope["path"]):
                # Written before it is done: what cannot be written down is not done.
                entry_id = await self._store.record(entry_of(request, credential.caller, Outcome.BEGUN))
        passing = self._accompanied(
            request, credential.caller, send, allowance=allowance, entry_id=entry_id, started=started
        )
        return None, receive, passing

    def _refusal(
        self, request: Request, status: int, reason: str, *, headers: Mapping[str, str] | None = None
    ) -> Response:
        if request.scope["path"].startswith("/api/"):
            return problem(status, reason, headers=headers)
        return self._refuse(request, status, reason, headers=headers)

    def _recheck(self, request: Request) -> Callable[[], Awaitable[bool]]:
        async def recheck() -> bool:
            found = await self._access.credential(request)
            had: Credential = request.state.credential
            return found is not None and found.caller == had.caller

        return recheck

    async def _stranger(self, request: Request, address: str) -> Response:
        if "authorization" in request.headers:
            self._failures.take(address)
            await self._store.record(entry_of(request, None, Outcome.REFUSED, 401, "no token that is good"))
        if request.scope["path"].startswith("/api/"):
            return problem(401, "a bearer token is needed", headers={"WWW-Authenticate": 'Bearer realm="rooftree"'})
        return RedirectResponse("/login", status_code=303)

    async def _forged(self, request: Request, session: str, receive: Receive) -> tuple[str | None, Receive]:
        """
        Return why a request that writes is not from a page of ours, or None; and the body to be read again.
        """
        reason = foreign_reason(request, public_url=self._public_url)
        if reason is not None:
            return reason, receive
        given = request.headers.get(CSRF_HEADER)
        if given is None and request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            body = await request.body()
            given = _field(body, CSRF_FIELD)
            receive = _replayed(body, receive)
        if given is None or not is_csrf_token(session, given):
            return f"needs the header `{CSRF_HEADER}` or the field `{CSRF_FIELD}` of a page of this session", receive
        return None, receive

    def _accompanied(
        self,
        request: Request,
        caller: Caller,
        send: Send,
        *,
        allowance: Allowance | None,
        entry_id: int | None,
        started: float,
    ) -> Send:
        """
        Return a channel that adds the limits and the time taken to an answer, and writes down how it ended.
        """

        async def accompanied(message: Message) -> None:
            if message["type"] == "http.response.start":
                status = int(message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in allowance.headers.items() if allowance is not None else ():
                    headers.setdefault(name, value)
                await self._write_down(request, caller, entry_id, status)
                # Only for those who are let in: to others, how long a token was looked at says nothing.
                headers["server-timing"] = f"total;dur={(time.perf_counter() - started) * 1000:.2f}"
            await send(message)

        return accompanied

    async def _write_down(self, request: Request, caller: Caller, entry_id: int | None, status: int) -> None:
        outcome = Outcome.DONE if status < 400 else Outcome.FAILED if status >= 500 else Outcome.REFUSED
        try:
            if entry_id is not None:
                await self._store.finish(entry_id, outcome, status, getattr(request.state, "detail", ""))
            elif status == 403:
                await self._store.record(entry_of(request, caller, Outcome.REFUSED, status))
        except UnavailableError as error:
            # It stays `begun`; what was done is done, and the answer is not to be taken back.
            log().error(Action.ACCESS_NOT_LOGGED, path=request.url.path, error=str(error))


def address_of(request: Request) -> str:
    """
    Return where a request comes from; behind a trusted proxy, what the proxy says.
    """
    return request.client.host if request.client else ""


def entry_of(
    request: Request, caller: Caller | None, outcome: Outcome, status: int | None = None, detail: str = ""
) -> AccessEntry:
    """
    Return a line of the access log about a request.

    Query and body stay out of it: they may hold what is secret.
    """
    return entry(request, caller, f"{request.method} {_printable(request)}", outcome, status=status, detail=detail)


def entry(
    request: Request,
    caller: Caller | None,
    action: str,
    outcome: Outcome,
    *,
    status: int | None = None,
    detail: str = "",
) -> AccessEntry:
    """
    Return a line of the access log about something that a request did.
    """
    return AccessEntry(
        kind=caller.kind if caller else "unknown",
        name=caller.name if caller else "",
        identity=caller.identity if caller else "",
        role=caller.role if caller else None,
        organizations=caller.organizations if caller else None,
        address=address_of(request),
        action=action,
        outcome=outcome,
        status=status,
        detail=detail,
    )


def _printable(request: Request) -> str:
    # The store takes no NUL, and what is written down is one line.
    path: str = request.scope["path"]
    return "".join(sign if sign.isprintable() else quote(sign) for sign in path[:MOST_TEXT])[:MOST_TEXT]


def _field(body: bytes, name: str) -> str | None:
    try:
        return parse_qs(body.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS).get(name, [None])[0]
    except ValueError:
        return None  # more fields than any form of ours has


def _replayed(body: bytes, receive: Receive) -> Receive:
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
