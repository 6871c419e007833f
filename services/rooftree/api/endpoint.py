"""
An endpoint of the API, described once: routing, reading of the request and the OpenAPI description follow from it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Generic, TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema
from starlette.requests import Request
from starlette.responses import Response

from rooftree.access.caller import Caller, Role
from rooftree.api.backing import BackingServices
from rooftree.api.query import DEFAULT_LIMIT, MAX_LIMIT
from rooftree.contracts.fields import AccountId, OrganizationId
from rooftree.errors import InputError
from rooftree.organization.timestamps import parse_time
from rooftree.reading.reader import OrganizationRecord, Reader

__all__ = [
    "JSON",
    "NDJSON",
    "AccountQuery",
    "Asked",
    "Endpoint",
    "Flag",
    "ListQuery",
    "Moment",
    "NoParameters",
    "OrganizationQuery",
    "PageQuery",
    "Parameters",
    "Part",
]

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"


class Parameters(BaseModel):
    """
    The parameters of a request, those in its path included: exactly these, each once.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)


class NoParameters(Parameters):
    """
    None at all.
    """


def _whole_number(value: object) -> object:
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) < 19):
        raise ValueError("expected a whole number")
    return int(value) if isinstance(value, str) else value


def _truth(value: object) -> object:
    if isinstance(value, str):
        if value not in {"true", "false"}:
            raise ValueError("expected `true` or `false`")
        return value == "true"
    return value


def _moment(value: object) -> object:
    # A plus sign in a query means a blank; nobody writes a blank in a time.
    try:
        return parse_time(str(value).replace(" ", "+"))
    except InputError as error:
        raise ValueError(error.reason) from error


Part = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]
"""A part of a name: the store holds every character but NUL."""

WHOLE_NUMBER: Final = BeforeValidator(_whole_number)
"""Stands behind the bounds of a number: where it stands before them, the schema does not tell them."""

Flag = Annotated[bool, BeforeValidator(_truth)]
Moment = Annotated[Any, PlainValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
"""A ``datetime`` in UTC."""


class OrganizationQuery(Parameters):
    """
    Which organization is meant.
    """

    organization_id: OrganizationId | None = Field(
        None, description="May be left out where there is only one, or where an account is named."
    )


class AccountQuery(OrganizationQuery):
    """
    Which account is meant.
    """

    account_id: AccountId


class ListQuery(Parameters):
    """
    Which part of a list.
    """

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Entries of a page at most."), WHOLE_NUMBER] = (
        DEFAULT_LIMIT
    )
    cursor: Annotated[str, Field(min_length=1, max_length=1024, description="`next` of the page before.")] | None = None


class PageQuery(ListQuery, OrganizationQuery):
    """
    Which part of a list of an organization.
    """


P_co = TypeVar("P_co", bound=Parameters, covariant=True)
B_co = TypeVar("B_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Asked(Generic[P_co, B_co]):
    """
    A request as its endpoint sees it, after it was read and the caller may ask it.

    Attributes:
        reader: The view as far as the caller may see it.
        organization: The one that the request is about; None where an endpoint is about none.
        accepts: Which of the endpoint's media types the answer is to have.
    """

    request: Request
    parameters: P_co
    body: B_co
    caller: Caller
    reader: Reader
    backing: BackingServices
    organization: OrganizationRecord | None
    accepts: str

    @property
    def organization_id(self) -> str:
        """
        The id of the organization that the request is about.
        """
        assert self.organization is not None, "an endpoint with an organization among its parameters"
        return self.organization.organization_id

    def note(self, detail: str) -> None:
        """
        Have the access log say what was written, where the path does not tell.
        """
        self.request.state.detail = detail


Handler: TypeAlias = Callable[[Any], Awaitable[BaseModel | Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One method of one path below ``/api/v1``.

    Attributes:
        handle: What answers: a model, which becomes JSON, or a response of its own.
        parameters: Of the path and the query.
        body: The model of the JSON that it takes.
        answer: The model of the JSON that it gives.
        others: Other media types that it can answer in, with what they are.
        role: The least role that may ask.
        everywhere: Whether it takes a caller who may see every organization.
        status: Of the answer.
        revalidates: Whether the answer changes only when the view of the organization does, so that an ETag spares it.
        question: Whether it is a POST that changes nothing: it takes a body, and is no write in the access log.
        problems: Statuses of errors beyond those that every endpoint has.
    """

    method: str
    path: str
    name: str
    summary: str
    handle: Handler
    answer: type[BaseModel] | None = None
    parameters: type[Parameters] = NoParameters
    body: type[BaseModel] | None = None
    others: Mapping[str, str] = field(default_factory=dict)
    role: Role = Role.VIEWER
    everywhere: bool = False
    status: int = 200
    revalidates: bool = False
    question: bool = False
    problems: frozenset[int] = frozenset()

    @property
    def media(self) -> tuple[str, ...]:
        """
        The media types of its answers, the usual one first.
        """
        return (*((JSON,) if self.answer is not None else ()), *self.others)

    @property
    def about_organization(self) -> bool:
        """
        Whether it is about one organization, so that there may be none of that name.
        """
        return issubclass(self.parameters, OrganizationQuery)

    @property
    def statuses(self) -> tuple[int, ...]:
        """
        The statuses of all errors that it can answer with.
        """
        found = {400, 401, 403, 406, 413, 414, 429, 500, 503, *self.problems}
        if self.about_organization:
            found.add(404)
        if self.body is not None:
            found |= {408, 415}
        return tuple(sorted(found))
