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
from rooftree.api.query import Query, choose_organization
from rooftree.errors import InputError
from rooftree.inquiry import wording
from rooftree.inquiry.grouping import RevisionGroup, account_words, group_revisions
from rooftree.organization.identifiers import is_account
from rooftree.organization.timestamps import format_time
from rooftree.reading import AccountRecord, Reader

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

    def __init__(self, reader: Reader, access: Access) -> None:
        self._reader = reader
        self._access = access
        self._pages = Environment(
            loader=PackageLoader("rooftree.api"), autoescape=select_autoescape(default=True), trim_blocks=True
        )
        self._pages.filters["time"] = format_time
        self._pages.filters["named"] = account_words
        self._pages.globals["words"] = wording

    async def home(self, request: Request) -> Response:
        """
        Show an organization: whether its view is complete, recent audit events, accounts.
        """
        query = Query(request, "organization_id", "after")
        known = await self._reader.organizations()
        if not known:
            return self._render("empty.html", {})
        chosen = query.text("organization_id") or known[0].organization_id
        organization = await choose_organization(self._reader, chosen)
        accounts = await self._reader.accounts(
            organization.organization_id, after=query.text("after") or "", limit=ACCOUNTS_SHOWN + 1
        )
        names = await self._reader.names(organization.organization_id)
        probes = await self._reader.probes(organization.organization_id)
        return self._render(
            "home.html",
            {
                "probes": len(probes),
                "unexpected": [state for state in probes if state.as_expected is not True],
                "organization": organization,
                "organizations": known,
                "names": names,
                "count": await self._reader.count_accounts(organization.organization_id),
                "groups": await self._latest(organization.organization_id),
                "accounts": accounts[:ACCOUNTS_SHOWN],
                "more": accounts[ACCOUNTS_SHOWN - 1].account_id if len(accounts) > ACCOUNTS_SHOWN else None,
                "place": lambda account: _place(account, names),
            },
        )

    async def account(self, request: Request) -> Response:
        """
        Show one account: where it stands, what it may do at most, what happened to it.
        """
        query = Query(request, "organization_id")
        account_id = str(request.path_params["account_id"])
        if not is_account(account_id):
            raise InputError("expected 12 digits", place="account_id")
        organization = await choose_organization(self._reader, query.text("organization_id"), account_id=account_id)
        account = await self._reader.account(organization.organization_id, account_id)
        if account is None:
            raise HTTPException(404, f"no account `{account_id}`")
        permissions: Mapping[str, object] | None = None
        if account.permissions_id is not None:
            permissions = await self._reader.permissions(organization.organization_id, account.permissions_id)
        names = await self._reader.names(organization.organization_id)
        return self._render(
            "account.html",
            {
                "organization": organization,
                "account": account,
                "names": names,
                "permissions": permissions,
                "place": lambda one: _place(one, names),
                "history": await self._reader.history(organization.organization_id, account_id, limit=ROWS_SHOWN),
                "groups": list(
                    group_revisions(
                        await self._reader.audit(organization.organization_id, account_id=account_id, limit=ROWS_SHOWN)
                    )
                ),
            },
        )

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

    async def _latest(self, organization_id: str) -> list[RevisionGroup]:
        """
        Return the latest revisions, each with some of its events: one may have as many as there are accounts.
        """
        groups: list[RevisionGroup] = []
        before: tuple[int, int] | None = None
        while len(groups) < REVISIONS_SHOWN:
            events = await self._reader.audit(organization_id, before=before, limit=PARTS_SHOWN)
            if not events:
                break
            groups.append(next(group_revisions(events)))
            before = (groups[-1].revision, 1)
        return groups

    def _render(self, page: str, facts: Mapping[str, object], *, status: int = 200) -> Response:
        return HTMLResponse(self._pages.get_template(page).render(facts), status_code=status)


def _place(account: AccountRecord, names: Mapping[str, str]) -> str:
    units = account.path[1:-1]
    return " / ".join(names.get(unit, unit) for unit in units) or "the root"


async def _token_of(request: Request) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413, "the form is too large")
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=4)
    return (fields.get("token") or [""])[0].strip()
