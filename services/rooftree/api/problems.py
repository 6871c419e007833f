"""
Errors as problem details.

https://www.rfc-editor.org/rfc/rfc9457
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rooftree.errors import ForbiddenError, InputError, RefusedRowError, UnavailableError, UsageError
from rooftree.telemetry.logs import Action, log

__all__ = ["EXCEPTION_HANDLERS", "headers_of", "problem", "reason_of", "status_of"]

RETRY_SECONDS: Final = "5"


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """
    Return an error in the form of RFC 9457.
    """
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(content, status_code=status, headers=headers, media_type="application/problem+json")


def status_of(error: Exception) -> int:
    """
    Return the status of the answer to a request that ended by an error.
    """
    match error:
        case HTTPException():
            return error.status_code
        case UsageError() if error.place.startswith("ROOFTREE_"):
            return 503  # not what was asked is wrong, but how the service was set up
        case InputError() | RefusedRowError():  # the latter: what no parameter forbids and the store does not take
            return 400
        case ForbiddenError():
            return 403
        case UnavailableError():
            return 503
        case _:
            return 500


def reason_of(request: Request, error: Exception) -> str:
    """
    Return what is said of an error; a defect is logged, and of it is said only under which id.
    """
    if isinstance(error, HTTPException):
        return error.detail
    if status_of(error) != 500:
        return str(error)
    name = secrets.token_hex(6)
    log().error(Action.REQUEST_FAILED, request=name, path=request.url.path, error=type(error).__name__, exc_info=error)
    return f"this is a defect of rooftree; its log has the details, under the request `{name}`"


def headers_of(error: Exception) -> Mapping[str, str]:
    """
    Return the header fields that go with an error.
    """
    if isinstance(error, HTTPException):
        return error.headers or {}
    return {"Retry-After": RETRY_SECONDS} if status_of(error) == 503 else {}


async def _answer(request: Request, error: Exception) -> Response:
    return problem(status_of(error), reason_of(request, error), headers=headers_of(error))


EXCEPTION_HANDLERS: Final = dict.fromkeys(
    (HTTPException, InputError, RefusedRowError, ForbiddenError, UnavailableError, Exception), _answer
)
