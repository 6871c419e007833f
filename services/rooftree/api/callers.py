"""
The caller of a request, and the view as that caller may see it.

The guard puts both on every request that it lets through; handlers take them from here and from nowhere else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import HTTPConnection
from starlette.types import Scope

from rooftree.access.caller import Caller, Organizations
from rooftree.api.access import Credential
from rooftree.api.forgery import csrf_token
from rooftree.reading.reader import Reader

__all__ = ["ReaderFor", "admit", "caller_of", "csrf_of", "reader_of", "still_admitted"]

ReaderFor: TypeAlias = Callable[[Organizations], Reader]
"""Opens the view limited to some organizations: whatever is asked of it, no other is ever told of."""

Recheck: TypeAlias = Callable[[], Awaitable[bool]]


def admit(scope: Scope, credential: Credential, reader: Reader, recheck: Recheck) -> None:
    """
    Put a caller on a request, with the view limited to what they may see.
    """
    scope.setdefault("state", {}).update(credential=credential, reader=reader, recheck=recheck)


def caller_of(request: HTTPConnection) -> Caller:
    """
    Return who sends a request.

    Raises:
        AttributeError: It is one of the few that nobody needs to be known for; a handler that asks is a defect.
    """
    credential: Credential = request.state.credential
    return credential.caller


def reader_of(request: HTTPConnection) -> Reader:
    """
    Return the view as the caller of a request may see it: what belongs to other organizations is not there.

    Raises:
        AttributeError: As for `caller_of`.
    """
    reader: Reader = request.state.reader
    return reader


def csrf_of(request: HTTPConnection) -> str:
    """
    Return what a page must send along with whatever writes: as the field ``csrf_token`` of a form, or as the header
    ``X-CSRF-Token`` of a script. Empty for a bearer token, which needs none.

    Raises:
        AttributeError: As for `caller_of`.
    """
    credential: Credential = request.state.credential
    return csrf_token(credential.session) if credential.session else ""


async def still_admitted(request: HTTPConnection) -> bool:
    """
    Tell whether the caller of a long answer may still see what they saw at its start; to be asked every few seconds.

    Raises:
        UnavailableError: The database does not answer.
    """
    recheck: Recheck = request.state.recheck
    return await recheck()
