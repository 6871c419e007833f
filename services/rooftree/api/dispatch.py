"""
From endpoints to routes: a request is read strictly, the caller is held to the role, the answer gets its headers.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, compile_path

from rooftree import __version__
from rooftree.api.backing import BackingServices
from rooftree.api.callers import caller_of, reader_of
from rooftree.api.endpoint import JSON, Asked, Endpoint, OrganizationQuery, Parameters
from rooftree.api.query import choose_organization
from rooftree.contracts.complaints import first_complaint
from rooftree.contracts.resources.envelopes import Page
from rooftree.errors import InputError
from rooftree.policy.strict_json import load_json
from rooftree.reading.reader import OrganizationRecord

__all__ = ["MAX_BODY_BYTES", "questions_among", "routes_of"]

PREFIX: Final = "/api/v1"
MAX_BODY_BYTES: Final = 1024 * 1024
"""Room for a hundred policies, each as long as AWS takes them."""

REVALIDATED: Final = "private, no-cache"


def routes_of(endpoints: Iterable[Endpoint], backing: BackingServices) -> list[Route]:
    """
    Return one route for each path, which knows every method of it.
    """
    paths: defaultdict[str, dict[str, Endpoint]] = defaultdict(dict)
    for endpoint in endpoints:
        paths[endpoint.path][endpoint.method] = endpoint
    # What is spelled out goes before what a parameter may stand for.
    ordered = sorted(paths.items(), key=lambda entry: [part.startswith("{") for part in entry[0].split("/")])
    return [Route(f"{PREFIX}{path}", _Resource(methods, backing), include_in_schema=False) for path, methods in ordered]


def questions_among(endpoints: Iterable[Endpoint], pages: Iterable[str] = ()) -> Callable[[str, str], bool]:
    """
    Return what tells by method and path, as routing sees it, whether a request changes nothing though it is a POST.

    Args:
        endpoints: Those of the API.
        pages: Paths of pages at which a POST only asks.
    """
    asked = [(endpoint.method, f"{PREFIX}{endpoint.path}") for endpoint in endpoints if endpoint.question]
    known = [(method, compile_path(path)[0]) for method, path in (*asked, *(("POST", path) for path in pages))]

    def asks(method: str, path: str) -> bool:
        return any(method == known_method and pattern.match(path) for known_method, pattern in known)

    return asks


class _Resource:
    """
    The methods of one path. A class, since a function as endpoint would have its methods checked by the framework,
    whose answer names no others that are allowed.

    Attributes:
        methods: What answers each of them.
    """

    def __init__(self, methods: Mapping[str, Endpoint], backing: BackingServices) -> None:
        self.methods = methods
        self._backing = backing

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        request = Request(scope, receive)  # type: ignore[arg-type]
        response = await self._answer(request)
        await response(scope, receive, send)  # type: ignore[arg-type]

    async def _answer(self, request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        endpoint = self.methods.get(method)
        if endpoint is None:
            allowed = [*self.methods, *(["HEAD"] if "GET" in self.methods else [])]
            raise HTTPException(
                405, f"`{request.method}` is not for this path", headers={"Allow": ", ".join(sorted(allowed))}
            )
        return await _handle(endpoint, request, self._backing)


async def _handle(endpoint: Endpoint, request: Request, backing: BackingServices) -> Response:
    caller, reader = caller_of(request), reader_of(request)
    accepts = _accepted(endpoint, request.headers.get("accept"))
    parameters = _parameters(endpoint, request)
    caller.require(endpoint.role, everywhere=endpoint.everywhere)
    organization = None
    if isinstance(parameters, OrganizationQuery):
        account_id = getattr(parameters, "account_id", None)
        organization = await choose_organization(reader, parameters.organization_id, account_id=account_id)
    tag = _tag(endpoint, request, organization, accepts)
    if tag is not None and tag in _known_tags(request):
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": REVALIDATED})
    body = await _body(endpoint, request)
    answer = await endpoint.handle(Asked(request, parameters, body, caller, reader, backing, organization, accepts))
    response = answer if isinstance(answer, Response) else _json(answer, endpoint.status)
    if isinstance(answer, Page) and answer.next is not None:
        following = request.url.include_query_params(cursor=answer.next)
        response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    if tag is not None:
        response.headers["ETag"] = tag
        response.headers["Cache-Control"] = REVALIDATED
    return response


def _json(answer: BaseModel, status: int) -> Response:
    # Audit events are stored as they went out, and are not read into their models again.
    content = answer.__pydantic_serializer__.to_json(answer, by_alias=True, warnings=False)
    return Response(content, status_code=status, media_type=JSON)


def _parameters(endpoint: Endpoint, request: Request) -> Parameters:
    """
    Read the parameters of the path and the query.

    Raises:
        InputError: One is not known, is given twice, or is not what it should be.
    """
    given: dict[str, object] = {}
    names = [field.alias or name for name, field in endpoint.parameters.model_fields.items()]
    for name, value in request.query_params.multi_items():
        if name in given:
            raise InputError("given more than once", place=name)
        if name in request.path_params or name not in names:
            known = [known for known in names if known not in request.path_params]
            told = f"known are {', '.join(f'`{one}`' for one in known)}" if known else "there are none"
            raise InputError(f"unknown parameter; {told}", place=name)
        given[name] = value
    try:
        return endpoint.parameters.model_validate({**given, **request.path_params})
    except ValidationError as error:
        raise first_complaint(error) from None


async def _body(endpoint: Endpoint, request: Request) -> BaseModel | None:
    """
    Read the body.

    Raises:
        HTTPException: It is too large, or not of the type that is taken.
        InputError: It is not what it should be.
    """
    if endpoint.body is None:
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise HTTPException(415, f"expected `{JSON}`, found `{kind}`", headers={"Accept": JSON})
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            raise HTTPException(413, f"the body has more than {MAX_BODY_BYTES} bytes")
    document = load_json(bytes(content))
    try:
        return endpoint.body.model_validate(document)
    except ValidationError as error:
        raise first_complaint(error) from None


def _accepted(endpoint: Endpoint, header: str | None) -> str:
    """
    Return the media type of the answer that a client likes best.

    https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1

    Raises:
        HTTPException: It takes none of those that there are.
    """
    if not header or not header.strip():
        return endpoint.media[0]
    best, liked = "", 0.0
    for media in endpoint.media:
        quality = _quality(media, header)
        if quality > liked:
            best, liked = media, quality
    if not best:
        raise HTTPException(406, f"there is {', '.join(f'`{media}`' for media in endpoint.media)}, and no other")
    return best


def _quality(media: str, header: str) -> float:
    """
    Return how much a client likes a media type: by the range in its header that says most about it.
    """
    found, closest = 0.0, -1
    for entry in header.split(","):
        wanted, *options = (part.strip().lower() for part in entry.split(";"))
        closeness = {media: 2, f"{media.partition('/')[0]}/*": 1, "*/*": 0}.get(wanted, -1)
        if closeness > closest:
            found, closest = _weight(options), closeness
    return found


def _weight(options: Iterable[str]) -> float:
    for option in options:
        name, _, value = option.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0


def _tag(endpoint: Endpoint, request: Request, organization: OrganizationRecord | None, accepts: str) -> str | None:
    """
    Return what names the state of the view that an answer is made of; None where it is made of more than that.
    """
    if not endpoint.revalidates or organization is None:
        return None
    told = f"{__version__} {organization.organization_id} {organization.version} {accepts} {request.url.path}"
    digest = hashlib.sha256(f"{told}?{request.url.query}".encode())
    return f'W/"{digest.hexdigest()[:32]}"'


def _known_tags(request: Request) -> set[str]:
    header = request.headers.get("if-none-match", "")
    return {tag if tag.startswith("W/") else f"W/{tag}" for tag in (part.strip() for part in header.split(",")) if tag}
