"""
A report in lines of text, and as Markdown for reviewers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rooftree.inquiry import wording
from rooftree.inquiry.comparing import Report
from rooftree.inquiry.grouping import account_words
from rooftree.inquiry.markdown import code, escape

__all__ = ["change_lines", "markdown_lines", "text_lines"]


def text_lines(report: Report) -> Iterable[str]:
    """
    Yield a report as plain lines.
    """
    yield from _summary(report)
    for block in report.blocks():
        yield ""
        yield from change_lines(block.change, report.names)
        yield f"  in {account_words(block.accounts)}"


def markdown_lines(report: Report) -> Iterable[str]:
    """
    Yield a report as Markdown.
    """
    yield "## Decision changes"
    yield ""
    for line in _summary(report):
        yield f"- {escape(line)}"
    for number, block in enumerate(report.blocks(), start=1):
        change = block.change
        sign = "now allowed" if change["direction"] == "allowed" else "now denied"
        yield ""
        yield f"### {number}. {len(block.accounts)} {_plural(len(block.accounts))}: {sign}"
        yield ""
        yield f"{escape(wording.change_words(change))}."
        yield ""
        if change.get("witness"):
            yield f"- For example: {code(wording.witness_words(change))} ({change['before']} → {change['after']})"
        yield f"- Because: {escape(wording.blame_words(change, report.names))}"
        if change.get("unless"):
            yield f"- Except what: {escape(wording.unless_words(change, report.names))}"
        yield f"- Accounts: {escape(account_words(block.accounts))}"


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


def _summary(report: Report) -> Iterable[str]:
    if not report.differences:
        yield f"No decision differs in {report.compared} {_plural(report.compared)}."
    else:
        yield f"{len(report.differences)} of {report.compared} accounts decide differently."
    for verdict in ("tightened", "loosened", "mixed"):
        count = sum(difference.verdict == verdict for difference in report.differences)
        if count:
            yield f"{verdict}: {count} {_plural(count)}"
    for title, accounts in (("only after", report.added), ("only before", report.removed)):
        if accounts:
            yield f"{title}, not compared: {', '.join(accounts)}"


def _plural(count: int) -> str:
    return "account" if count == 1 else "accounts"
