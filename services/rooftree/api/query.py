"""
The query parameters of a request, read strictly, and the cursors by which lists are paged.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request

from rooftree.errors import InputError
from rooftree.organization.identifiers import is_organization
from rooftree.organization.timestamps import parse_time
from rooftree.reading.reader import OrganizationRecord, Reader

__all__ = [
    "DEFAULT_LIMIT",
    "MAX_LIMIT",
    "Query",
    "choose_organization",
    "decode_cursor",
    "decode_number",
    "encode_cursor",
    "read_form_time",
]

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000


class Query:
    """
    The parameters of one request.

    Raises:
        InputError: A parameter is not among those *known*, or is given twice.
    """

    def __init__(self, request: Request, *known: str) -> None:
        self._request = request
        self._known = known
        names = [name for name, _ in request.query_params.multi_items()]
        for name in names:
            if name not in known:
                raise InputError(f"unknown parameter; known are {', '.join(f'`{one}`' for one in known)}", place=name)
            if names.count(name) > 1:
                raise InputError("given more than once", place=name)

    def text(self, name: str) -> str | None:
        """
        Return a parameter, or None if it is absent or empty.
        """
        return self._request.query_params.get(name) or None

    def time(self, name: str) -> datetime | None:
        """
        Return a parameter that is a time.
        """
        value = self.text(name)
        try:
            # A plus sign in a query means a blank; nobody writes a blank in a time.
            return parse_time(value.replace(" ", "+")) if value else None
        except InputError as error:
            raise error.within(name) from None

    def form_time(self, name: str) -> datetime | None:
        """
        Return a parameter that is a time, in full or as the fields of a form give it: a day, or to the minute, in UTC.
        """
        value = self.text(name)
        return None if value is None else read_form_time(value, name)


def read_form_time(text: str, place: str) -> datetime:
    """
    Read a time, in full or as the fields of a form give it.

    Raises:
        InputError: It is none; the place is *place*.
    """
    full = {10: f"{text}T00:00:00Z", 16: f"{text}:00Z"}.get(len(text), text.replace(" ", "+"))
    try:
        return parse_time(full)
    except InputError as error:
        raise error.within(place) from None


def encode_cursor(parts: Sequence[str]) -> str:
    """
    Return a place in a list as one opaque word.
    """
    return base64.urlsafe_b64encode(json.dumps(list(parts)).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> list[str]:
    """
    Read a cursor back.

    Raises:
        InputError: It is none of ours.
    """
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        parts = None
    if not (isinstance(parts, list) and len(parts) == length and all(isinstance(part, str) for part in parts)):
        raise InputError("not a cursor of this list", place="cursor")
    return parts


def decode_number(cursor: str) -> int:
    """
    Read back a cursor that is one whole number.

    Raises:
        InputError: It is none of ours.
    """
    [text] = decode_cursor(cursor, 1)
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InputError("not a cursor of this list", place="cursor")
    return int(text)


async def choose_organization(
    reader: Reader, wanted: str | None, *, account_id: str | None = None
) -> OrganizationRecord:
    """
    Return the organization that a request is about: the one it names, else the one of its account, else the only one.

    Raises:
        InputError: It does not follow which one is meant.
        HTTPException: There is no such organization.
    """
    if wanted is not None and not is_organization(wanted):
        raise InputError("expected an id such as `o-exampleorg`", place="organization_id")
    known = await reader.organizations()
    chosen = [one for one in known if wanted in {None, one.organization_id}]
    if not chosen:
        raise HTTPException(404, f"no organization `{wanted}`" if wanted else "no organization yet")
    if len(chosen) > 1 and account_id is not None:
        having = await reader.organizations_of(account_id)
        chosen = [one for one in chosen if one.organization_id in having]
        if not chosen:
            raise HTTPException(404, f"no account `{account_id}`")
    if len(chosen) > 1:
        raise InputError(f"needed, since there are {len(chosen)} organizations", place="organization_id")
    return chosen[0]
