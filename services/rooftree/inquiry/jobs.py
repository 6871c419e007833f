"""
Questions that work through every account, as values that can be carried to another process, with their answers as the
bytes that a client gets.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from pydantic import BaseModel

from rooftree.contracts.resources.decisions import Admission as AdmissionAnswer
from rooftree.inquiry.comparing import Report, compare_times
from rooftree.inquiry.deciding import who_can
from rooftree.inquiry.documents import difference_answer
from rooftree.inquiry.organization_cache import OrganizationCache
from rooftree.inquiry.question import Question
from rooftree.inquiry.report_summary import SummaryLimits, summarize
from rooftree.inquiry.review import markdown_lines
from rooftree.inquiry.sources import LiveSource
from rooftree.inquiry.supposing import Step, what_if
from rooftree.organization.export import take_snapshot
from rooftree.reading.reader import Reader

__all__ = ["Differ", "Export", "Job", "Prepare", "Suppose", "SupposeSummary", "WhoCan"]


class Job(Protocol):
    """
    One question.
    """

    async def run(self, reader: Reader, cache: OrganizationCache) -> bytes:
        """
        Return the answer as it goes to the client.

        Raises:
            InputError: The question is wrong.
            UnavailableError: The database does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Prepare:
    """
    Nothing is asked: a process that has done it is ready for the next job, with the organizations in its memory that
    have room there.
    """

    async def run(self, reader: Reader, cache: OrganizationCache) -> bytes:
        """
        Return nothing.
        """
        await cache.fill(reader)
        return b""


@dataclass(frozen=True, slots=True)
class Export:
    """
    An organization as a snapshot.
    """

    organization_id: str

    async def run(self, reader: Reader, cache: OrganizationCache) -> bytes:
        """
        Return the snapshot.
        """
        known = await cache.source_of(reader, self.organization_id)
        return json.dumps(take_snapshot((await known.as_it_is()).state).to_json(), separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class WhoCan:
    """
    To which accounts a request is open.

    Attributes:
        most: How many accounts are told of; all of them, unless it is given.
    """

    organization_id: str
    question: Question
    at: datetime | None
    most: int | None = None

    async def run(self, reader: Reader, cache: OrganizationCache) -> bytes:
        """
        Return the accounts.
        """
        admission = await who_can(await cache.source_of(reader, self.organization_id), self.question, at=self.at)
        counts = {"count": admission.count, "admitted": len(admission.admitted)}
        shown = replace(admission, admitted=admission.admitted[: self.most])
        told = {"organization_id": self.organization_id, **counts, **self.question.document}
        return _encoded(AdmissionAnswer.model_validate({**told, **shown.document}))


@dataclass(frozen=True, slots=True)
class Suppose:
    """
    Which decisions would change by some steps, and for which users and roles.

    Attributes:
        markdown: Whether it is told as Markdown for reviewers, and not as JSON.
    """

    organization_id: str
    steps: Sequence[Step]
    markdown: bool

    async def run(self, reader: Reader, cache: OrganizationCache) -> bytes:
        """
        Return what would differ.
        """
        report = await _supposed(reader, cache, self.organization_id, self.steps)
        return _told(self.organization_id, report, markdown=self.markdown)


@dataclass(frozen=True, slots=True)
class SupposeSummary:
    """
    The same, as much as a page has room for.
    """

    organization_id: str
    steps: Sequence[Step]
    limits: SummaryLimits

    async def run(self, reader: Reader, cache: OrganizationCache) -> bytes:
        """
        Return the summary of what would differ.
        """
        return summarize(await _supposed(reader, cache, self.organization_id, self.steps), self.limits).to_bytes()


@dataclass(frozen=True, slots=True)
class Differ:
    """
    Which decisions differ between two times, the second None for now.

    Attributes:
        markdown: Whether it is told as Markdown for reviewers, and not as JSON.
    """

    organization_id: str
    since: datetime
    until: datetime | None
    markdown: bool

    async def run(self, reader: Reader, cache: OrganizationCache) -> bytes:  # noqa: ARG002  # the past is not remembered
        """
        Return what differs.
        """
        report = await compare_times(LiveSource(reader, self.organization_id), self.since, self.until)
        return _told(self.organization_id, report, markdown=self.markdown)


MARKDOWN: Final = "text/markdown"


async def _supposed(reader: Reader, cache: OrganizationCache, organization_id: str, steps: Sequence[Step]) -> Report:
    known = await cache.source_of(reader, organization_id)
    return await what_if(known, await known.as_it_is(), steps)


def _told(organization_id: str, report: Report, *, markdown: bool) -> bytes:
    if markdown:
        return "".join(f"{line}\n" for line in markdown_lines(report)).encode("utf-8", "backslashreplace")
    return _encoded(difference_answer(organization_id, report))


def _encoded(answer: BaseModel) -> bytes:
    return answer.__pydantic_serializer__.to_json(answer, by_alias=True, warnings=False)
