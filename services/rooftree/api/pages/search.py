"""
Search by name or id: accounts, organizational units, policies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from rooftree.api.pages.site import Crumb, Site
from rooftree.api.query import Query
from rooftree.inquiry import wording
from rooftree.organization.identifiers import is_account
from rooftree.reading.outline import AccountRow

__all__ = ["SearchPage"]

ACCOUNTS_SHOWN: Final = 50
NAMES_SHOWN: Final = 30
LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Named:
    """
    A unit or a policy that was found.
    """

    subject: str
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class FoundAccount:
    """
    An account that was found, and where it stands.
    """

    row: AccountRow
    address: str
    place: str


@dataclass(frozen=True, slots=True)
class SearchView:
    """
    What was found.
    """

    wanted: str
    accounts: Sequence[FoundAccount]
    more_accounts: bool
    units: Sequence[Named]
    policies: Sequence[Named]


class SearchPage:
    """
    The page.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, request: Request) -> Response:
        """
        Show what goes by a text; the whole id of something leads straight to it.
        """
        visit = await self._site.visit(request)
        wanted = (Query(request, "q").text("q") or "").strip()[:LONGEST]
        names = await visit.reader.names(visit.organization_id)
        if wanted in names:
            found = visit.to.policy(wanted) if wanted.startswith("p-") else visit.to.node(wanted)
            return RedirectResponse(found, status_code=303)
        rows: list[AccountRow] = []
        if wanted:
            rows = await visit.reader.find_accounts(visit.organization_id, wanted, limit=ACCOUNTS_SHOWN + 1)
        if is_account(wanted) and [row.account_id for row in rows] == [wanted]:
            return RedirectResponse(visit.to.account(wanted), status_code=303)
        named = sorted(
            (name, subject)
            for subject, name in names.items()
            if wanted and (wanted.casefold() in name.casefold() or wanted in subject)
        )
        view = SearchView(
            wanted=wanted,
            accounts=[
                FoundAccount(
                    row,
                    visit.to.account(row.account_id),
                    wording.place_words(row.path, names),
                )
                for row in rows[:ACCOUNTS_SHOWN]
            ],
            more_accounts=len(rows) > ACCOUNTS_SHOWN,
            units=[Named(one, name, visit.to.node(one)) for name, one in named if one.startswith("ou-")][:NAMES_SHOWN],
            policies=[Named(one, name, visit.to.policy(one)) for name, one in named if one.startswith("p-")][
                :NAMES_SHOWN
            ],
        )
        crumbs = [Crumb("Search", visit.to.page("search", q=wanted))]
        return self._site.show(visit, "search.html", view, section="search", title="Search", crumbs=crumbs)
