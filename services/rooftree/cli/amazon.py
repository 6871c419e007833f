"""
``rooftree import aws`` and ``rooftree aws``: an organization as AWS itself tells it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from rooftree.aws.permissions import account_policy, organization_policy
from rooftree.bootstrap.workers import open_aws
from rooftree.cli.feeding import Patience, bring_in
from rooftree.cli.options import DataDir, Json
from rooftree.cli.output import Steps, print_json, print_line, say, steps
from rooftree.cli.runtime import connected_settings
from rooftree.contracts import decode_change
from rooftree.contracts.principal_events import principal_events
from rooftree.contracts.snapshot_events import encode_event, snapshot_events
from rooftree.errors import RooftreeError, UsageError
from rooftree.organization.snapshot import Snapshot
from rooftree.ports.reconciliation import WholeOrganization
from rooftree.settings import Settings, load_settings

if TYPE_CHECKING:
    from rooftree.aws.organization import AwsOrganization

__all__ = ["add_commands", "import_aws"]

REFUSED: Final = 1
ACCOUNTS_AT_ONCE: Final = 4
ACCOUNTS_IN_MEMORY: Final = 40

# Nobody can sign in there any more, nor assume a role.
# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html
CLOSED: Final = frozenset({"CLOSED", "SUSPENDED", "PENDING_ACTIVATION"})

Profile = Annotated[str | None, typer.Option(metavar="NAME", help="Profile of the AWS configuration.")]
RoleArn = Annotated[str | None, typer.Option(metavar="ARN", help="Role to assume before anything is read.")]
ExternalId = Annotated[str | None, typer.Option(metavar="ID", help="External id that this role asks for.")]
Region = Annotated[str | None, typer.Option(metavar="NAME", help="Region of the endpoints.", show_default="us-east-1")]
EndpointUrl = Annotated[str | None, typer.Option(metavar="URL", help="Another address of AWS.")]
IamRoleName = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Role to assume in each account.", show_default="OrganizationAccountAccessRole"),
]
Iam = Annotated[bool, typer.Option("--iam", help="Also the users, groups, roles and policies of each account.")]


def add_commands(app: typer.Typer) -> None:
    """
    Add the command of this module.
    """
    group = typer.Typer(help="What Rooftree needs of AWS.", no_args_is_help=True)
    group.command()(permissions)
    app.add_typer(group, name="aws")


@dataclass(slots=True)
class _Outcome:
    """
    What an import has done.
    """

    snapshot: Snapshot
    moment: datetime
    events: int = 0
    applied: bool = False
    principals: int = 0
    refused: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return {
            "organization_id": self.snapshot.organization_id,
            "time": self.moment.isoformat(),
            "accounts": len(self.snapshot.accounts),
            "policies": len(self.snapshot.policies),
            "published": self.events,
            "applied": self.applied,
            "accounts_with_principals": self.principals,
            "refused": self.refused,
        }


def import_aws(
    *,
    profile: Profile = None,
    role_arn: RoleArn = None,
    external_id: ExternalId = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    iam: Iam = False,
    iam_role_name: IamRoleName = None,
    accounts: Annotated[
        list[str] | None,
        typer.Option("--account", metavar="ID", help="With --iam: only of this account; once more for each further."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the snapshot here instead of sending it.")
    ] = None,
    patience: Patience = 60,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> int:
    """
    Bring an organization to the state of AWS, and wait until the view has it.

    What is read counts as of a minute before reading began (ROOFTREE_RECONCILE_GRACE): whatever an event tells of
    later goes before it. An interrupted import goes on where it stopped.
    """
    base = connected_settings(data_dir, server="kafka_bootstrap") if save is None else load_settings(_given(data_dir))
    chosen = {
        "aws_profile": profile,
        "aws_role_arn": role_arn,
        "aws_external_id": external_id,
        "aws_region": region,
        "aws_endpoint_url": endpoint_url,
        "aws_iam_role_name": iam_role_name,
    }
    settings = load_settings({**base.model_dump(), **{name: value for name, value in chosen.items() if value}})
    if save is not None:
        if iam:
            raise UsageError("holds no principals; leave out --save or --iam", place="--save")
        snapshot = asyncio.run(_save(settings, save))
        print_line(f"{snapshot.organization_id}: {len(snapshot.accounts)} accounts written to {save}")
        return 0
    outcome = asyncio.run(_import(settings, patience=patience, iam=iam, only=frozenset(accounts or ())))
    _tell(outcome, settings, iam=iam, as_json=as_json)
    return REFUSED if outcome.refused else 0


def permissions(
    *,
    iam: Iam = False,
    iam_role_name: Annotated[
        str, typer.Option(metavar="NAME", help="Role that is assumed in each account.")
    ] = "OrganizationAccountAccessRole",
    in_account: Annotated[
        bool, typer.Option("--in-account", help="What that role needs in each account, instead.")
    ] = False,
    partition: Annotated[str, typer.Option(metavar="NAME", help="aws, aws-us-gov or aws-cn.")] = "aws",
) -> None:
    """
    Print the IAM policy that Rooftree needs: exactly the calls that it makes, all of which only read.
    """
    policy = (
        account_policy()
        if in_account
        else organization_policy(iam_role_name=iam_role_name if iam else None, partition=partition)
    )
    sys.stdout.write(json.dumps(policy, indent=2) + "\n")


def _given(data_dir: Path | None) -> Mapping[str, object]:
    return {"data_dir": data_dir} if data_dir else {}


async def _save(settings: Settings, file: Path) -> Snapshot:
    async with _walk(open_aws(settings), settings) as walked:
        try:
            await asyncio.to_thread(file.write_text, json.dumps(walked.document, indent=1) + "\n", "utf-8")
        except OSError as error:
            raise UsageError((error.strerror or "cannot be written").lower(), place=str(file)) from error
    return walked.snapshot


async def _import(settings: Settings, *, patience: float, iam: bool, only: frozenset[str]) -> _Outcome:
    organization = open_aws(settings)
    async with _walk(organization, settings) as walked:
        moment = walked.began - timedelta(seconds=settings.reconcile_grace)
        events = snapshot_events(walked.snapshot, walked.document, moment)
        outcome = _Outcome(walked.snapshot, moment, len(events))
        outcome.applied = await bring_in(settings, walked.snapshot.organization_id, events, patience=patience)
    if iam:
        await _import_principals(organization, settings, outcome, patience=patience, only=only)
    return outcome


@asynccontextmanager
async def _walk(organization: AwsOrganization, settings: Settings) -> AsyncIterator[WholeOrganization]:
    """
    Lend what AWS tells of the organization; unless the block ends without an error, it is kept for another attempt.
    """
    journal = organization.journal(settings.data_dir, max_age=settings.aws_resume_age)
    try:
        if journal.remembered:
            say(f"going on after {journal.remembered} answers of AWS from {journal.began:%Y-%m-%dT%H:%M:%SZ}")
        with steps("reading AWS", total=None) as progress:
            found = await organization.read_organization(journal=journal, progress=progress.reach)
        yield found
    except BaseException:
        journal.close()
        raise
    journal.finish()


async def _import_principals(
    organization: AwsOrganization, settings: Settings, outcome: _Outcome, *, patience: float, only: frozenset[str]
) -> None:
    there = {account.id: account.status for account in outcome.snapshot.accounts}
    if strange := sorted(only - there.keys()):
        raise UsageError(f"`{strange[0]}` is not in `{outcome.snapshot.organization_id}`", place="--account")
    wanted = sorted(account_id for account_id in only or there if there[account_id] not in CLOSED)
    slots = asyncio.Semaphore(ACCOUNTS_AT_ONCE)

    async def read(account_id: str, progress: Steps) -> list[dict[str, object]]:
        async with slots:
            try:
                return await _principal_events(organization, settings, outcome, account_id)
            except RooftreeError as error:
                outcome.refused[account_id] = str(error)
                return []
            finally:
                progress.advance()

    for start in range(0, len(wanted), ACCOUNTS_IN_MEMORY):
        some = wanted[start : start + ACCOUNTS_IN_MEMORY]
        with steps(f"reading accounts, {start} of {len(wanted)} done", total=len(some)) as progress:
            found = await asyncio.gather(*(read(account_id, progress) for account_id in some))
        events = [event for each in found for event in each]
        if events:
            await bring_in(settings, outcome.snapshot.organization_id, events, patience=patience)
        outcome.events += len(events)
        outcome.principals += sum(bool(each) for each in found)
        for account_id in some:
            if account_id in outcome.refused:
                say(f"{account_id}: {outcome.refused[account_id]}")


async def _principal_events(
    organization: AwsOrganization, settings: Settings, outcome: _Outcome, account_id: str
) -> list[dict[str, object]]:
    found = await organization.principals(account_id)
    moment = found.began - timedelta(seconds=settings.reconcile_grace)
    organization_id = outcome.snapshot.organization_id
    events = principal_events(found.details, moment, organization_id=organization_id, account_id=account_id)
    for event in events:
        decode_change(encode_event(event))
    return events


def _tell(outcome: _Outcome, settings: Settings, *, iam: bool, as_json: bool) -> None:
    if as_json:
        print_json(outcome.as_json())
        return
    told = "1 event" if outcome.events == 1 else f"{outcome.events} events"
    state = "the view has it" if outcome.applied else f"sent to {settings.changes_topic}, not waited for"
    print_line(f"{outcome.snapshot.organization_id}: {len(outcome.snapshot.accounts)} accounts by {told}; {state}")
    if iam:
        refused = f", {len(outcome.refused)} could not be read" if outcome.refused else ""
        print_line(f"principals of {outcome.principals} accounts{refused}")
