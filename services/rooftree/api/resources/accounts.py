"""
Accounts: where they stand, what they may do at most, what they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Final

import orjson
from pydantic import Field
from starlette.exceptions import HTTPException

from rooftree.api.endpoint import AccountQuery, Asked, Endpoint, Moment, PageQuery, Part
from rooftree.api.query import decode_cursor, encode_cursor
from rooftree.contracts.fields import ParentId
from rooftree.contracts.resources.accounts import (
    Account,
    AccountChain,
    AccountPermissions,
    AccountSpan,
    ChainLevel,
    Principal,
    ServiceCount,
)
from rooftree.contracts.resources.envelopes import Page
from rooftree.errors import InputError
from rooftree.inquiry.documents import account_answer, account_document
from rooftree.inquiry.nodes import levels_document
from rooftree.inquiry.sources import LiveSource
from rooftree.inquiry.spans import find_span
from rooftree.organization.directory import Directory, Grants
from rooftree.organization.identifiers import is_account
from rooftree.organization.timestamps import format_time, parse_time
from rooftree.policy.chain import Level
from rooftree.reading.reader import AccountFilter, AccountRecord

__all__ = ["ENDPOINTS"]


class AccountsQuery(PageQuery):
    """
    Which accounts are meant.
    """

    search: Part | None = Field(None, description="A part of the name, in any case, or of the id.")
    under: ParentId | None = Field(None, description="Only accounts below this node, at whatever distance.")
    status: Annotated[str, Field(pattern="^[A-Z_]{1,64}$", description="Such as `ACTIVE`.")] | None = None
    at: Moment | None = Field(None, description="As it was at this time.")


class AccountAtQuery(AccountQuery):
    """
    Which account is meant, and when.
    """

    at: Moment | None = Field(None, description="As it was at this time.")


class AccountPageQuery(AccountQuery, PageQuery):
    """
    Which part of a list of an account.
    """


class SpanQuery(AccountQuery):
    """
    Which account is meant, and between which times.
    """

    from_: Moment = Field(alias="from", description="The first time.")
    to: Moment | None = Field(None, description="The second time; now unless given.")


async def list_accounts(asked: Asked[AccountsQuery, None]) -> Page[Account]:
    """
    List the accounts of an organization, by id.
    """
    query = asked.parameters
    after = _account_after(query.cursor) if query.cursor else ""
    found = await asked.reader.accounts(
        asked.organization_id,
        after=after,
        limit=query.limit + 1,
        at=query.at,
        wanted=AccountFilter(text=query.search, under=query.under, status=query.status),
    )
    more = encode_cursor([found[query.limit - 1].account_id]) if len(found) > query.limit else None
    return Page[Account](items=[account_answer(record) for record in found[: query.limit]], next=more)


async def show_account(asked: Asked[AccountAtQuery, None]) -> Account:
    """
    Return one account.
    """
    return account_answer(await _account(asked))


async def show_permissions(asked: Asked[AccountAtQuery, None]) -> AccountPermissions:
    """
    Return the maximum permissions of one account.
    """
    account = await _account(asked)
    found = None
    if account.permissions_id is not None:
        found = await asked.reader.permissions(asked.organization_id, account.permissions_id)
    told = None if found is None else _as_of(found, account.account_id)
    return AccountPermissions.model_validate({**account_document(account), "permissions": told})


async def list_services(asked: Asked[AccountAtQuery, None]) -> Page[ServiceCount]:
    """
    Count the known actions of each service by how they are decided for one account.
    """
    account = await _account(asked)
    counts = (
        await asked.reader.service_verdicts(asked.organization_id, account.permissions_id)
        if account.permissions_id is not None
        else []
    )
    items = [
        ServiceCount(service=count.service, allowed=count.allowed, conditional=count.conditional, denied=count.denied)
        for count in counts
    ]
    return Page[ServiceCount](items=items, next=None)


async def show_chain(asked: Asked[AccountAtQuery, None]) -> AccountChain:
    """
    Return what binds one account, level by level.
    """
    source = LiveSource(asked.reader, asked.organization_id)
    account = await source.account(asked.parameters.account_id, at=asked.parameters.at)
    if account is None:
        raise _missing(asked)
    ceilings = await source.ceilings([account])
    chain = ceilings.chain(account.chain_id, account.account_id) if account.chain_id else None
    return AccountChain(
        organization_id=account.organization_id,
        account_id=account.account_id,
        account_name=account.name,
        path=list(account.path),
        complete=account.complete,
        chain=_levels(chain.levels if chain else None),
        resource_chain=_levels(chain.resource_levels if chain else None),
    )


async def list_history(asked: Asked[AccountPageQuery, None]) -> Page[Account]:
    """
    List what one account was, the latest first.
    """
    query = asked.parameters
    before = _time_of(query.cursor) if query.cursor else None
    found = await asked.reader.history(asked.organization_id, query.account_id, before=before, limit=query.limit + 1)
    if not found and query.cursor is None:
        raise HTTPException(404, f"no account `{query.account_id}`")
    more = encode_cursor([format_time(found[query.limit - 1].since)]) if len(found) > query.limit else None
    return Page[Account](items=[account_answer(record) for record in found[: query.limit]], next=more)


async def show_span(asked: Asked[SpanQuery, None]) -> AccountSpan:
    """
    Return what one account was between two times, and which of its decisions differ between them.
    """
    query = asked.parameters
    if query.to is not None and query.to < query.from_:
        raise InputError("expected a time after that of `from`", place="to")
    source = LiveSource(asked.reader, asked.organization_id)
    span = await find_span(source, query.account_id, query.from_, query.to)
    if span is None:
        raise HTTPException(404, f"no account `{query.account_id}` between these times")
    return AccountSpan.model_construct(
        organization_id=span.organization_id,
        account_id=span.account_id,
        account_name=span.rows[0].name,
        from_=format_time(span.since),
        to=format_time(span.until) if span.until else None,
        compared=span.compared,
        verdict=span.difference.verdict if span.difference else None,
        changes=span.difference.changes if span.difference else [],
        rows=[account_answer(row) for row in span.rows],
    )


async def list_principals(asked: Asked[AccountQuery, None]) -> Page[Principal]:
    """
    List the users, groups and roles of one account.
    """
    account_id = asked.parameters.account_id
    facts = await asked.reader.principal_facts(asked.organization_id, [account_id])
    # an account that has left is one of the past, and has nobody in it any more
    if not facts and not await asked.reader.history(asked.organization_id, account_id, limit=1):
        raise HTTPException(404, f"no account `{account_id}` in `{asked.organization_id}`")
    grants = Directory(facts).grants(account_id)
    items = [_principal(each) for _, each in sorted(grants.items())]
    return Page[Principal](items=items, next=None)


async def _account(asked: Asked[AccountAtQuery, None]) -> AccountRecord:
    query = asked.parameters
    account = await asked.reader.account(asked.organization_id, query.account_id, at=query.at)
    if account is None:
        raise _missing(asked)
    return account


def _missing(asked: Asked[AccountAtQuery, None]) -> HTTPException:
    query = asked.parameters
    when = f" at {format_time(query.at)}" if query.at else ""
    return HTTPException(404, f"no account `{query.account_id}` in `{asked.organization_id}`{when}")


def _as_of(permissions: Mapping[str, object], account_id: str) -> object:
    """
    Return permissions that accounts share as those of one of them.
    """
    # Account ids are digits, so the text stays JSON.
    return orjson.loads(orjson.dumps(permissions).replace(b"{account}", account_id.encode()))


def _levels(levels: Iterable[Level] | None) -> list[ChainLevel] | None:
    documents = levels_document(levels)
    return None if documents is None else [ChainLevel.model_validate(level) for level in documents]


def _principal(grants: Grants) -> Principal:
    return Principal.model_validate(
        {
            "arn": grants.principal.arn,
            "kind": str(grants.principal.kind),
            "name": grants.principal.name,
            "policies": [{"name": one.name, "arn": one.arn, "group": one.group} for one in grants.policies],
            "permissions_boundary": grants.boundary.arn if grants.boundary is not None else None,
            "missing": list(grants.missing),
        }
    )


def _account_after(cursor: str) -> str:
    [account_id] = decode_cursor(cursor, 1)
    if not is_account(account_id):
        raise InputError("not a cursor of this list", place="cursor")
    return account_id


def _time_of(cursor: str) -> datetime:
    [text] = decode_cursor(cursor, 1)
    try:
        return parse_time(text)
    except InputError as error:
        raise InputError("not a cursor of this list", place="cursor") from error


ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/accounts",
        "listAccounts",
        "List the accounts by id",
        list_accounts,
        answer=Page[Account],
        parameters=AccountsQuery,
        revalidates=True,
    ),
    Endpoint(
        "GET",
        "/accounts/{account_id}",
        "showAccount",
        "Return an account, now or at a time",
        show_account,
        answer=Account,
        parameters=AccountAtQuery,
        revalidates=True,
    ),
    Endpoint(
        "GET",
        "/accounts/{account_id}/permissions",
        "showPermissions",
        "Return what an account may do at most",
        show_permissions,
        answer=AccountPermissions,
        parameters=AccountAtQuery,
        revalidates=True,
    ),
    Endpoint(
        "GET",
        "/accounts/{account_id}/services",
        "listServices",
        "Count the known actions of each service by how they are decided",
        list_services,
        answer=Page[ServiceCount],
        parameters=AccountAtQuery,
        revalidates=True,
    ),
    Endpoint(
        "GET",
        "/accounts/{account_id}/chain",
        "showChain",
        "Return the nodes from the root to an account, with the policies on each",
        show_chain,
        answer=AccountChain,
        parameters=AccountAtQuery,
        revalidates=True,
    ),
    Endpoint(
        "GET",
        "/accounts/{account_id}/history",
        "listHistory",
        "List what an account was, the latest first",
        list_history,
        answer=Page[Account],
        parameters=AccountPageQuery,
        revalidates=True,
    ),
    Endpoint(
        "GET",
        "/accounts/{account_id}/changes",
        "showSpan",
        "Return what an account was between two times, and which of its decisions differ between them",
        show_span,
        answer=AccountSpan,
        parameters=SpanQuery,
        revalidates=True,
    ),
    Endpoint(
        "GET",
        "/accounts/{account_id}/principals",
        "listPrincipals",
        "List the users, groups and roles of an account, with their policies",
        list_principals,
        answer=Page[Principal],
        parameters=AccountQuery,
        revalidates=True,
    ),
)
