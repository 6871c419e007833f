"""
``rooftree diff``: what would change between two snapshots, before anybody attaches anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from rooftree.api import wording
from rooftree.api.grouping import AccountName, Block, account_words, distinct_changes
from rooftree.cli.markdown import code, escape
from rooftree.cli.options import Json
from rooftree.cli.output import print_line, print_lines, steps
from rooftree.cli.source import SnapshotSource, Standing, read_snapshot
from rooftree.errors import UsageError
from rooftree.permissions import compare

__all__ = ["Difference", "Report", "add_commands", "compare_snapshots"]

DIFFERENT: Final = 1
EQUIVALENT: Final = "equivalent"


def add_commands(app: typer.Typer) -> None:
    """
    Add the commands of this module.
    """
    app.command()(diff)


def diff(
    before: Annotated[Path, typer.Option(metavar="SNAPSHOT", help="The organization as it is.", show_default=False)],
    after: Annotated[Path, typer.Option(metavar="SNAPSHOT", help="The same as it would be.", show_default=False)],
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a report for reviewers.")] = False,
    as_json: Json = False,
) -> None:
    """
    Compare two snapshots decision by decision; exit with 1 if any differs. `--json` prints one line an account.
    """
    if markdown and as_json:
        raise UsageError("choose one of --json and --markdown", place="--markdown")
    report = asyncio.run(compare_snapshots(before, after))
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
    Everything that differs between two snapshots.

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
            yield wording.change_words(block.change)
            if block.change.get("witness"):
                yield f"  for example {wording.witness_words(block.change)}"
            yield f"  because {wording.blame_words(block.change, self.names)}"
            if block.change.get("unless"):
                yield f"  except what {wording.unless_words(block.change, self.names)}"
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


async def compare_snapshots(before: Path, after: Path) -> Report:
    """
    Return what differs for the accounts that are in both snapshots.

    Raises:
        InputError: A snapshot is wrong.
    """
    old, new = SnapshotSource(read_snapshot(before)), SnapshotSource(read_snapshot(after))
    was = {account.account_id: account for account in await old.accounts(at=None)}
    now = {account.account_id: account for account in await new.accounts(at=None)}
    both = sorted(was.keys() & now.keys())
    old_ceilings, new_ceilings = await old.ceilings(was.values()), await new.ceilings(now.values())
    differences = []
    with steps("accounts", total=len(both)) as progress:
        for account_id in both:
            progress.advance()
            one, other = was[account_id], now[account_id]
            if one.chain_id is None or other.chain_id is None:
                continue
            comparison = compare(
                old_ceilings.permissions(one.chain_id, one.binding),
                new_ceilings.permissions(other.chain_id, other.binding),
            )
            if comparison.verdict != EQUIVALENT:
                differences.append(Difference(other, comparison.verdict, comparison.changes(other.binding)))
    return Report(
        differences=differences,
        compared=len(both),
        added=sorted(now.keys() - was.keys()),
        removed=sorted(was.keys() - now.keys()),
        names={**await old.names(), **await new.names()},
    )


def _plural(count: int) -> str:
    return "account" if count == 1 else "accounts"
