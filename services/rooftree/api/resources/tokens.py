"""
Tokens and the access log: who may use the API, and who did.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.exceptions import HTTPException

from rooftree.access.caller import Organizations, Role
from rooftree.access.documents import entry_answer, issued_answer, token_answer
from rooftree.access.issuing import LIFETIME, NAME, issue, require_within
from rooftree.access.keeping import NameTakenError
from rooftree.api.endpoint import Asked, Endpoint, ListQuery, NoParameters, Parameters, Part
from rooftree.api.query import decode_number, encode_cursor
from rooftree.contracts.administration import AccessLogEntry, IssuedToken, RoleName, Token
from rooftree.contracts.fields import OrganizationId
from rooftree.contracts.resources.envelopes import Page

__all__ = ["ENDPOINTS"]


class TokenQuery(Parameters):
    """
    Which token is meant.
    """

    token_id: Part


class TokenBody(BaseModel):
    """
    A token that is wanted.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", strict=True, frozen=True)

    name: Annotated[str, StringConstraints(pattern=f"^{NAME}$")] = Field(description="What uses the token.")
    role: RoleName = Field("viewer", description="What it may do.")
    organizations: Annotated[list[OrganizationId], Field(min_length=1, max_length=1000)] | None = Field(
        None, description="What it may see; null or left out for all, which takes a caller who may see all."
    )
    expires: Annotated[str, StringConstraints(pattern=f"^({LIFETIME})$")] = Field(
        "90d", description="After so many days or hours, such as `90d` or `12h`; or `never`."
    )


async def list_tokens(asked: Asked[NoParameters, None]) -> Page[Token]:
    """
    List tokens.
    """
    found = await asked.backing.tokens.tokens(asked.caller.organizations)
    return Page[Token](items=[token_answer(token) for token in found], next=None)


async def create_token(asked: Asked[NoParameters, TokenBody]) -> IssuedToken:
    """
    Make a token.
    """
    body = asked.body
    organizations: Organizations = None if body.organizations is None else frozenset(body.organizations)
    require_within(asked.caller, organizations)
    token, kept = issue(
        body.name,
        role=Role(body.role),
        organizations=organizations,
        lifetime=body.expires,
        created_by=asked.caller.name,
    )
    try:
        await asked.backing.tokens.create_token(kept)
    except NameTakenError as error:
        raise HTTPException(409, error.reason) from None
    asked.note(f"{kept.name} ({kept.token_id}), {kept.role}")
    return issued_answer(token, kept)


async def revoke_token(asked: Asked[TokenQuery, None]) -> Token:
    """
    End a token.
    """
    token_id = asked.parameters.token_id
    revoked = await asked.backing.tokens.revoke_token(token_id, by_name=False, organizations=asked.caller.organizations)
    if revoked is None:
        raise HTTPException(404, f"no token `{token_id}` that is good")
    asked.note(f"{revoked.name} ({revoked.token_id})")
    return token_answer(revoked)


async def read_access_log(asked: Asked[ListQuery, None]) -> Page[AccessLogEntry]:
    """
    Return lines of the access log.
    """
    query = asked.parameters
    found = await asked.backing.tokens.entries(
        before=decode_number(query.cursor) if query.cursor else None,
        limit=query.limit + 1,
        organizations=asked.caller.organizations,
    )
    more = encode_cursor([str(found[query.limit - 1].entry_id)]) if len(found) > query.limit else None
    return Page[AccessLogEntry](items=[entry_answer(entry) for entry in found[: query.limit]], next=more)


ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/tokens",
        "listTokens",
        "List the tokens that see nothing but what the caller may see, the latest first, those that are over included",
        list_tokens,
        answer=Page[Token],
        role=Role.ADMIN,
    ),
    Endpoint(
        "POST",
        "/tokens",
        "createToken",
        "Make a token; it is shown this once",
        create_token,
        answer=IssuedToken,
        body=TokenBody,
        role=Role.ADMIN,
        status=201,
        problems=frozenset({409}),
    ),
    Endpoint(
        "DELETE",
        "/tokens/{token_id}",
        "revokeToken",
        "End a token and the sessions that it opened, from the next request on",
        revoke_token,
        answer=Token,
        parameters=TokenQuery,
        role=Role.ADMIN,
        problems=frozenset({404}),
    ),
    Endpoint(
        "GET",
        "/access-log",
        "readAccessLog",
        "Return sign-ins, writes and refusals of those who see nothing but what the caller may see, the latest first",
        read_access_log,
        answer=Page[AccessLogEntry],
        parameters=ListQuery,
        role=Role.ADMIN,
    ),
)
