"""
Which address leads to which page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rooftree.api.backing import BackingServices
from rooftree.api.pages.account import AccountPages
from rooftree.api.pages.assets import asset
from rooftree.api.pages.audit import AuditPage
from rooftree.api.pages.check import CheckPage
from rooftree.api.pages.home import HomePages
from rooftree.api.pages.operations import OperationsPage
from rooftree.api.pages.organization import OrganizationPage
from rooftree.api.pages.policies import PolicyPages
from rooftree.api.pages.revision import RevisionPage
from rooftree.api.pages.search import SearchPage
from rooftree.api.pages.shares import ShareCache
from rooftree.api.pages.site import Handler, Site, of_one_moment, page
from rooftree.api.pages.what_if import WhatIfPage
from rooftree.api.pages.who_can import WhoCanPage

__all__ = ["PAGE_QUESTIONS", "as_pages", "page_routes"]

_INSIDE: Final = "/{organization_id}"

PAGE_QUESTIONS: Final = (f"{_INSIDE}/what-if", f"{_INSIDE}/lint")
"""Where a POST changes nothing: one leads to an address, the other looks at a text while it is being written."""


def as_pages(site: Site, routes: Iterable[Route]) -> list[Route]:
    """
    Return routes whose errors are pages, for people.
    """
    return [Route(route.path, page(site, route.endpoint), methods=list(route.methods or ())) for route in routes]


def page_routes(site: Site, backing: BackingServices) -> list[Route]:
    """
    Return the routes of the dashboard; they come last, since one of them takes whatever is left.
    """
    home, account, audit, policies = HomePages(site), AccountPages(site), AuditPage(site), PolicyPages(site)
    organization = OrganizationPage(site, ShareCache())
    what_if, operations = WhatIfPage(site, backing.jobs), OperationsPage(site, backing)

    async def missing(request: Request) -> Response:
        reason = f"nothing is at `{request.url.path}`"
        if request.url.path.startswith("/api/"):
            raise HTTPException(404, reason)
        return site.failed(request, 404, reason)

    def route(path: str, handler: Handler, *, methods: Sequence[str] = ("GET",)) -> Route:
        return Route(path, page(site, handler), methods=list(methods))

    def view(path: str, handler: Handler) -> Route:
        return route(path, of_one_moment(handler))

    inside = _INSIDE
    one = f"{inside}/accounts/{{account_id}}"
    return [
        Route("/assets/{name}", asset),
        route("/", home.home),
        route("/theme", home.theme),
        route("/accounts/{account_id}", home.account),
        view(inside, organization.show),
        view(f"{inside}/nodes/{{node_id}}", organization.show),
        view(f"{inside}/search", SearchPage(site).show),
        view(one, account.overview),
        view(f"{one}/services", account.services),
        view(f"{one}/services/{{service}}", account.service),
        view(f"{one}/history", account.history),
        view(f"{one}/principals", account.principals),
        view(f"{inside}/audit", audit.show),
        view(f"{inside}/audit/rows", audit.rows),
        view(f"{inside}/audit/{{revision}}", RevisionPage(site).show),
        view(f"{inside}/check", CheckPage(site).show),
        route(f"{inside}/who-can", WhoCanPage(site, backing.jobs).show),
        route(f"{inside}/what-if", what_if.show),
        *(
            route(path, take, methods=("POST",))
            for path, take in zip(PAGE_QUESTIONS, (what_if.take, what_if.lint), strict=True)
        ),
        route(f"{inside}/operations", operations.show),
        route(f"{inside}/operations/replay", operations.replay, methods=("POST",)),
        view(f"{inside}/policies", policies.list),
        view(f"{inside}/policies/{{policy_id}}", policies.show),
        Route("/{path:path}", missing),
    ]
