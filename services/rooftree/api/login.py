"""
Logging in, by a token or by the code of the first visit, and logging out: a session is opened, or ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from rooftree.access.caller import ADMIN_TOKEN, Caller
from rooftree.access.keeping import AccessStore, Outcome, TokenRecord
from rooftree.api.access import Access
from rooftree.api.callers import caller_of
from rooftree.api.forgery import foreign_reason
from rooftree.api.forms import read_form
from rooftree.api.guard import address_of, entry
from rooftree.api.problems import problem
from rooftree.api.throttle import Throttle
from rooftree.errors import UnavailableError
from rooftree.identity import Provider

__all__ = ["Login", "Render"]

UNKNOWN: Final = "This token is not known, or no longer good."
USED: Final = "This address was used before."
CROWDED: Final = "There were too many attempts from this network address. Wait a moment, then try again."


class Render(Protocol):
    """
    Makes a page that belongs to no organization.
    """

    def __call__(self, request: Request, template: str, facts: Mapping[str, object], *, status: int = 200) -> Response:
        """
        Return the page.
        """
        ...


class Login:
    """
    The login, and the way out.

    Args:
        access: Knows tokens and sessions.
        store: Takes the access log.
        render: Makes the page of the login.
        attempts: How often an address may try.
        provider: By which people sign in, too.
        public_url: Under which address browsers know this service.
    """

    def __init__(
        self,
        access: Access,
        store: AccessStore,
        render: Render,
        *,
        attempts: Throttle,
        provider: Provider | None = None,
        public_url: str | None = None,
    ) -> None:
        self._provider = provider
        self._access = access
        self._store = store
        self._render = render
        self._attempts = attempts
        self._public_url = public_url

    @property
    def routes(self) -> list[Route]:
        """
        The ways in and out.
        """
        return [
            Route("/login", self.show, methods=["GET"]),
            Route("/login", self.sign_in, methods=["POST"]),
            Route("/logout", self.sign_out, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """
        Ask for a token, or take the code of the first visit.
        """
        code = request.query_params.get("code")
        if code is None:
            return self.page(request)
        if (refusal := self.throttled(request)) is not None:
            return refusal
        if not self._access.redeem(code):
            await self.refused(request, "the address was used before")
            return self.page(request, reason=USED)
        return await self.admit(request, RedirectResponse("/", status_code=303), ADMIN_TOKEN)

    async def sign_in(self, request: Request) -> Response:
        """
        Take a token, and open a session for whoever has it.
        """
        reason = foreign_reason(request, public_url=self._public_url)
        if reason is not None:
            await self.refused(request, reason)
            return problem(403, reason)
        if (refusal := self.throttled(request)) is not None:
            return refusal
        proof = await self._access.prove((await read_form(request)).get("token", "").strip())
        if proof is None:
            await self.refused(request, "no token that is good")
            return self.page(request, reason=UNKNOWN, status=403)
        return await self.admit(request, RedirectResponse("/", status_code=303), proof.caller, token=proof.token)

    async def sign_out(self, request: Request) -> Response:
        """
        End the session.
        """
        await self._store.record(entry(request, caller_of(request), "sign-out", Outcome.DONE))
        session = await self._access.end(request)
        address = await self._address_of_logout(session.id_token if session else None)
        response: Response = RedirectResponse("/login", status_code=303)
        if address is not None:
            # A link and no redirect: our own policy keeps forms from leading to other sites.
            response = self._render(request, "left.html", {"address": address})
        self._access.forget(response)
        return response

    async def _address_of_logout(self, id_token: str | None) -> str | None:
        if self._provider is None or id_token is None:
            return None
        try:
            return await self._provider.logout_address(id_token, back=f"{self._public_url}/login")
        except UnavailableError:
            return None  # the session here is over in any case

    async def admit(
        self,
        request: Request,
        response: Response,
        caller: Caller,
        *,
        token: TokenRecord | None = None,
        id_token: str | None = None,
    ) -> Response:
        """
        Open a session; written down first, so that nobody comes in unseen.
        """
        await self._store.record(entry(request, caller, "sign-in", Outcome.DONE))
        await self._access.begin(request, response, caller, token=token, id_token=id_token)
        return response

    async def refused(self, request: Request, reason: str) -> None:
        """
        Write down that somebody was not let in.
        """
        await self._store.record(entry(request, None, "sign-in", Outcome.REFUSED, detail=reason))

    def throttled(self, request: Request) -> Response | None:
        """
        Count an attempt; returns a refusal if there were too many from its address.
        """
        allowance = self._attempts.take(address_of(request))
        if allowance is None or allowance.admitted:
            return None
        answer = self.page(request, reason=CROWDED, status=429)
        answer.headers.update(allowance.headers)
        return answer

    def page(self, request: Request, *, reason: str | None = None, status: int = 200) -> Response:
        """
        Return the login, with the reason why it is shown again.
        """
        provider = self._provider.name if self._provider else None
        return self._render(request, "login.html", {"reason": reason, "provider": provider}, status=status)
