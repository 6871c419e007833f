"""
``rooftree permissions``, ``check`` and ``who-can``: what accounts may do at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime

import typer

from rooftree.cli.options import (
    Account,
    Action,
    At,
    Contexts,
    DataDir,
    Json,
    OrganizationId,
    OrgFile,
    Resource,
    given_account,
    given_question,
    given_time,
)
from rooftree.cli.output import counted, print_json, print_line, print_table
from rooftree.cli.source import Where, open_account, open_sources
from rooftree.inquiry import wording
from rooftree.inquiry.deciding import check as check_request
from rooftree.inquiry.deciding import find_maximum, heading, join_admissions
from rooftree.inquiry.deciding import who_can as find_admitted
from rooftree.inquiry.question import Answer, Question
from rooftree.inquiry.standing import Standing
from rooftree.policy.evaluate import Decision

__all__ = ["add_commands"]

NO = 1


def add_commands(app: typer.Typer) -> None:
    """
    Add the commands of this module.
    """
    app.command()(permissions)
    app.command()(check)
    app.command(name="who-can")(who_can)


def permissions(
    account: Account,
    *,
    at: At = None,
    org: OrgFile = None,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Show what an account may do at most, service by service.
    """
    asyncio.run(
        _permissions(
            given_account(account),
            given_time(at, org_file=org),
            Where(org, organization, data_dir),
            as_json=as_json,
        )
    )


def check(
    account: Account,
    action: Action,
    resource: Resource = "*",
    *,
    context: Contexts = None,
    at: At = None,
    org: OrgFile = None,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Decide one request of an account; exit with 1 if it is denied.
    """
    when = given_time(at, org_file=org)
    question = given_question(action, resource, context, when)
    allowed = asyncio.run(
        _check(given_account(account), question, when, Where(org, organization, data_dir), as_json=as_json)
    )
    if not allowed:
        raise typer.Exit(NO)


def who_can(
    action: Action,
    resource: Resource = "*",
    *,
    context: Contexts = None,
    at: At = None,
    org: OrgFile = None,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    List the accounts whose maximum permissions let a request through.
    """
    when = given_time(at, org_file=org)
    question = given_question(action, resource, context, when)
    asyncio.run(_who_can(question, when, Where(org, organization, data_dir), as_json=as_json))


async def _permissions(account_id: str, at: datetime | None, where: Where, *, as_json: bool) -> None:
    async with open_account(where, account_id, at=at) as (source, account):
        found, bound = await find_maximum(source, account)
    summary = found.summary(bound)
    if as_json:
        print_json(
            {
                **heading(account),
                "complete": account.complete,
                "permissions_id": found.permissions_id,
                "permissions": summary,
            }
        )
        return
    print_line(f"{account.name} ({account.account_id}) may at most:")
    _warn(account)
    for line in wording.permission_lines(summary):
        print_line(line)


async def _check(account_id: str, question: Question, at: datetime | None, where: Where, *, as_json: bool) -> bool:
    async with open_account(where, account_id, at=at) as (source, account):
        answer = await check_request(source, account, question)
        names = await source.names()
    if as_json:
        print_json({**heading(account), **question.document, **answer.document, "complete": account.complete})
    else:
        _print_answer(account, question, answer, names)
    return answer.decision.decision is Decision.ALLOW


async def _who_can(question: Question, at: datetime | None, where: Where, *, as_json: bool) -> None:
    names: dict[str, str] = {}
    admissions = []
    async with open_sources(where) as sources:
        for source in sources:
            admissions.append(await find_admitted(source, question, at=at, progress=counted))
            names |= await source.names()
    admission = join_admissions(admissions)
    if as_json:
        print_json({**question.document, **admission.document})
        return
    accounts = [each.account for each in admission.admitted]
    rows = [
        (account.name, account.account_id, wording.place_words(account.path, names), account.status)
        for account in accounts
    ]
    print_table(("ACCOUNT", "ID", "UNDER", "STATUS"), rows)
    print_line(f"{len(accounts)} of {admission.count} accounts may {question.action} on {question.resource}")
    assumed = {(key, str(value)) for each in admission.admitted for key, value in each.assumed.items()}
    for key, value in sorted(assumed):
        if key != "aws:PrincipalArn":
            print_line(f"assumed {key}={value}: AWS always sends it; --context sets it")
    if admission.unplaced:
        print_line(f"not known for {len(admission.unplaced)} accounts whose place in the organization is not known")


def _print_answer(account: Standing, question: Question, answer: Answer, names: Mapping[str, str]) -> None:
    decision = answer.decision
    print_line(
        f"{decision.decision}: {question.action} on {question.resource} in {account.name} ({account.account_id})"
    )
    _warn(account)
    verb = "denied" if decision.decision is Decision.EXPLICIT_DENY else "allowed"
    for entry in decision.decided_by:
        target = _called(entry.target_id, account, names)
        print_line(f"  {verb} by {entry.policy_name}, statement {entry.statement.label}, on {target}")
    for target_id in decision.missing_levels:
        print_line(f"  no policy on {_called(target_id, account, names)} allows it")
    if decision.decision is Decision.ALLOW and not decision.decided_by:
        print_line("  no service control policy limits this account")
    for key, value in sorted(answer.assumed.items()):
        print_line(f"  assumed {key}={value}: AWS always sends it; --context sets it")


def _warn(account: Standing) -> None:
    if not account.complete:
        print_line("  (incomplete: something about this organization is known to be missing)")


def _called(target_id: str, account: Standing, names: Mapping[str, str]) -> str:
    if target_id == account.account_id:
        return "the account itself"
    return "the root" if target_id == account.path[0] else names.get(target_id, target_id)
