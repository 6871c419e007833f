"""
Decisions: one request, everybody who is let through, what would change, what has changed, what a policy says.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from rooftree.api.endpoint import JSON, AccountQuery, Asked, Endpoint, Moment, NoParameters, OrganizationQuery
from rooftree.authorization import Authorizer
from rooftree.contracts.questions import (
    AttachStep,
    CheckBody,
    DetachStep,
    LintBody,
    MoveStep,
    RequestBody,
    SimulateBody,
    SuppositionBody,
    UpdateStep,
)
from rooftree.contracts.resources.decisions import (
    Admission,
    CheckAnswer,
    Difference,
    Finding,
    Findings,
    SimulationAnswer,
    SimulationAnswers,
)
from rooftree.contracts.simulation import answer_document, line_id, read_simulation
from rooftree.errors import InputError
from rooftree.inquiry.deciding import check, heading
from rooftree.inquiry.jobs import MARKDOWN, Differ, Suppose, WhoCan
from rooftree.inquiry.question import Question
from rooftree.inquiry.sources import LiveSource
from rooftree.inquiry.supposing import Attach, Detach, Move, Step, Update
from rooftree.organization.documents import AUTHORIZING_TYPES
from rooftree.organization.timestamps import parse_time
from rooftree.policy.lint import Finding as LintFinding
from rooftree.policy.lint import lint_policy
from rooftree.policy.locating import locate

__all__ = ["ENDPOINTS", "steps_of"]

_REVIEW: Final = {MARKDOWN: "The same as a report for reviewers"}


class DiffQuery(OrganizationQuery):
    """
    Which organization is meant, and between which times.
    """

    from_: Moment = Field(alias="from", description="The first time.")
    to: Moment | None = Field(None, description="The second time; now unless given.")


async def check_request(asked: Asked[AccountQuery, CheckBody]) -> CheckAnswer:
    """
    Decide one request of an account.
    """
    question, at = _question(asked.body)
    source = LiveSource(asked.reader, asked.organization_id)
    account = await source.account(asked.parameters.account_id, at=at)
    if account is None:
        raise HTTPException(404, f"no account `{asked.parameters.account_id}` in `{asked.organization_id}`")
    answer = await check(source, account, question)
    return CheckAnswer.model_validate(
        {**heading(account), **question.document, **answer.document, "complete": account.complete}
    )


async def find_admitted(asked: Asked[OrganizationQuery, RequestBody]) -> Response:
    """
    Find the accounts that a request is open to.
    """
    question, at = _question(asked.body)
    return await _job(asked, WhoCan(asked.organization_id, question, at), JSON)


async def suppose_change(asked: Asked[OrganizationQuery, SuppositionBody]) -> Response:
    """
    Tell which decisions would change; nothing is written.
    """
    steps = steps_of(asked.body)
    job = Suppose(asked.organization_id, steps, markdown=asked.accepts == MARKDOWN)
    return await _job(asked, job, asked.accepts)


async def compare_moments(asked: Asked[DiffQuery, None]) -> Response:
    """
    Tell which decisions differ between two times.
    """
    query = asked.parameters
    if query.to is not None and query.to < query.from_:
        raise InputError("expected a time after that of `from`", place="to")
    job = Differ(asked.organization_id, query.from_, query.to, markdown=asked.accepts == MARKDOWN)
    return await _job(asked, job, asked.accepts)


async def lint(asked: Asked[NoParameters, LintBody]) -> Findings:
    """
    Report errors and risks in a policy.
    """
    content = asked.body.content
    found = lint_policy(content, AUTHORIZING_TYPES[asked.body.type])
    return Findings(findings=[_finding(content, finding) for finding in found])


async def simulate(asked: Asked[NoParameters, SimulateBody]) -> SimulationAnswers:
    """
    Decide requests under all policies that have a say in them.
    """
    moment = datetime.now(UTC)
    return SimulationAnswers(answers=[_simulated(content, moment) for content in asked.body.requests])


def steps_of(body: SuppositionBody) -> list[Step]:
    """
    Return the steps that a body asks for.
    """
    return [_step(model, f"steps[{number}]") for number, model in enumerate(body.steps)]


def _step(model: AttachStep | DetachStep | UpdateStep | MoveStep, place: str) -> Step:
    match model:
        case AttachStep():
            return Attach(model.policy, model.target, place=place)
        case DetachStep():
            return Detach(model.policy, model.target, place=place)
        case MoveStep():
            return Move(model.account, model.parent, place=place)
        case UpdateStep(content=content):
            text = content if isinstance(content, str) else json.dumps(content)
            return Update(model.policy, text, place=place, content_place=f"{place}.content")


async def _job(asked: Asked[OrganizationQuery, object], job: WhoCan | Suppose | Differ, media: str) -> Response:
    content = await asked.backing.jobs.run(job, asked.caller.organizations)
    return Response(content, media_type=media)


def _question(body: RequestBody) -> tuple[Question, datetime | None]:
    at = parse_time(body.at) if body.at is not None else None
    return Question.of(body.action, body.resource, body.given_context(), at), at


def _finding(content: object, finding: LintFinding) -> Finding:
    span = locate(content, finding.place) if isinstance(content, str) else None
    return Finding(
        severity=finding.severity.value,
        code=finding.code,
        place=finding.place,
        message=finding.message,
        line=span.line if span else None,
        column=span.column if span else None,
        end_line=span.end_line if span else None,
        end_column=span.end_column if span else None,
    )


def _simulated(content: object, moment: datetime) -> SimulationAnswer:
    try:
        simulation = read_simulation(content, moment=moment)
    except InputError as error:
        return SimulationAnswer(id=line_id(content), error=str(error))
    answer = Authorizer(simulation.policies).explain(simulation.request)
    return SimulationAnswer.model_validate({"id": line_id(content), **answer_document(answer)})


ENDPOINTS: Final[Sequence[Endpoint]] = (
    Endpoint(
        "POST",
        "/accounts/{account_id}/check",
        "checkRequest",
        "Decide one request of an account, and tell what decides it",
        check_request,
        answer=CheckAnswer,
        parameters=AccountQuery,
        body=CheckBody,
        question=True,
    ),
    Endpoint(
        "POST",
        "/who-can",
        "findAdmitted",
        "Find the accounts whose maximum permissions let a request through",
        find_admitted,
        answer=Admission,
        parameters=OrganizationQuery,
        body=RequestBody,
        question=True,
    ),
    Endpoint(
        "POST",
        "/what-if",
        "supposeChange",
        "Tell which decisions would change by some steps; nothing is written",
        suppose_change,
        answer=Difference,
        others=_REVIEW,
        parameters=OrganizationQuery,
        body=SuppositionBody,
        question=True,
    ),
    Endpoint(
        "GET",
        "/diff",
        "compareMoments",
        "Tell which decisions differ between two times",
        compare_moments,
        answer=Difference,
        others=_REVIEW,
        parameters=DiffQuery,
        revalidates=True,
    ),
    Endpoint(
        "POST",
        "/lint",
        "lintPolicy",
        "Report errors and risks in a policy, with their lines",
        lint,
        answer=Findings,
        body=LintBody,
        question=True,
    ),
    Endpoint(
        "POST",
        "/simulate",
        "simulate",
        "Decide requests under all policies that have a say in them",
        simulate,
        answer=SimulationAnswers,
        body=SimulateBody,
        question=True,
    ),
)
