"""
``rooftree diff``: what changes between two snapshots, or has changed between two moments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from rooftree.api import wording
from rooftree.api.grouping import AccountName, Block, account_words, distinct_changes
from rooftree.cli.markdown import code, escape
from rooftree.cli.options import DataDir, From, Json, OrganizationId, To, given_times
from rooftree.cli.output import print_line, print_lines, steps
from rooftree.cli.source import (
    MemorySource,
    OrganizationSource,
    Standing,
    Where,
    load_organization,
    open_sources,
    read_snapshot,
)
from rooftree.errors import UsageError
from rooftree.organization.tree import Organization
from rooftree.permissions import compare
from rooftree.view.ceilings import Ceilings

__all__ = [
    "Difference",
    "Report",
    "add_commands",
    "change_lines",
    "compare_organizations",
    "compare_snapshots",
    "compare_times",
    "difference_of",
    "print_report",
]

DIFFERENT: Final = 1
EQUIVALENT: Final = "equivalent"


def add_commands(app: typer.Typer) -> None:
    """
    Add the commands of this module.
    """
    app.command()(diff)


def diff(
    *,
    before: Annotated[
        Path | None, typer.Option(metavar="SNAPSHOT", help="The organization as it is.", show_default=False)
    ] = None,
    after: Annotated[
        Path | None, typer.Option(metavar="SNAPSHOT", help="The same as it would be.", show_default=False)
    ] = None,
    since: From = None,
    until: To = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a report for reviewers.")] = False,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Compare two snapshots, or the stored view at two times, decision by decision; exit with 1 if any differs. `--json`
    prints one line an account.
    """
    if markdown and as_json:
        raise UsageError("choose one of --json and --markdown", place="--markdown")
    moments = given_times(since, until)
    if before is not None and after is not None and moments is None:
        report = asyncio.run(compare_snapshots(before, after))
    elif before is None and after is None and moments is not None:
        report = asyncio.run(compare_times(Where(None, organization, data_dir), *moments))
    else:
        raise UsageError("expected --before and --after, or --from", place="diff")
    print_report(report, markdown=markdown, as_json=as_json)


def print_report(report: Report, *, markdown: bool, as_json: bool) -> None:
    """
    Print what differs, and end with 1 if anything does.
    """
    if as_json:
        print_lines(difference.document for difference in report.differences)
    else:
        for line in report.markdown() if markdown else report.text():
            print_line(line)
    if report.differences:
        raise typer.Exit(DIFFERENT)


