"""
What becomes of users and roles where decisions differ: what an audit event would tell of them, if the change were made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Final

from rooftree import permissions as algebra
from rooftree.inquiry.comparing import Report
from rooftree.inquiry.progress import Progress, unseen
from rooftree.inquiry.sources import OrganizationSource
from rooftree.view.impact import ImpactFinder

__all__ = ["MOST_PRINCIPALS", "tell_principals"]

MOST_PRINCIPALS: Final = 10_000
"""
Users and roles that one question looks at. Those of whom each has policies of its own take some three milliseconds
each, and so half of the time that a question may take by default.
"""


async def tell_principals(
    source: OrganizationSource, report: Report, *, most: int = MOST_PRINCIPALS, progress: Progress = unseen
) -> Report:
    """
    Return a report with what becomes of the users and roles of the accounts whose decisions differ.

    Args:
        source: Where they are known.
        report: What differs.
        most: Beyond so many users and roles, the accounts that come after by their ids are named as left out.
        progress: Sees each account that is looked at.

    Raises:
        UnavailableError: The database does not answer.
    """
    touched = report.account_ids
    async with source.moment():
        left_out = frozenset(_beyond(touched, await source.count_principals(touched), most))
        looked_at = [account_id for account_id in touched if account_id not in left_out]
        directory = await source.principals(looked_at)
    known = [] if directory.is_empty else [account_id for account_id in looked_at if directory.knows(account_id)]
    finder, impacts = ImpactFinder(algebra, directory), {}
    for difference in progress(report.differences_of(known)):
        impact = finder.of_account(difference.verdict, *difference.places)
        if impact is not None:
            impacts[difference.account.account_id] = impact.as_json()
    return replace(report, principals=impacts, left_out=sorted(left_out))


def _beyond(account_ids: Sequence[str], counts: Mapping[str, int], most: int) -> Iterator[str]:
    if sum(counts.values()) <= most:
        return
    sums = accumulate(counts.get(account_id, 0) for account_id in account_ids)
    for account_id, total in zip(account_ids, sums, strict=True):
        if total > most and counts.get(account_id):
            yield account_id
