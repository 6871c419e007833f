"""
The view as JSON: organizations, accounts, their permissions and history, audit events.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rooftree.api.callers import reader_of
from rooftree.api.query import Query, choose_organization, encode_cursor
from rooftree.errors import InputError
from rooftree.inquiry.documents import account_document, audit_document, organization_document, probe_document
from rooftree.organization.identifiers import is_account
from rooftree.organization.timestamps import format_time, parse_time
from rooftree.reading import AccountRecord, OrganizationRecord

__all__ = ["Resources"]

Page = tuple[Sequence[object], str | None]


class Resources:
    """
    The endpoints under ``/api/v1``.
    """

    async def organizations(self, request: Request) -> Response:
        """
        List the organizations.
        """
        Query(request)
        return _page([organization_document(record) for record in await reader_of(request).organizations()], None)

    async def accounts(self, request: Request) -> Response:
        """
        List the accounts of an organization, by id.
        """
        query = Query(request, "organization_id", "at", "limit", "cursor")
        organization = await choose_organization(reader_of(request), query.text("organization_id"))
        limit = query.limit()
        [after] = query.cursor(1) or [""]
        found = await reader_of(request).accounts(
            organization.organization_id, after=after, limit=limit + 1, at=query.time("at")
        )
        more = encode_cursor([found[limit - 1].account_id]) if len(found) > limit else None
        return _page([account_document(record) for record in found[:limit]], more)

    async def account(self, request: Request) -> Response:
        """
        Return one account.
        """
        query = Query(request, "organization_id", "at")
        _, account = await self._account(request, query)
        return JSONResponse(account_document(account))

    async def permissions(self, request: Request) -> Response:
        """
        Return the maximum permissions of one account.
        """
        query = Query(request, "organization_id", "at")
        organization, account = await self._account(request, query)
        found = None
        if account.permissions_id is not None:
            found = await reader_of(request).permissions(organization.organization_id, account.permissions_id)
        return JSONResponse({**account_document(account), "permissions": found})

    async def history(self, request: Request) -> Response:
        """
        List what one account was, the latest first.
        """
        query = Query(request, "organization_id", "limit", "cursor")
        limit, account_id = query.limit(), _account_id(request)
        organization = await choose_organization(
            reader_of(request), query.text("organization_id"), account_id=account_id
        )
        cursor = query.cursor(1)
        found = await reader_of(request).history(
            organization.organization_id,
            account_id,
            before=parse_time(cursor[0]) if cursor else None,
            limit=limit + 1,
        )
        if not found and cursor is None:
            raise HTTPException(404, f"no account `{account_id}`")
        more = encode_cursor([format_time(found[limit - 1].since)]) if len(found) > limit else None
        return _page([account_document(record) for record in found[:limit]], more)

    async def audit(self, request: Request) -> Response:
        """
        List audit events, the latest first.
        """
        query = Query(request, "organization_id", "account_id", "limit", "cursor")
        limit, account_id = query.limit(), query.account_id()
        organization = await choose_organization(
            reader_of(request), query.text("organization_id"), account_id=account_id
        )
        found = await reader_of(request).audit(
            organization.organization_id,
            account_id=account_id,
            before=_position(query.cursor(2)),
            limit=limit + 1,
        )
        more = encode_cursor([str(part) for part in found[limit - 1].position]) if len(found) > limit else None
        return _page([audit_document(record) for record in found[:limit]], more)

    async def probes(self, request: Request) -> Response:
        """
        List the probes of an organization, by name.
        """
        query = Query(request, "organization_id")
        organization = await choose_organization(reader_of(request), query.text("organization_id"))
        found = await reader_of(request).probes(organization.organization_id)
        return _page([probe_document(organization.organization_id, state) for state in found], None)

    async def _account(self, request: Request, query: Query) -> tuple[OrganizationRecord, AccountRecord]:
        account_id, at = _account_id(request), query.time("at")
        organization = await choose_organization(
            reader_of(request), query.text("organization_id"), account_id=account_id
        )
        account = await reader_of(request).account(organization.organization_id, account_id, at=at)
        if account is None:
            when = f" at {format_time(at)}" if at else ""
            raise HTTPException(404, f"no account `{account_id}` in `{organization.organization_id}`{when}")
        return organization, account


def _page(items: Sequence[object], following: str | None) -> Response:
    return JSONResponse({"items": list(items), "next": following})


def _account_id(request: Request) -> str:
    value = str(request.path_params["account_id"])
    if not is_account(value):
        raise InputError("expected 12 digits", place="account_id")
    return value


def _position(cursor: Sequence[str] | None) -> tuple[int, int] | None:
    if cursor is None:
        return None
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in cursor):
        raise InputError("not a cursor of this list", place="cursor")
    return (int(cursor[0]), int(cursor[1]))
