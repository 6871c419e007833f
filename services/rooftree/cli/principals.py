"""
``rooftree principals`` and ``import iam``: who is in an account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from rooftree.bootstrap.reading import open_reader
from rooftree.cli.feeding import Patience, bring_in
from rooftree.cli.files import read_bytes
from rooftree.cli.options import Account, DataDir, Json, OrganizationId, given_account, given_time
from rooftree.cli.output import print_json, print_line, print_table
from rooftree.cli.runtime import connected_settings
from rooftree.cli.source import choose_organizations
from rooftree.contracts import decode_change
from rooftree.contracts.authorization_details import read_authorization_details
from rooftree.contracts.principal_events import principal_events
from rooftree.contracts.snapshot_events import encode_event
from rooftree.errors import InputError, UsageError
from rooftree.organization.directory import Directory, Grants
from rooftree.organization.principal_export import named_documents, principals_document
from rooftree.organization.principal_facts import AccountPrincipals
from rooftree.settings import Settings

__all__ = ["add_commands", "import_iam"]


def add_commands(app: typer.Typer) -> None:
    """
    Add the commands of this module.
    """
    app.command()(principals)


def import_iam(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="The output of `aws iam get-account-authorization-details`, or `-`.",
            show_default=False,
        ),
    ],
    account: Account,
    *,
    time: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it was true (RFC 3339).", show_default="now")
    ] = None,
    organization: OrganizationId = None,
    patience: Patience = 60,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Bring the users, groups, roles and policies of an account to the state of IAM, and wait until the view has it.

    Whatever the file does not list is taken to be gone: use it without `--filter`, with all of its pages.
    """
    account_id = given_account(account)
    try:
        details = read_authorization_details(read_bytes(file), account_id)
    except InputError as error:
        raise type(error)(error.reason, place=f"{file}: {error.place}" if error.place else str(file)) from error
    moment = given_time(time, option="--time") or datetime.now(UTC)
    settings = connected_settings(data_dir, server="kafka_bootstrap")
    organization_id = organization or asyncio.run(_organization_of(settings, account_id))
    events = principal_events(details, moment, organization_id=organization_id, account_id=account_id)
    for event in events:
        decode_change(encode_event(event))
    applied = asyncio.run(bring_in(settings, organization_id, events, patience=patience))
    counts = {
        kind: sum(principal["kind"] == kind for principal in details.principals) for kind in ("user", "group", "role")
    }
    if as_json:
        told = {"organization_id": organization_id, "account_id": account_id, "published": len(events)}
        print_json({**told, "applied": applied, "policies": len(details.managed_policies), **_plural(counts)})
        return
    told_counts = ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in counts.items())
    state = "the view has it" if applied else f"sent to {settings.changes_topic}, not waited for"
    print_line(f"{account_id}: {told_counts} by {len(events)} event{'' if len(events) == 1 else 's'}; {state}")


def _plural(counts: Mapping[str, int]) -> dict[str, int]:
    return {f"{kind}s": count for kind, count in counts.items()}


async def _organization_of(settings: Settings, account_id: str) -> str:
    """
    Return the organization that has an account.

    Raises:
        UsageError: None has, or several have.
        UnavailableError: The database does not answer.
    """
    async with open_reader(settings) as reader:
        found = await reader.organizations_of(account_id)
    if not found:
        raise UsageError(f"no organization has or had `{account_id}`; name one", place="--organization")
    if len(found) > 1:
        raise UsageError(f"`{account_id}` is or was in {', '.join(found)}; say which", place="--organization")
    return found[0]


def principals(
    account: Account,
    *,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Show the users, groups and roles of an account, and what each has; as JSON, as a snapshot that can be published.
    """
    asyncio.run(_principals(given_account(account), organization, data_dir, as_json=as_json))


async def _principals(account_id: str, organization: str | None, data_dir: Path | None, *, as_json: bool) -> None:
    async with open_reader(connected_settings(data_dir)) as reader:
        having = await choose_organizations(reader, organization, account_id=account_id)
        if not having:
            raise UsageError(f"no account `{account_id}`", place="ACCOUNT")
        if len(having) > 1:
            raise UsageError(f"`{account_id}` is or was in {', '.join(having)}; say which", place="--organization")
        facts = await reader.principal_facts(having[0], [account_id])
        known = AccountPrincipals(account_id, facts)
        documents = await reader.principal_documents(having[0], named_documents(known)) if as_json else {}
    if as_json:
        print_json(principals_document(having[0], known, documents))
        return
    grants = Directory(facts).grants(account_id)
    if not grants:
        print_line("no principals are known; `rooftree import iam FILE ACCOUNT` brings them in")
        return
    print_table(
        ("KIND", "NAME", "POLICIES", "BOUNDARY", "NOT KNOWN"),
        [
            (
                one.principal.kind,
                one.principal.name,
                ", ".join(_worded(one)) or "none",
                one.boundary.name if one.boundary is not None else "",
                ", ".join(one.missing),
            )
            for one in grants.values()
        ],
    )


def _worded(grants: Grants) -> list[str]:
    return [
        f"{policy.name}{f' (of {policy.group})' if policy.group else ''}{'' if policy.arn else ' (inline)'}"
        for policy in grants.policies
    ]
