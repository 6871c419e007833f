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
from rooftree.inquiry.touches import distinct_touches, touch_lines

__all__ = ["MOST_CHARACTERS", "change_lines", "markdown_lines", "text_lines"]

MOST_CHARACTERS: Final = 60_000
"""GitHub takes comments of 65,536 characters: https://docs.github.com/en/rest/issues/comments"""

SHOWN_OPEN: Final = 3
"""Changes that are not folded away: a reviewer sees the largest at once."""

NAMED_ACCOUNTS: Final = 10

NAMED_GROUPS: Final = 10
"""Groups of users and roles, each with a request of its own."""

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
        count = report.verdicts[verdict]
        if count:
            yield f"{verdict}: {count} {_plural(count)}"
    yield from _not_compared(report)
    for block in report.blocks():
        yield ""
        yield from change_lines(block.change, report.names)
        yield f"  in {account_words(block.accounts)}"
    yield from _touched_lines(report)


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
    people = list(_people(report))
    room = most_characters - sum(len(line) + 1 for line in (*lines, *people)) - 200
    yield from lines
    yield from _blocks(report, blocks, room)
    yield from people


def _blocks(report: Report, blocks: Sequence[Block], room: int) -> Iterator[str]:
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
    if report.alike:
        yield ""
        yield "| accounts | what becomes of them |"
        yield "| ---: | --- |"
        for verdict, words in VERDICTS:
            if verdict in report.verdicts:
                yield f"| {report.verdicts[verdict]} | {words} ({verdict}) |"
    yield ""
    if len(blocks) > 1:
        yield f"- {len(blocks)} distinct changes, those that reach furthest first"
    for line in _not_compared(report):
        yield f"- {escape(line)}"


def _block(number: int, block: Block, names: Mapping[str, str], *, folded: bool) -> Iterator[str]:
    change, count = block.change, len(block.accounts)
    title = f"{number}. {count} {_plural(count)}: {wording.direction_words(change)}"
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


def _touched_lines(report: Report) -> Iterator[str]:
    reach = wording.reach_words(impact for _, impact in report.impacts)
    if reach is not None:
        yield ""
        yield reach
        yield from (f"  {line}" for line in touch_lines(distinct_touches(report.impacts)))
    if report.left_out:
        yield ""
        yield _left_out(report)


def _people(report: Report) -> Iterator[str]:
    """
    Yield who loses or gains as Markdown; of an account that was left out, that it was.
    """
    reach = wording.reach_words(impact for _, impact in report.impacts)
    if reach is None and not report.left_out:
        return
    yield ""
    yield "### Users and roles"
    yield ""
    if reach is not None:
        yield f"{reach[:1].upper()}{reach[1:]}."
        yield ""
    for group in distinct_touches(report.impacts)[:NAMED_GROUPS]:
        requests = "; ".join(
            f"{wording.direction_words(change)} {code(wording.witness_words(change))}" for change in group.changes
        )
        yield f"- {escape(group.words)}: {requests}"
    if report.left_out:
        yield f"- {_left_out(report)}"


def _left_out(report: Report) -> str:
    count = len(report.left_out)
    return f"users and roles of {count} {_plural(count)} were not looked at: there are too many for one question"


def _actions(change: Mapping[str, Any]) -> str:
    return wording.set_words(change.get("actions"), everything="every action", shown=3)


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _headline(report: Report) -> str:
    if not report.alike:
        return f"No decision differs in {report.compared} {_plural(report.compared)}."
    return f"{report.verdicts.total()} of {report.compared} accounts decide differently."


def _not_compared(report: Report) -> Iterator[str]:
    for title, accounts in (("only after", report.added), ("only before", report.removed)):
        if accounts:
            shown = ", ".join(accounts[:NAMED_ACCOUNTS])
            more = f", {len(accounts) - NAMED_ACCOUNTS} more" if len(accounts) > NAMED_ACCOUNTS else ""
            yield f"{title}, not compared: {shown}{more}"


def _plural(count: int) -> str:
    return "account" if count == 1 else "accounts"
