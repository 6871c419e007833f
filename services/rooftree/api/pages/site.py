"""
What all pages share: the frame around them, the organization that they are about, and how errors look.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from rooftree.access.caller import Role
from rooftree.api.callers import caller_of, csrf_of, reader_of
from rooftree.api.pages import charts, phrases
from rooftree.api.pages.addresses import Addresses
from rooftree.api.pages.assets import asset_version
from rooftree.api.pages.icons import icon
from rooftree.errors import ForbiddenError, InputError, UnavailableError
from rooftree.inquiry import wording
from rooftree.organization.timestamps import format_time
from rooftree.reading.reader import OrganizationRecord, Reader

__all__ = ["THEME_COOKIE", "Crumb", "Site", "Visit", "of_one_moment", "page"]

THEME_COOKIE: Final = "rooftree_theme"
THEMES: Final = frozenset({"light", "dark"})
RETRY_SECONDS: Final = "5"

SECTIONS: Final = (
    ("organization", "Organization", "", "organization", "o", Role.VIEWER),
    ("audit", "Audit", "audit", "audit", "a", Role.VIEWER),
    ("what-if", "What-if", "what-if", "suppose", "w", Role.VIEWER),
    ("check", "Check", "check", "check", "c", Role.VIEWER),
    ("policies", "Policies", "policies", "policy", "p", Role.VIEWER),
    ("operations", "Operations", "operations", "operations", "s", Role.AUDITOR),
)
"""The navigation: name, words, page, icon, the key that follows ``g``, and the least role that may see the page."""


@dataclass(frozen=True, slots=True)
class Crumb:
    """
    One step of the way to a page.
    """

    words: str
    address: str


@dataclass(frozen=True, slots=True)
class Visit:
    """
    A request for a page of one organization.

    Attributes:
        reader: The view as whoever asks may see it.
        organizations: All that they may see.
    """

    request: Request
    reader: Reader
    organization: OrganizationRecord
    organizations: Sequence[OrganizationRecord]

    @property
    def organization_id(self) -> str:
        """
        The organization that the page is about.
        """
        return self.organization.organization_id

    @property
    def to(self) -> Addresses:
        """
        The pages of this organization.
        """
        return Addresses(self.organization_id)


class Site:
    """
    Puts values into templates.
    """

    def __init__(self) -> None:
        self._templates = _templates()

    async def visit(self, request: Request) -> Visit:
        """
        Return what a request for a page is about.

        Raises:
            HTTPException: There is no such organization, or whoever asks may not see it.
        """
        reader = reader_of(request)
        wanted = str(request.path_params["organization_id"])
        known = await reader.organizations()
        for organization in known:
            if organization.organization_id == wanted:
                return Visit(request, reader, organization, known)
        raise HTTPException(404, f"no organization `{wanted}`")

    def show(
        self,
        visit: Visit,
        template: str,
        view: object,
        *,
        section: str,
        title: str,
        crumbs: Sequence[Crumb] = (),
        status: int = 200,
    ) -> Response:
        """
        Return a page within the frame.

        Args:
            visit: What the page is about.
            template: The template that prints *view*.
            view: What it prints.
            section: The entry of the navigation that the page belongs to.
            title: What the page is called.
            crumbs: The way to it from the organization.
            status: The HTTP status.
        """
        return self.bare(
            visit.request,
            template,
            {
                "view": view,
                "organization": visit.organization,
                "organizations": visit.organizations,
                "to": visit.to,
                "section": section,
                "title": title,
                "crumbs": crumbs,
            },
            status=status,
        )

    def bare(self, request: Request, template: str, facts: Mapping[str, object], *, status: int = 200) -> Response:
        """
        Return a page that belongs to no organization.
        """
        text = self._templates.get_template(template).render({**self._about(request), **facts})
        return HTMLResponse(text, status_code=status)

    def failed(self, request: Request, status: int, title: str, reason: str) -> Response:
        """
        Return a page that says what went wrong and where to go on.
        """
        response = self.bare(request, "failed.html", {"title": title, "reason": reason}, status=status)
        if status == 503:
            response.headers["retry-after"] = RETRY_SECONDS
        return response

    @staticmethod
    def _about(request: Request) -> Mapping[str, object]:
        theme = request.cookies.get(THEME_COOKIE)
        query = request.url.query
        known = hasattr(request.state, "credential")
        return {
            "caller": caller_of(request) if known else None,
            "csrf_token": csrf_of(request) if known else "",
            "theme": theme if theme in THEMES else None,
            "here": f"{request.url.path}{f'?{query}' if query else ''}",
            "searched": "",
        }


Handler = Callable[[Request], Awaitable[Response]]


def of_one_moment(handler: Handler) -> Handler:
    """
    Return a handler whose reads all see one moment; for one that does nothing but read the view.
    """

    async def handle(request: Request) -> Response:
        async with reader_of(request).moment():
            return await handler(request)

    return handle


def page(site: Site, handler: Handler) -> Handler:
    """
    Return a handler whose errors are pages, for people.
    """

    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except InputError as error:
            return site.failed(request, 400, "That cannot be asked", str(error))
        except ForbiddenError as error:
            return site.failed(request, 403, "Your role does not allow that", str(error))
        except UnavailableError as error:
            return site.failed(request, 503, "No answer just now", str(error))
        except HTTPException as error:
            title = "There is no such page" if error.status_code == 404 else "That did not work"
            return site.failed(request, error.status_code, title, error.detail)

    return handle


@lru_cache(maxsize=1)
def _templates() -> Environment:
    # templates are compiled once in a process, however many applications it builds
    templates = Environment(
        loader=PackageLoader("rooftree.api"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(
        time=format_time,
        date=phrases.date,
        clock=phrases.clock,
        some=phrases.some,
        coded=phrases.coded,
        breakable=phrases.breakable,
    )
    templates.globals.update(
        icon=icon,
        bar=charts.bar,
        patterns=charts.PATTERNS,
        sections=SECTIONS,
        words=wording,
        phrases=phrases,
        version=asset_version(),
    )
    return templates
