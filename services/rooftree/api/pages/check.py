"""
Check: whether an account may do something at most, with the path of the decision level by level.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from rooftree.api.pages import phrases
from rooftree.api.pages.addresses import Addresses
from rooftree.api.pages.site import Crumb, Site, Visit, no_account
from rooftree.api.pages.values import text_of
from rooftree.api.query import Query, read_form_time
from rooftree.errors import InputError
from rooftree.inquiry.deciding import check
from rooftree.inquiry.question import Answer, Question
from rooftree.inquiry.sources import LiveSource
from rooftree.inquiry.standing import Standing
from rooftree.organization.identifiers import is_account
from rooftree.policy.chain import Chain, Level
from rooftree.policy.evaluate import DecidedBy

__all__ = ["FIELDS", "Asked", "CheckPage", "Stop", "path_of", "read_context", "read_question"]

CANDIDATES: Final = 8
FIELDS: Final = {
    "account": "Account",
    "action": "Action",
    "resource": "Resource",
    "context": "Context",
    "at": "At (UTC)",
}
"""Each as the form calls it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """
    The form as it was filled in.
    """

    account: str
    action: str
    resource: str
    context: str
    at: str


@dataclass(frozen=True, slots=True)
class Told:
    """
    A statement that decides.
    """

    policy: str
    address: str
    label: str


@dataclass(frozen=True, slots=True)
class Stop:
    """
    One level on the way of a request.

    Attributes:
        outcome: ``pass``, ``fail``, or empty where the request does not come to it any more.
        words: What happens there.
        statements: The statements that decide there.
    """

    name: str
    address: str
    icon: str
    outcome: str
    words: str
    statements: Sequence[Told]


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    The answer.

    Attributes:
        assumed: What AWS always sends and the question left open.
    """

    account: str
    account_address: str
    verdict: tuple[str, str]
    allowed: bool
    stops: Sequence[Stop]
    unlimited: bool
    assumed: Sequence[tuple[str, str]]
    complete: bool


@dataclass(frozen=True, slots=True)
class CheckView:
    """
    What the page shows.

    Attributes:
        labels: What the form calls its fields.
        problem: What is wrong with the question; None where nothing is.
        candidates: Accounts that the given text may mean.
    """

    labels: Mapping[str, str]
    asked: Asked
    outcome: Outcome | None
    problem: str | None
    candidates: Sequence[tuple[str, str, str]]


class CheckPage:
    """
    The page.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, request: Request) -> Response:
        """
        Show the form, and the answer if something is asked.
        """
        visit = await self._site.visit(request)
        query = Query(request, *FIELDS)
        asked = Asked(*(query.text(name) or "" for name in FIELDS))
        outcome, problem = None, None
        candidates: list[tuple[str, str, str]] = []
        if asked.account or asked.action:
            try:
                if asked.action:
                    read_question(asked)
                account_id, candidates = await _account_id(visit, asked)
                if account_id and asked.action:
                    outcome = await _outcome(visit, asked, account_id)
            except InputError as error:
                problem = phrases.problem(error, FIELDS)
        view = CheckView(FIELDS, asked, outcome, problem, candidates)
        crumbs = [Crumb("Check", visit.to.page("check"))]
        return self._site.show(
            visit, "check.html", view, section="check", title="Check", crumbs=crumbs, status=400 if problem else 200
        )


async def _account_id(visit: Visit, asked: Asked) -> tuple[str | None, list[tuple[str, str, str]]]:
    """
    Return the account that a text names; where that is not plain, those that it may name.
    """
    wanted = asked.account.strip()
    if not wanted:
        raise InputError("expected the id or the name of an account", place="account")
    if is_account(wanted):
        return wanted, []
    rows = await visit.reader.find_accounts(visit.organization_id, wanted, limit=CANDIDATES)
    exact = [row for row in rows if row.name == wanted]
    if len(exact) == 1 or len(rows) == 1:
        return (exact or rows)[0].account_id, []
    if not rows:
        raise InputError(f"no account goes by `{wanted}`", place="account")
    parameters = {"action": asked.action, "resource": asked.resource, "context": asked.context, "at": asked.at}
    return None, [
        (row.name, row.account_id, visit.to.page("check", account=row.account_id, **parameters)) for row in rows
    ]


async def _outcome(visit: Visit, asked: Asked, account_id: str) -> Outcome:
    question, at = read_question(asked)
    source = LiveSource(visit.reader, visit.organization_id)
    account = await source.account(account_id, at=at)
    if account is None:
        raise no_account(visit, account_id, at)
    answer = await check(source, account, question)
    ceilings = await source.ceilings([account])
    chain = ceilings.chain(account.placed_chain_id, account.account_id)
    decision = str(answer.decision.decision)
    return Outcome(
        account=account.name,
        account_address=visit.to.account(account_id, at=at),
        verdict=phrases.decision(decision),
        allowed=decision == "allow",
        stops=path_of(answer, chain, account, await source.names(), visit.to),
        unlimited=chain.levels is None,
        assumed=[(key, text_of(value)) for key, value in sorted(answer.assumed.items())],
        complete=account.complete,
    )


def path_of(answer: Answer, chain: Chain, account: Standing, names: Mapping[str, str], to: Addresses) -> list[Stop]:
    """
    Return the way of a request through the levels of a chain, from the root down.
    """
    decision = answer.decision
    denied = str(decision.decision) == "explicit_deny"
    told: defaultdict[str, list[DecidedBy]] = defaultdict(list)
    for entry in decision.decided_by:
        told[entry.target_id].append(entry)
    stops = []
    for depth, level in enumerate(chain.levels or ()):
        own = level.target_id == account.account_id
        here = told[level.target_id]
        missing = level.target_id in decision.missing_levels
        outcome, words = _outcome_of(level, here, denied=denied, missing=missing)
        stops.append(
            Stop(
                name=account.name if own else "Root" if depth == 0 else names.get(level.target_id, level.target_id),
                address=to.node(level.target_id),
                icon="account" if own else "root" if depth == 0 else "unit",
                outcome=outcome,
                words=words,
                statements=[
                    Told(entry.policy_name, to.policy(entry.policy_id), entry.statement.label) for entry in here
                ],
            )
        )
    return stops


def _outcome_of(level: Level, here: Sequence[DecidedBy], *, denied: bool, missing: bool) -> tuple[str, str]:
    if denied:
        return ("fail", "Denied by") if here else ("", "No statement here denies it")
    if missing:
        return "fail", "Nothing here allows it" if level.policies else "No policy hangs here, so nothing passes"
    return "pass", "Allowed by" if here else "Lets it through"


def read_question(asked: Asked) -> tuple[Question, datetime | None]:
    """
    Read what is asked.

    Raises:
        InputError: A part of it is wrong.
    """
    at = read_form_time(asked.at, "at") if asked.at else None
    return Question.of(asked.action.strip(), asked.resource.strip() or "*", read_context(asked.context), at), at


def read_context(text: str) -> dict[str, list[str]]:
    """
    Read condition keys, ``KEY=VALUE`` a line; a key that is given again has several values.

    Raises:
        InputError: A line is none.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        key, separator, value = line.strip().partition("=")
        if not (key and separator):
            raise InputError(f"expected `KEY=VALUE`, found `{line.strip()}`", place=f"context, line {number}")
        found[key.strip()].append(value.strip())
    return dict(found)
