"""
Who can: the accounts whose maximum permissions let one request through.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from rooftree.api.backing import JobPool
from rooftree.api.callers import caller_of
from rooftree.api.pages import phrases
from rooftree.api.pages.check import FIELDS, Asked, read_question
from rooftree.api.pages.site import Crumb, Site, Visit
from rooftree.api.query import Query
from rooftree.errors import InputError
from rooftree.inquiry.jobs import WhoCan

__all__ = ["WhoCanPage"]

ACCOUNTS_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Admitted:
    """
    An account to which the request is open.
    """

    name: str
    account_id: str
    address: str
    check: str


@dataclass(frozen=True, slots=True)
class Admission:
    """
    The answer.
    """

    count: int
    asked: int
    accounts: Sequence[Admitted]
    more: int
    unplaced: int


@dataclass(frozen=True, slots=True)
class WhoCanView:
    """
    What the page shows.

    Attributes:
        labels: What the form calls its fields.
        problem: What is wrong with the question; None where nothing is.
    """

    labels: Mapping[str, str]
    asked: Asked
    admission: Admission | None
    problem: str | None


class WhoCanPage:
    """
    The page.
    """

    def __init__(self, site: Site, jobs: JobPool) -> None:
        self._site = site
        self._jobs = jobs

    async def show(self, request: Request) -> Response:
        """
        Show the form, and the accounts if something is asked.
        """
        visit = await self._site.visit(request)
        named = [name for name in FIELDS if name != "account"]
        query = Query(request, *named)
        asked = Asked("", *(query.text(name) or "" for name in named))
        admission, problem = None, None
        if asked.action:
            try:
                admission = await self._admission(visit, asked)
            except InputError as error:
                problem = phrases.problem(error, FIELDS)
        view = WhoCanView(FIELDS, asked, admission, problem)
        crumbs = [Crumb("Check", visit.to.page("check")), Crumb("Who can", visit.to.page("who-can"))]
        return self._site.show(
            visit, "who_can.html", view, section="check", title="Who can", crumbs=crumbs, status=400 if problem else 200
        )

    async def _admission(self, visit: Visit, asked: Asked) -> Admission:
        question, at = read_question(asked)
        job = WhoCan(visit.organization_id, question, at, most=ACCOUNTS_SHOWN)
        told = json.loads(await self._jobs.run(job, caller_of(visit.request).organizations))
        parameters = {"action": asked.action, "resource": asked.resource, "context": asked.context, "at": asked.at}
        return Admission(
            count=told["admitted"],
            asked=told["count"],
            accounts=[
                Admitted(
                    name=str(one["account_name"]),
                    account_id=str(one["account_id"]),
                    address=visit.to.account(str(one["account_id"]), at=at),
                    check=visit.to.page("check", account=str(one["account_id"]), **parameters),
                )
                for one in told["accounts"]
            ],
            more=told["admitted"] - len(told["accounts"]),
            unplaced=len(told["unplaced"]),
        )
