"""
A report in lines of text, and as Markdown for reviewers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from rooftree.inquiry import wording
from rooftree.inquiry.comparing import Report
from rooftree.inquiry.grouping import Block, account_words
from rooftree.inquiry.markdown import code, escape

__all__ = ["MOST_CHARACTERS", "change_lines", "markdown_lines", "text_lines"]

MOST_CHARACTERS: Final = 60_000
"""GitHub takes comments of 65,536 characters: https://docs.github.com/en/rest/issues/comments"""

SHOWN_OPEN: Final = 3
"""Changes that are not folded away: a reviewer sees the largest at once."""

NAMED_ACCOUNTS: Final = 10

VERDICTS: Final = (
    ("tightened", "may do less"),
    ("loosened", "may do more"),
    ("mixed", "may do less in one place and more in another"),
)


def text_lines(report: Report) -> Iterable[str]:
    """
    Yield a report as plain lines.
    """
    yield _headline(report)
    for verdict, _ in VERDICTS:
        count = _count(report, verdict)
        if count:
            yield f"{verdict}: {count} {_plural(count)}"
    yield from _not_compared(report)
    for block in report.blocks():
        yield ""
        yield from change_lines(block.change, report.names)
        yield f"  in {account_words(block.accounts)}"


def markdown_lines(
    report: Report, *, notes: Sequence[str] = (), most_characters: int = MOST_CHARACTERS
) -> Iterator[str]:
    """
    Yield a report as Markdown: what it comes to, then the changes, those that reach furthest first.

    Args:
        report: What differs.
        notes: What else a reviewer has to know, in Markdown, one line each.
        most_characters: Changes for which there is no room are counted and left out.
    """
    blocks = report.blocks()
    lines = [*_summary(report, blocks), *(f"- {note}" for note in notes)]
    room = most_characters - sum(len(line) + 1 for line in lines) - 200
    yield from lines
    for number, block in enumerate(blocks, start=1):
        told = list(_block(number, block, report.names, folded=len(blocks) > SHOWN_OPEN and number > 1))
        room -= sum(len(line) + 1 for line in told)
        if room < 0:
            left = len(blocks) - number + 1
            yield ""
            yield f"{left} more {'change has' if left == 1 else 'changes have'} no room here; `--json` tells all of them."
            return
        yield from told


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


def _summary(report: Report, blocks: Sequence[Block]) -> Iterator[str]:
    yield "## Decision changes"
    yield ""
    yield f"**{escape(_headline(report))}**"
    if report.differences:
        yield ""
        yield "| accounts | what becomes of them |"
        yield "| ---: | --- |"
        for verdict, words in VERDICTS:
            count = _count(report, verdict)
            if count:
                yield f"| {count} | {words} ({verdict}) |"
    yield ""
    if len(blocks) > 1:
        yield f"- {len(blocks)} distinct changes, those that reach furthest first"
    for line in _not_compared(report):
        yield f"- {escape(line)}"


def _block(number: int, block: Block, names: Mapping[str, str], *, folded: bool) -> Iterator[str]:
    change, count = block.change, len(block.accounts)
    sign = "now allowed" if change["direction"] == "allowed" else "now denied"
    title = f"{number}. {count} {_plural(count)}: {sign}"
    yield ""
    if folded:
        # A summary is HTML, where Markdown is not read: entities keep names from becoming tags.
        yield f"<details><summary>{title} {_html(_actions(change))}</summary>"
    else:
        yield f"### {title}"
    yield ""
    yield f"{escape(wording.change_words(change))}."
    yield ""
    if change.get("witness"):
        yield f"- For example: {code(wording.witness_words(change))} ({change['before']} → {change['after']})"
    yield f"- Because: {escape(wording.blame_words(change, names))}"
    if change.get("unless"):
        yield f"- Except what: {escape(wording.unless_words(change, names))}"
    yield f"- Accounts: {escape(account_words(block.accounts[:NAMED_ACCOUNTS], total=count))}"
    if folded:
        yield ""
        yield "</details>"


def _actions(change: Mapping[str, Any]) -> str:
    return wording.set_words(change.get("actions"), everything="every action", shown=3)


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _headline(report: Report) -> str:
    if not report.differences:
        return f"No decision differs in {report.compared} {_plural(report.compared)}."
    return f"{len(report.differences)} of {report.compared} accounts decide differently."


def _count(report: Report, verdict: str) -> int:
    return sum(difference.verdict == verdict for difference in report.differences)


def _not_compared(report: Report) -> Iterator[str]:
    for title, accounts in (("only after", report.added), ("only before", report.removed)):
        if accounts:
            shown = ", ".join(accounts[:NAMED_ACCOUNTS])
            more = f", {len(accounts) - NAMED_ACCOUNTS} more" if len(accounts) > NAMED_ACCOUNTS else ""
            yield f"{title}, not compared: {shown}{more}"


def _plural(count: int) -> str:
    return "account" if count == 1 else "accounts"
