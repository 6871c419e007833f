"""
The caller of a request, and the view as that caller may see it.

The guard puts both on every request that it lets through; handlers take them from here and from nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from starlette.requests import HTTPConnection
from starlette.types import Scope

from rooftree.access.caller import Caller, Organizations
from rooftree.reading import Reader

__all__ = ["ReaderFor", "admit", "caller_of", "reader_of"]

ReaderFor: TypeAlias = Callable[[Organizations], Reader]
"""Opens the view limited to some organizations: whatever is asked of it, no other is ever told of."""


def admit(scope: Scope, caller: Caller, reader: Reader) -> None:
    """
    Put a caller on a request, with the view limited to what they may see.
    """
    scope.setdefault("state", {}).update(caller=caller, reader=reader)


def caller_of(request: HTTPConnection) -> Caller:
    """
    Return who sends a request.

    Raises:
        AttributeError: It is one of the few that nobody needs to be known for; a handler that asks is a defect.
    """
    caller = request.state.caller
    assert isinstance(caller, Caller)
    return caller


def reader_of(request: HTTPConnection) -> Reader:
    """
    Return the view as the caller of a request may see it: what belongs to other organizations is not there.

    Raises:
        AttributeError: As for `caller_of`.
    """
    reader: Reader = request.state.reader
    return reader
