"""
The way in: the organization, or a choice of them; and what one prefers to look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from rooftree.api.callers import reader_of
from rooftree.api.pages.addresses import Addresses, with_query
from rooftree.api.pages.site import THEME_COOKIE, Site
from rooftree.api.query import Query, choose_organization
from rooftree.errors import InputError
from rooftree.reading.reader import OrganizationRecord

__all__ = ["HomePages"]

THEME_SECONDS: Final = 365 * 86_400


@dataclass(frozen=True, slots=True)
class OrganizationLine:
    """
    An organization in the list.
    """

    record: OrganizationRecord
    address: str
    accounts: int


@dataclass(frozen=True, slots=True)
class HomeView:
    """
    The organizations that whoever asks may see.
    """

    organizations: Sequence[OrganizationLine]


class HomePages:
    """
    The pages that belong to no organization.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    async def home(self, request: Request) -> Response:
        """
        Lead to the only organization, or let one choose.
        """
        query = Query(request, "organization_id")
        reader = reader_of(request)
        known = await reader.organizations()
        wanted = query.text("organization_id")
        if wanted is not None:
            return RedirectResponse(Addresses((await choose_organization(reader, wanted)).organization_id).home, 303)
        if len(known) == 1:
            return RedirectResponse(Addresses(known[0].organization_id).home, status_code=303)
        lines = [
            OrganizationLine(one, Addresses(one.organization_id).home, await reader.count_accounts(one.organization_id))
            for one in known
        ]
        return self._site.bare(request, "home.html", {"view": HomeView(lines)})

    async def account(self, request: Request) -> Response:
        """
        Lead to an account by its id alone.
        """
        query = Query(request, "organization_id", "at")
        account_id = str(request.path_params["account_id"])
        organization = await choose_organization(
            reader_of(request), query.text("organization_id"), account_id=account_id
        )
        address = Addresses(organization.organization_id).account(account_id, at=query.time("at"))
        return RedirectResponse(address, status_code=303)

    async def theme(self, request: Request) -> Response:
        """
        Remember whether pages are to be light or dark, and go back.
        """
        query = Query(request, "to", "back")
        wanted, back = query.text("to"), query.text("back") or "/"
        if wanted not in ("light", "dark", "auto"):
            raise InputError("expected `light`, `dark` or `auto`", place="to")
        # an address on another host would begin with two slashes, or have a scheme
        if not back.startswith("/") or back.startswith(("//", "/\\")) or any(ord(char) < 32 for char in back):
            back = "/"
        response = RedirectResponse(with_query(back), status_code=303)
        if wanted == "auto":
            response.delete_cookie(THEME_COOKIE, samesite="lax")
        else:
            secure = request.url.scheme == "https"
            response.set_cookie(
                THEME_COOKIE, wanted, max_age=THEME_SECONDS, samesite="lax", httponly=True, secure=secure
            )
        return response
