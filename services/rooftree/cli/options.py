"""
Options that several commands take.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from rooftree.errors import InputError, UsageError
from rooftree.inquiry.question import Question
from rooftree.organization.identifiers import is_account
from rooftree.organization.timestamps import parse_time

__all__ = [
    "Account",
    "Action",
    "At",
    "Contexts",
    "DataDir",
    "From",
    "Json",
    "OrgFile",
    "OrganizationId",
    "Resource",
    "To",
    "given_account",
    "given_context",
    "given_question",
    "given_time",
    "given_times",
]

Account: TypeAlias = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="Account id, 12 digits.", show_default=False)
]
Action: TypeAlias = Annotated[
    str, typer.Argument(metavar="ACTION", help="One action, such as `s3:GetObject`.", show_default=False)
]
Resource: TypeAlias = Annotated[str, typer.Argument(metavar="RESOURCE", help="An ARN, or `*`.")]
Contexts: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--context",
        metavar="KEY=VALUE",
        help="A condition key of the request; once more for each further value or key.",
        show_default=False,
    ),
]
At: TypeAlias = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="As it was at this time (RFC 3339).", show_default=False),
]
From: TypeAlias = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="What has changed since this time (RFC 3339).", show_default=False),
]
To: TypeAlias = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Up to this time.", show_default="now")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
OrgFile: TypeAlias = Annotated[
    Path | None,
    typer.Option("--org", metavar="FILE", help="Read this snapshot instead of the live view.", show_default=False),
]
OrganizationId: TypeAlias = Annotated[
    str | None,
    typer.Option("--organization", metavar="ID", help="Which one, where there are several.", show_default=False),
]
DataDir: TypeAlias = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="DIR", help="Where `rooftree up` keeps its data.", show_default=".rooftree"),
]


def given_account(text: str) -> str:
    """
    Return an account id.

    Raises:
        UsageError: It is none.
    """
    if not is_account(text):
        raise UsageError(f"expected an account id of 12 digits, found `{text}`", place="ACCOUNT")
    return text


def given_time(text: str | None, *, option: str = "--at", org_file: Path | None = None) -> datetime | None:
    """
    Return the time that an option names.

    Raises:
        UsageError: It is no time, or a snapshot is read, which has no past.
    """
    if text is None:
        return None
    if org_file is not None:
        raise UsageError("a snapshot holds one moment only; leave out --at or --org", place=option)
    try:
        return parse_time(text)
    except InputError as error:
        raise UsageError(error.reason, place=option) from error


def given_times(since: str | None, until: str | None) -> tuple[datetime, datetime | None] | None:
    """
    Return the two times that ``--from`` and ``--to`` name, the second None for now; None without ``--from``.

    Raises:
        UsageError: One is no time, the second lies before the first, or stands alone.
    """
    start, end = given_time(since, option="--from"), given_time(until, option="--to")
    if start is None:
        if end is not None:
            raise UsageError("expected --from beside it", place="--to")
        return None
    if end is not None and end < start:
        raise UsageError("expected a time after that of --from", place="--to")
    return start, end


def given_question(action: str, resource: str, pairs: Sequence[str] | None, at: datetime | None) -> Question:
    """
    Return the question that the arguments of a command put.

    Raises:
        UsageError: A part of it is wrong.
    """
    context = given_context(pairs)
    try:
        return Question.of(action, resource, context, at)
    except InputError as error:
        raise UsageError(error.reason, place=error.place.upper()) from error


def given_context(pairs: Sequence[str] | None) -> dict[str, list[str]]:
    """
    Return the condition keys of ``--context`` with their values.

    Raises:
        UsageError: One is not of the form KEY=VALUE.
    """
    found: dict[str, list[str]] = {}
    spelled: dict[str, str] = {}
    for pair in pairs or ():
        key, separator, value = pair.partition("=")
        if not (key and separator):
            raise UsageError(f"expected KEY=VALUE, found `{pair}`", place="--context")
        found.setdefault(spelled.setdefault(key.lower(), key), []).append(value)
    return found
