"""
The page for people: accounts, and what became of their permissions, in plain words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from jinja2 import Environment, PackageLoader, select_autoescape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from rooftree.api.callers import caller_of, csrf_of, reader_of
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


class Dashboard:
    """
    The pages.
    """

    def __init__(self) -> None:
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
        reader = reader_of(request)
        known = await reader.organizations()
        if not known:
            return self.render(request, "empty.html", {})
        chosen = query.text("organization_id") or known[0].organization_id
        organization = await choose_organization(reader, chosen)
        accounts = await reader.accounts(
            organization.organization_id, after=query.text("after") or "", limit=ACCOUNTS_SHOWN + 1
        )
        names = await reader.names(organization.organization_id)
        probes = await reader.probes(organization.organization_id)
        return self.render(
            request,
            "home.html",
            {
                "probes": len(probes),
                "unexpected": [state for state in probes if state.as_expected is not True],
                "organization": organization,
                "organizations": known,
                "names": names,
                "count": await reader.count_accounts(organization.organization_id),
                "groups": await self._latest(reader, organization.organization_id),
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
        reader = reader_of(request)
        account_id = str(request.path_params["account_id"])
        if not is_account(account_id):
            raise InputError("expected 12 digits", place="account_id")
        organization = await choose_organization(reader, query.text("organization_id"), account_id=account_id)
        account = await reader.account(organization.organization_id, account_id)
        if account is None:
            raise HTTPException(404, f"no account `{account_id}`")
        permissions: Mapping[str, object] | None = None
        if account.permissions_id is not None:
            permissions = await reader.permissions(organization.organization_id, account.permissions_id)
        names = await reader.names(organization.organization_id)
        return self.render(
            request,
            "account.html",
            {
                "organization": organization,
                "account": account,
                "names": names,
                "permissions": permissions,
                "place": lambda one: _place(one, names),
                "history": await reader.history(organization.organization_id, account_id, limit=ROWS_SHOWN),
                "groups": list(
                    group_revisions(
                        await reader.audit(organization.organization_id, account_id=account_id, limit=ROWS_SHOWN)
                    )
                ),
            },
        )

    async def _latest(self, reader: Reader, organization_id: str) -> list[RevisionGroup]:
        """
        Return the latest revisions, each with some of its events: one may have as many as there are accounts.
        """
        groups: list[RevisionGroup] = []
        before: tuple[int, int] | None = None
        while len(groups) < REVISIONS_SHOWN:
            events = await reader.audit(organization_id, before=before, limit=PARTS_SHOWN)
            if not events:
                break
            groups.append(next(group_revisions(events)))
            before = (groups[-1].revision, 1)
        return groups

    def render(self, request: Request, template: str, facts: Mapping[str, object], *, status: int = 200) -> Response:
        """
        Return a page.
        """
        return HTMLResponse(self._pages.get_template(template).render({**_about(request), **facts}), status_code=status)


def _about(request: Request) -> Mapping[str, object]:
    known = hasattr(request.state, "credential")
    return {"caller": caller_of(request) if known else None, "csrf_token": csrf_of(request) if known else ""}


def _place(account: AccountRecord, names: Mapping[str, str]) -> str:
    units = account.path[1:-1]
    return " / ".join(names.get(unit, unit) for unit in units) or "the root"
