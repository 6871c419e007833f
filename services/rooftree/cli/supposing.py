"""
``rooftree what-if``: which decisions would change, before anybody changes anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from rooftree.cli.comparing import Report, compare_organizations, print_report
from rooftree.cli.files import read_bytes
from rooftree.cli.options import DataDir, Json, OrganizationId, OrgFile
from rooftree.cli.source import Where, open_sources
from rooftree.errors import PolicyError, UsageError
from rooftree.organization.changes import (
    AccountMoved,
    Change,
    ChangeData,
    ChangeType,
    PolicyAttached,
    PolicyDetached,
    PolicyUpdated,
)
from rooftree.organization.claims import facts_of
from rooftree.organization.documents import AUTHORIZING_TYPES, BUILTIN_POLICIES, Policy, accept_content
from rooftree.organization.identifiers import is_account, is_root
from rooftree.organization.tree import Organization
from rooftree.policy.document import read_content

__all__ = ["add_commands"]


def _many(option: str, metavar: str, help_text: str) -> typer.models.OptionInfo:
    made: typer.models.OptionInfo = typer.Option(option, metavar=metavar, help=help_text, show_default=False)
    return made


Attach: TypeAlias = Annotated[list[str] | None, _many("--attach", "POLICY:TARGET", "Attach a policy to a node.")]
Detach: TypeAlias = Annotated[list[str] | None, _many("--detach", "POLICY:TARGET", "Detach a policy from a node.")]
Update: TypeAlias = Annotated[list[str] | None, _many("--update", "POLICY=FILE", "Give a policy another content.")]
Move: TypeAlias = Annotated[list[str] | None, _many("--move", "ACCOUNT:PARENT", "Move an account.")]


def add_commands(app: typer.Typer) -> None:
    """
    Add the command.
    """
    app.command("what-if")(what_if)


def what_if(
    *,
    attach: Attach = None,
    detach: Detach = None,
    update: Update = None,
    move: Move = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a report for reviewers.")] = False,
    org: OrgFile = None,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Show which decisions would change; nothing is written. Policies and nodes go by id or by name; each option may be
    given several times, and all of them together are one change. Exit with 1 if any decision would differ.
    """
    if markdown and as_json:
        raise UsageError("choose one of --json and --markdown", place="--markdown")
    asked = [("--attach", attach), ("--detach", detach), ("--update", update), ("--move", move)]
    given = [(option, text) for option, texts in asked for text in texts or ()]
    if not given:
        raise UsageError("expected --attach, --detach, --update or --move", place="what-if")
    report = asyncio.run(_suppose(given, Where(org, organization, data_dir)))
    print_report(report, markdown=markdown, as_json=as_json)


Given = tuple[str, str]
"""An option and its value."""


async def _suppose(given: Sequence[Given], where: Where) -> Report:
    async with open_sources(where) as sources:
        if len(sources) != 1:
            names = ", ".join(source.organization_id for source in sources) or "none"
            raise UsageError(f"expected one organization; there are {names}", place="--organization")
        before = await sources[0].organization()
    after = Organization(before.organization_id, before.registers)
    latest = max((fact.version.time for fact in before.registers), default=datetime.now(UTC))
    for number, (option, text) in enumerate(given, start=1):
        # after all that has been told, and each after the one before
        time = latest + timedelta(microseconds=number)
        after.merge(facts_of(_change(after, number, time, _data(after, option, text))))
    return await compare_organizations(before, after)


def _change(organization: Organization, number: int, time: datetime, told: tuple[ChangeType, ChangeData]) -> Change:
    kind, data = told
    return Change(
        event_id=f"supposed-{number}",
        source="what-if",
        type=kind,
        time=time,
        sequence="",
        organization_id=organization.organization_id,
        actor=None,
        data=data,
    )


def _data(organization: Organization, option: str, text: str) -> tuple[ChangeType, ChangeData]:
    """
    Return the change that an option asks for.

    Raises:
        UsageError: It names something that is not there, or that already is so.
    """
    separator = "=" if option == "--update" else ":"
    first, found, second = text.partition(separator)
    if not (first and found and second):
        raise UsageError(f"expected two names with `{separator}` between them, found `{text}`", place=option)
    if option == "--move":
        account, parent = _node(organization, first, option), _node(organization, second, option)
        if not is_account(account) or is_account(parent):
            raise UsageError(f"expected an account and its new parent, found `{text}`", place=option)
        return ChangeType.ACCOUNT_MOVED, AccountMoved(account, parent_id=parent)
    policy = _policy(organization, first, option)
    if option == "--update":
        return ChangeType.POLICY_UPDATED, PolicyUpdated(policy.policy_id, content=_content(policy, Path(second)))
    target = _node(organization, second, option)
    hangs = policy.policy_id in organization.attached_ids(target)
    if hangs is (option == "--attach"):
        state = "hangs already" if hangs else "does not hang"
        raise UsageError(f"`{first}` {state} on `{second}`", place=option)
    if option == "--attach":
        return ChangeType.POLICY_ATTACHED, PolicyAttached(policy.policy_id, target)
    return ChangeType.POLICY_DETACHED, PolicyDetached(policy.policy_id, target)


def _content(policy: Policy, path: Path) -> str:
    kind = AUTHORIZING_TYPES.get(policy.type)
    if policy.policy_id in BUILTIN_POLICIES or kind is None:
        raise UsageError(f"`{policy.name}` is no policy that can be written anew", place="--update")
    try:
        return accept_content(read_content(read_bytes(path).decode("utf-8", "surrogateescape")), kind)
    except PolicyError as error:
        raise UsageError(error.reason, place=f"{path}: {error.place}" if error.place else str(path)) from error


def _policy(organization: Organization, wanted: str, option: str) -> Policy:
    known = [*organization.policies(), *BUILTIN_POLICIES]
    policy = organization.policy(_one(wanted, known, organization.name_of, option, "policy"))
    assert policy is not None
    return policy


def _node(organization: Organization, wanted: str, option: str) -> str:
    return _one(wanted, _nodes(organization), organization.name_of, option, "node")


def _nodes(organization: Organization) -> Iterator[str]:
    root = organization.registers.root()
    if root is not None:
        yield root
    yield from organization.units()
    yield from organization.accounts()


def _one(wanted: str, known: Iterable[str], name_of: Callable[[str], str], option: str, what: str) -> str:
    """
    Return the id of what goes by an id or a name.
    """
    listed = list(known)
    if wanted in listed:
        return wanted
    found = [each for each in listed if not is_root(each) and name_of(each) == wanted]
    if len(found) > 1:
        raise UsageError(f"several go by `{wanted}`: {', '.join(sorted(found))}", place=option)
    if not found:
        raise UsageError(f"there is no {what} `{wanted}`", place=option)
    return found[0]
