"""
What an account was between two times, and which of its decisions have changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from rooftree.api.documents import account_document
from rooftree.cli.comparing import Difference, change_lines, difference_of
from rooftree.cli.output import print_json, print_line, print_table
from rooftree.cli.source import LiveSource, Standing, Where, open_sources
from rooftree.errors import UsageError
from rooftree.organization.timestamps import format_time
from rooftree.reading import AccountRecord

__all__ = ["print_rows", "show_span"]


async def show_span(account_id: str, moments: tuple[datetime, datetime | None], where: Where, *, as_json: bool) -> None:
    """
    Print the rows that an account had between two times, and the decisions that differ between them.

    Raises:
        UsageError: The account had no row then.
    """
    since, until = moments
    # A row that starts at the second time is what held at it.
    behind = None if until is None else until + timedelta(microseconds=1)
    found = False
    async with open_sources(where, account_id=account_id) as sources:
        for source in sources:
            assert isinstance(source, LiveSource), "snapshots have no past"
            rows = [
                row
                for row in await source.reader.history(source.organization_id, account_id, before=behind)
                if row.until is None or row.until > since
            ]
            if not rows:
                continue
            found = True
            before = await source.account(account_id, at=since)
            after = await source.account(account_id, at=until)
            known = before is not None and after is not None
            difference = await difference_of(source, before, after) if before and after else None
            if as_json:
                print_json(_document(source.organization_id, account_id, moments, rows, difference, known=known))
                continue
            names = await source.names()
            print_rows(rows, names)
            print_line()
            for line in _lines(before, after, difference, names):
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
                " / ".join(names.get(node, node) for node in row.path[1:-1]) or "the root",
                row.status,
                (row.permissions_id or "none")[:12],
                row.cause_event_id,
            )
            for row in rows
        ],
    )


def _document(
    organization_id: str,
    account_id: str,
    moments: tuple[datetime, datetime | None],
    rows: Iterable[AccountRecord],
    difference: Difference | None,
    *,
    known: bool,
) -> dict[str, object]:
    since, until = moments
    return {
        "organization_id": organization_id,
        "account_id": account_id,
        "from": format_time(since),
        "to": format_time(until) if until else None,
        "compared": known,
        "verdict": difference.verdict if difference else None,
        "changes": difference.changes if difference else [],
        "rows": [account_document(row) for row in rows],
    }


def _lines(
    before: Standing | None, after: Standing | None, difference: Difference | None, names: Mapping[str, str]
) -> Iterable[str]:
    if before is None or after is None:
        yield f"not in the organization {'then' if before is None else 'any more'}: there is nothing to compare with"
    elif before.chain_id is None or after.chain_id is None:
        yield "its place was not known at both times: there is nothing to compare with"
    elif difference is None:
        yield "no decision differs"
    else:
        yield f"decisions {difference.verdict}:"
        for change in difference.changes:
            for line in change_lines(change, names):
                yield f"  {line}"
