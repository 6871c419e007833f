"""
What an account was between two times, and which of its decisions have changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from rooftree.cli.output import print_json, print_line, print_table
from rooftree.cli.source import Where, open_sources
from rooftree.errors import UsageError
from rooftree.inquiry import wording
from rooftree.inquiry.documents import account_document
from rooftree.inquiry.review import change_lines
from rooftree.inquiry.sources import LiveSource
from rooftree.inquiry.spans import Span, find_span
from rooftree.organization.timestamps import format_time
from rooftree.reading.reader import AccountRecord

__all__ = ["print_rows", "show_span"]


async def show_span(account_id: str, moments: tuple[datetime, datetime | None], where: Where, *, as_json: bool) -> None:
    """
    Print the rows that an account had between two times, and the decisions that differ between them.

    Raises:
        UsageError: The account had no row then.
    """
    found = False
    async with open_sources(where, account_id=account_id) as sources:
        for source in sources:
            assert isinstance(source, LiveSource), "snapshots have no past"
            span = await find_span(source, account_id, *moments)
            if span is None:
                continue
            found = True
            if as_json:
                print_json(_document(span))
                continue
            names = await source.names()
            print_rows(span.rows, names)
            print_line()
            for line in _lines(span, names):
                print_line(line)
    if not found:
        raise UsageError(f"no account `{account_id}` between these times", place="ACCOUNT")


def print_rows(rows: Iterable[AccountRecord], names: Mapping[str, str]) -> None:
    """
    Print rows of the history of an account.
    """
    print_table(
        ("FROM", "TO", "NAME", "UNDER", "STATUS", "PERMISSIONS", "CAUSE"),
        [
            (
                format_time(row.since),
                format_time(row.until) if row.until else "now",
                row.name,
                wording.place_words(row.path, names),
                row.status,
                (row.permissions_id or "none")[:12],
                row.cause_event_id,
            )
            for row in rows
        ],
    )


def _document(span: Span) -> dict[str, object]:
    return {
        "organization_id": span.organization_id,
        "account_id": span.account_id,
        "from": format_time(span.since),
        "to": format_time(span.until) if span.until else None,
        "compared": span.compared,
        "verdict": span.difference.verdict if span.difference else None,
        "changes": span.difference.changes if span.difference else [],
        "rows": [account_document(row) for row in span.rows],
    }


def _lines(span: Span, names: Mapping[str, str]) -> Iterable[str]:
    if span.before is None or span.after is None:
        missing = "then" if span.before is None else "any more"
        yield f"not in the organization {missing}: there is nothing to compare with"
    elif span.before.chain_id is None or span.after.chain_id is None:
        yield "its place was not known at both times: there is nothing to compare with"
    elif span.difference is None:
        yield "no decision differs"
    else:
        yield f"decisions {span.difference.verdict}:"
        for change in span.difference.changes:
            for line in change_lines(change, names):
                yield f"  {line}"
