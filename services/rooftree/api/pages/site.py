"""
What all pages share: the frame around them, the organization that they are about, and how errors look.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
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
from rooftree.api.problems import headers_of, reason_of, status_of
from rooftree.inquiry import wording
from rooftree.organization.timestamps import format_time
from rooftree.reading.reader import OrganizationRecord, Reader

__all__ = ["THEME_COOKIE", "Crumb", "Site", "Visit", "no_account", "of_one_moment", "page"]

THEME_COOKIE: Final = "rooftree_theme"
THEMES: Final = frozenset({"light", "dark"})

TITLES: Final = {
    400: "That cannot be asked",
    403: "That is not allowed",
    404: "There is no such page",
    429: "Too many requests",
    500: "Something is broken here",
    503: "No answer just now",
}

SECTIONS: Final = (
    ("organization", "Organization", "", "organization", "o", Role.VIEWER),
    ("audit", "Audit", "audit", "audit", "a", Role.VIEWER),
    ("what-if", "What-if", "what-if", "suppose", "w", Role.VIEWER),
    ("check", "Check", "check", "check", "c", Role.VIEWER),
    ("policies", "Policies", "policies", "policy", "p", Role.VIEWER),
    ("operations", "Operations", "operations", "operations", "s", Role.AUDITOR),
)
"""The navigation: name, words, page, icon, the key that follows ``g``, and the least role that may see the page."""


class NotThereError(HTTPException):
    """
    What a page is about is not there, or was not at the time that is looked at.

    Attributes:
        title: The same in a few words.
    """

    def __init__(self, title: str, reason: str) -> None:
        super().__init__(404, reason)
        self.title = title


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

    def failed(
        self,
        request: Request,
        status: int,
        reason: str,
        *,
        title: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """
        Return a page that says what went wrong and where to go on.

        Args:
            request: What was asked.
            status: The HTTP status.
            reason: What went wrong.
            title: The same in a few words, where the status says too little.
            headers: Header fields beside those of every page.
        """
        facts = {"title": title or TITLES.get(status, "That did not work"), "reason": reason}
        response = self.bare(request, "failed.html", facts, status=status)
        response.headers.update(headers or {})
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


def no_account(visit: Visit, account_id: str, at: datetime | None) -> NotThereError:
    """
    Return the error of a page about an account that is not there, or was not *at* a time.
    """
    about = f"no account `{account_id}` in `{visit.organization_id}`"
    if at is None:
        return NotThereError("There is no such account", about)
    return NotThereError("The account was not there at that time", f"{about} at {phrases.clock(at)} UTC")


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
        except Exception as error:  # noqa: BLE001 - what is not known is a defect, which is logged with its traceback
            title = error.title if isinstance(error, NotThereError) else None
            reason = reason_of(request, error)
            return site.failed(request, status_of(error), reason, title=title, headers=headers_of(error))

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
