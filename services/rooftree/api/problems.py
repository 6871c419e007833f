"""
Errors as problem details.

https://www.rfc-editor.org/rfc/rfc9457
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rooftree.errors import ForbiddenError, InputError, RefusedRowError, UnavailableError, UsageError
from rooftree.telemetry.logs import Action, log

__all__ = ["EXCEPTION_HANDLERS", "problem"]

RETRY_SECONDS = "5"


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """
    Return an error in the form of RFC 9457.
    """
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(content, status_code=status, headers=headers, media_type="application/problem+json")


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, error.detail, headers=error.headers)


async def _bad_input(request: Request, error: Exception) -> Response:
    if isinstance(error, UsageError) and error.place.startswith("ROOFTREE_"):
        # Not what was asked is wrong, but how the service was set up.
        return await _unavailable(request, error)
    return problem(400, str(error))


async def _forbidden(_: Request, error: Exception) -> Response:
    return problem(403, str(error))


async def _unavailable(_: Request, error: Exception) -> Response:
    return problem(503, str(error), headers={"Retry-After": RETRY_SECONDS})


async def _defect(request: Request, error: Exception) -> Response:
    log().error(Action.REQUEST_FAILED, path=request.url.path, error=type(error).__name__)
    return problem(500, "this is a defect of rooftree; its log has the details")


EXCEPTION_HANDLERS = {
    HTTPException: _refused,
    InputError: _bad_input,
    # What no parameter forbids and the store does not take.
    RefusedRowError: _bad_input,
    ForbiddenError: _forbidden,
    UnavailableError: _unavailable,
    Exception: _defect,
}