@dataclass(frozen=True, slots=True)
class Difference:
    """
    An account whose decisions differ.
    """

    account: Standing
    verdict: str
    changes: list[dict[str, object]]

    @property
    def document(self) -> dict[str, object]:
        """
        The same as JSON.
        """
        return {
            "account_id": self.account.account_id,
            "account_name": self.account.name,
            "verdict": self.verdict,
            "changes": self.changes,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """
    Everything that differs between two states.

    Attributes:
        compared: How many accounts are in both.
        added: Accounts that are in the second only.
        removed: Accounts that are in the first only.
        names: Names of organizational units and policies.
    """

    differences: list[Difference]
    compared: int
    added: list[str]
    removed: list[str]
    names: Mapping[str, str]

    def blocks(self) -> list[Block]:
        """
        Return each distinct change once.
        """
        return distinct_changes(
            (AccountName(difference.account.account_id, difference.account.name), difference.changes)
            for difference in self.differences
        )

    def text(self) -> Iterable[str]:
        """
        Yield the report as plain lines.
        """
        yield from self._summary()
        for block in self.blocks():
            yield ""
            yield from change_lines(block.change, self.names)
            yield f"  in {account_words(block.accounts)}"

    def markdown(self) -> Iterable[str]:
        """
        Yield the report as Markdown.
        """
        yield "## Decision changes"
        yield ""
        for line in self._summary():
            yield f"- {escape(line)}"
        for number, block in enumerate(self.blocks(), start=1):
            change = block.change
            sign = "now allowed" if change["direction"] == "allowed" else "now denied"
            yield ""
            yield f"### {number}. {len(block.accounts)} {_plural(len(block.accounts))}: {sign}"
            yield ""
            yield f"{escape(wording.change_words(change))}."
            yield ""
            if change.get("witness"):
                yield f"- For example: {code(wording.witness_words(change))} ({change['before']} → {change['after']})"
            yield f"- Because: {escape(wording.blame_words(change, self.names))}"
            if change.get("unless"):
                yield f"- Except what: {escape(wording.unless_words(change, self.names))}"
            yield f"- Accounts: {escape(account_words(block.accounts))}"

    def _summary(self) -> Iterable[str]:
        if not self.differences:
            yield f"No decision differs in {self.compared} {_plural(self.compared)}."
        else:
            yield f"{len(self.differences)} of {self.compared} accounts decide differently."
        for verdict in ("tightened", "loosened", "mixed"):
            count = sum(difference.verdict == verdict for difference in self.differences)
            if count:
                yield f"{verdict}: {count} {_plural(count)}"
        for title, accounts in (("only after", self.added), ("only before", self.removed)):
            if accounts:
                yield f"{title}, not compared: {', '.join(accounts)}"


def change_lines(change: Mapping[str, Any], names: Mapping[str, str]) -> Iterable[str]:
    """
    Yield a change in words, with an example and what it comes from.
    """
    yield wording.change_words(change)
    if change.get("witness"):
        yield f"  for example {wording.witness_words(change)}"
    yield f"  because {wording.blame_words(change, names)}"
    if change.get("unless"):
        yield f"  except what {wording.unless_words(change, names)}"


async def compare_snapshots(before: Path, after: Path) -> Report:
    """
    Return what differs for the accounts that are in both snapshots.

    Raises:
        InputError: A snapshot is wrong.
    """
    return await compare_organizations(
        load_organization(read_snapshot(before)), load_organization(read_snapshot(after))
    )


async def compare_times(where: Where, since: datetime, until: datetime | None) -> Report:
    """
    Return what differs for the accounts that the stored view has at both times.

    Raises:
        UsageError: There is no such organization.
        UnavailableError: The database does not answer.
    """
    async with open_sources(where) as sources:
        reports = [
            await _compare(
                _Side(source, await source.accounts(at=since)), _Side(source, await source.accounts(at=until))
            )
            for source in sources
        ]
    return Report(
        differences=[difference for report in reports for difference in report.differences],
        compared=sum(report.compared for report in reports),
        added=[account_id for report in reports for account_id in report.added],
        removed=[account_id for report in reports for account_id in report.removed],
        names={subject: name for report in reports for subject, name in report.names.items()},
    )


async def compare_organizations(before: Organization, after: Organization) -> Report:
    """
    Return what differs for the accounts that are in both states of an organization.
    """
    old, new = MemorySource(before), MemorySource(after)
    return await _compare(_Side(old, await old.accounts(at=None)), _Side(new, await new.accounts(at=None)))


async def difference_of(source: OrganizationSource, before: Standing, after: Standing) -> Difference | None:
    """
    Return what an account may do in one standing and not in the other; None where no decision differs.
    """
    report = await _compare(_Side(source, [before]), _Side(source, [after]))
    return report.differences[0] if report.differences else None


@dataclass(frozen=True, slots=True)
class _Side:
    """
    The accounts of an organization on one side of a comparison.
    """

    source: OrganizationSource
    accounts: Sequence[Standing]


async def _compare(old: _Side, new: _Side) -> Report:
    was = {account.account_id: account for account in old.accounts}
    now = {account.account_id: account for account in new.accounts}
    both = sorted(was.keys() & now.keys())
    ceilings = await old.source.ceilings(was.values()), await new.source.ceilings(now.values())
    differences = []
    with steps("accounts", total=len(both)) as progress:
        for account_id in both:
            progress.advance()
            difference = _difference(ceilings, was[account_id], now[account_id])
            if difference is not None:
                differences.append(difference)
    return Report(
        differences=differences,
        compared=len(both),
        added=sorted(now.keys() - was.keys()),
        removed=sorted(was.keys() - now.keys()),
        names={**await old.source.names(), **await new.source.names()},
    )


def _difference(ceilings: tuple[Ceilings, Ceilings], before: Standing, after: Standing) -> Difference | None:
    if before.chain_id is None or after.chain_id is None:
        return None
    old, new = ceilings
    comparison = compare(
        old.permissions(before.chain_id, before.binding), new.permissions(after.chain_id, after.binding)
    )
    if comparison.verdict == EQUIVALENT:
        return None
    return Difference(after, comparison.verdict, comparison.changes(after.binding))


def _plural(count: int) -> str:
    return "account" if count == 1 else "accounts"
