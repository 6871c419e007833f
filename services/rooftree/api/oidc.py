"""
Signing in with an identity provider: there and back.
"""

from __future__ import annotations

import hmac
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from rooftree.access.caller import Caller, CallerKind
from rooftree.access.grants import Grant, claim_values, granted
from rooftree.api.access import is_secure
from rooftree.api.login import Login
from rooftree.errors import ForbiddenError, UnavailableError
from rooftree.identity import Attempt, Identity, Provider

__all__ = ["CALLBACK", "OidcLogin"]

CALLBACK: Final = "/login/oidc/callback"
COOKIE: Final = "rooftree_oidc"
ATTEMPT_SECONDS: Final = 600
MOST_CODE: Final = 4096

ENTERED: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/">'
    '<title>Rooftree</title></head><body><p><a href="/">Go on</a></p></body></html>'
)
"""A page that leads on, in place of a redirect: after one that another site began, browsers keep our cookie back."""


class OidcLogin:
    """
    The way in by an identity provider.

    Args:
        provider: Says who somebody is.
        grants: Say what they may do.
        claim: The claim that decides it.
        login: Opens the session.
        public_url: Under which address browsers know this service.
    """

    def __init__(
        self, provider: Provider, grants: tuple[Grant, ...], *, claim: str, login: Login, public_url: str
    ) -> None:
        self._provider = provider
        self._grants = grants
        self._claim = claim
        self._login = login
        self._public_url = public_url

    @property
    def routes(self) -> list[Route]:
        """
        There and back.
        """
        return [
            Route("/login/oidc", self.leave, methods=["GET"]),
            Route(CALLBACK, self.come_back, methods=["GET"]),
        ]

    async def leave(self, request: Request) -> Response:
        """
        Send a browser to the provider.
        """
        if (refusal := self._login.throttled(request)) is not None:
            return refusal
        attempt = Attempt.new()
        try:
            address = await self._provider.address(attempt)
        except UnavailableError as error:
            return self._login.page(request, reason=str(error), status=503)
        response = RedirectResponse(address, status_code=303)
        response.set_cookie(
            self._cookie(request),
            f"{attempt.state}.{attempt.nonce}.{attempt.verifier}",
            max_age=ATTEMPT_SECONDS,
            path="/",
            httponly=True,
            samesite="lax",  # it has to come along when the provider sends the browser back
            secure=is_secure(request, self._public_url),
        )
        return response

    async def come_back(self, request: Request) -> Response:
        """
        Take what the provider says, and open a session for whom it grants something to.
        """
        if (refusal := self._login.throttled(request)) is not None:
            return refusal
        try:
            identity = await self._identity(request)
            caller = self._caller(identity)
        except UnavailableError as error:
            return self._done(request, self._login.page(request, reason=str(error), status=503))
        except ForbiddenError as error:
            await self._login.refused(request, str(error))
            return self._done(request, self._login.page(request, reason=str(error), status=403))
        response = HTMLResponse(ENTERED)
        await self._login.admit(request, response, caller, id_token=identity.id_token)
        return self._done(request, response)

    async def _identity(self, request: Request) -> Identity:
        parts = request.cookies.get(self._cookie(request), "").split(".")
        state = request.query_params.get("state", "")
        if len(parts) != 3 or not hmac.compare_digest(parts[0].encode(), state.encode("utf-8", "surrogatepass")):
            raise ForbiddenError("this sign-in was not begun by this browser, or too long ago; try again")
        # https://www.rfc-editor.org/rfc/rfc9207: an answer of another provider is not taken for one of ours.
        if request.query_params.get("iss", self._provider.issuer) != self._provider.issuer:
            raise ForbiddenError("another identity provider has answered")
        code = request.query_params.get("code", "")
        if not code or len(code) > MOST_CODE:
            told = request.query_params.get("error", "no code")
            raise ForbiddenError(f"the identity provider let nobody in: {told[:100]}")
        return await self._provider.identity(code, Attempt(*parts))

    def _caller(self, identity: Identity) -> Caller:
        given = granted(self._grants, claim_values(identity.claims, self._claim))
        if given is None:
            raise ForbiddenError(f"nothing is granted to `{identity.name}`")
        role, organizations = given
        return Caller(
            CallerKind.PERSON, identity.name, f"person:{identity.issuer}#{identity.subject}", role, organizations
        )

    def _done(self, request: Request, response: Response) -> Response:
        # An attempt is good once.
        secure = is_secure(request, self._public_url)
        response.delete_cookie(self._cookie(request), path="/", httponly=True, samesite="lax", secure=secure)
        return response

    def _cookie(self, request: Request) -> str:
        return f"__Host-{COOKIE}" if is_secure(request, self._public_url) else COOKIE
