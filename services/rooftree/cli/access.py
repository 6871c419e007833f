"""
``rooftree token create``, ``list``, ``revoke`` and ``rooftree access-log``: who may use the API, and who did.
"""

from __future__ import annotations

import asyncio
import getpass
from datetime import datetime
from typing import Annotated, Final

import typer

from rooftree.access.caller import Organizations, Role
from rooftree.access.documents import entry_answer, issued_answer, token_answer, token_state
from rooftree.access.issuing import issue
from rooftree.access.keeping import AccessEntry, NewToken, Outcome, TokenRecord
from rooftree.bootstrap.commands import open_access
from rooftree.cli.options import DataDir, Json
from rooftree.cli.output import print_json, print_line, print_lines, print_table, say
from rooftree.cli.runtime import connected_settings
from rooftree.errors import UsageError
from rooftree.organization.identifiers import is_organization
from rooftree.organization.timestamps import format_time
from rooftree.store.access import DatabaseAccess

__all__ = ["add_commands", "operator", "record_command"]

PLACES: Final = {"name": "NAME", "expires": "--expires"}
"""What the command calls the parts of a token."""


def add_commands(app: typer.Typer) -> None:
    """
    Add the commands of this module.
    """
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Who may use the API.")
    group.command()(create)
    group.command(name="list")(list_tokens)
    group.command()(revoke)
    app.add_typer(group, name="token")
    app.command(name="access-log")(access_log)


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What uses the token.", show_default=False)],
    *,
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.VIEWER,
    organization: Annotated[
        list[str] | None,
        typer.Option(
            "--organization",
            metavar="ID",
            help="What it may see; once more for each further one.",
            show_default="all of them",
        ),
    ] = None,
    expires: Annotated[
        str, typer.Option(metavar="SPAN|never", help="After so many days or hours, such as 90d or 12h.")
    ] = "90d",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Make a token and print it, once: what is kept of it cannot be turned back into it.
    """
    try:
        token, kept = issue(
            name, role=role, organizations=_organizations(organization), lifetime=expires, created_by=operator()
        )
    except UsageError as error:
        raise UsageError(error.reason, place=PLACES.get(error.place, error.place)) from None
    asyncio.run(_create(kept, data_dir))
    if as_json:
        print_json(issued_answer(token, kept).model_dump())
    else:
        print_line(token)
        say("this is the only time that the token is shown")


def list_tokens(*, data_dir: DataDir = None, as_json: Json = False) -> None:
    """
    List tokens, the latest first, with when each was last used.
    """
    found = asyncio.run(_tokens(data_dir))
    if as_json:
        print_json([token_answer(token).model_dump() for token in found])
    else:
        print_table(
            ("ID", "NAME", "ROLE", "ORGANIZATIONS", "EXPIRES", "LAST USED", "STATE"),
            [
                (
                    token.token_id,
                    token.name,
                    token.role,
                    _seen(token.organizations),
                    _time(token.expires_at) or "never",
                    _time(token.last_used_at) or "never",
                    token_state(token),
                )
                for token in found
            ],
        )


def revoke(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="Its name or its id.", show_default=False)],
    *,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    End a token, and the sessions that it opened; the next request that brings it is refused.
    """
    revoked = asyncio.run(_revoke(token, data_dir))
    if revoked is None:
        raise UsageError(f"no token `{token}` that is good", place="TOKEN")
    if as_json:
        print_json(token_answer(revoked).model_dump())
    else:
        print_line(f"revoked {revoked.name} ({revoked.token_id})")


def access_log(
    *,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")] = 100,
    before: Annotated[
        int | None, typer.Option(metavar="ENTRY", min=1, help="Only entries before this one.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Show sign-ins, writes and refusals, the latest first; NDJSON with --json.
    """
    found = asyncio.run(_entries(before, limit, data_dir))
    if as_json:
        print_lines(entry_answer(entry).model_dump() for entry in found)
    else:
        print_table(
            ("ENTRY", "TIME", "WHO", "ROLE", "FROM", "WHAT", "OUTCOME"),
            [
                (
                    entry.entry_id,
                    _time(entry.time),
                    entry.name or entry.kind,
                    entry.role or "",
                    entry.address,
                    entry.action,
                    " ".join(str(part) for part in (entry.outcome, entry.status, entry.detail) if part),
                )
                for entry in found
            ],
        )


async def _create(token: NewToken, data_dir: DataDir) -> None:
    async with open_access(connected_settings(data_dir)) as store:
        await store.create_token(token)
        await record_command(store, "token create", f"{token.name} ({token.token_id}), {token.role}")


async def _tokens(data_dir: DataDir) -> list[TokenRecord]:
    async with open_access(connected_settings(data_dir)) as store:
        return await store.tokens()


async def _revoke(named: str, data_dir: DataDir) -> TokenRecord | None:
    async with open_access(connected_settings(data_dir)) as store:
        revoked = await store.revoke_token(named)
        if revoked is not None:
            await record_command(store, "token revoke", f"{revoked.name} ({revoked.token_id})")
        return revoked


async def _entries(before: int | None, limit: int, data_dir: DataDir) -> list[AccessEntry]:
    async with open_access(connected_settings(data_dir)) as store:
        return await store.entries(before=before, limit=limit)


async def record_command(store: DatabaseAccess, action: str, detail: str) -> None:
    """
    Write into the access log what was done from the command line.
    """
    await store.record(
        AccessEntry(
            kind="command",
            name=operator(),
            identity="",
            role=None,
            organizations=None,
            address="",
            action=action,
            outcome=Outcome.DONE,
            detail=detail,
        )
    )


def operator() -> str:
    """
    Return who sits at the command line, as the system calls them.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that no name belongs to
        return "unknown"


def _organizations(given: list[str] | None) -> Organizations:
    for organization_id in given or ():
        if not is_organization(organization_id):
            raise UsageError(
                f"expected an id such as `o-exampleorg`, found `{organization_id}`", place="--organization"
            )
    return frozenset(given) if given else None


def _seen(organizations: Organizations) -> str:
    return "all" if organizations is None else " ".join(sorted(organizations))


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)
