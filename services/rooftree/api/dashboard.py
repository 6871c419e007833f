"""
The page for people: accounts, and what became of their permissions, in plain words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs

from jinja2 import Environment, PackageLoader, select_autoescape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from rooftree.api.access import Access
from rooftree.inquiry import wording
from rooftree.inquiry.grouping import account_words
from rooftree.organization.timestamps import format_time

__all__ = ["Dashboard"]

ACCOUNTS_SHOWN: Final = 200
REVISIONS_SHOWN: Final = 12
PARTS_SHOWN: Final = 50
ROWS_SHOWN: Final = 30
MAX_FORM_BYTES: Final = 4096


class Dashboard:
    """
    The pages.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._pages = Environment(
            loader=PackageLoader("rooftree.api"), autoescape=select_autoescape(default=True), trim_blocks=True
        )
        self._pages.filters["time"] = format_time
        self._pages.filters["named"] = account_words
        self._pages.globals["words"] = wording

    async def login(self, request: Request) -> Response:
        """
        Take the code of the first visit or the token, or ask for the token.
        """
        secure = request.url.scheme == "https"
        if request.method == "GET":
            code = request.query_params.get("code")
            if code is not None and self._access.redeem(code):
                return self._access.admit(RedirectResponse("/", status_code=303), secure=secure)
            return self._render("login.html", {"refused": code is not None})
        if self._access.knows(await _token_of(request)):
            return self._access.admit(RedirectResponse("/", status_code=303), secure=secure)
        return self._render("login.html", {"refused": True}, status=403)

    def _render(self, page: str, facts: Mapping[str, object], *, status: int = 200) -> Response:
        return HTMLResponse(self._pages.get_template(page).render(facts), status_code=status)


async def _token_of(request: Request) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413, "the form is too large")
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=4)
    return (fields.get("token") or [""])[0].strip()
