"""
``rooftree tree``, ``account`` and ``history``: what an organization is made of, and what an account was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text
from rich.tree import Tree

from rooftree.bootstrap.reading import open_reader
from rooftree.cli.options import (
    Account,
    At,
    DataDir,
    From,
    Json,
    OrganizationId,
    OrgFile,
    To,
    given_account,
    given_time,
    given_times,
)
from rooftree.cli.output import plain, print_json, print_line, stdout_console
from rooftree.cli.runtime import connected_settings
from rooftree.cli.source import Where, choose_organizations, open_account, open_sources
from rooftree.cli.spans import print_rows, show_span
from rooftree.errors import UsageError
from rooftree.inquiry.documents import account_document
from rooftree.inquiry.nodes import OrganizationTree, levels_document
from rooftree.inquiry.standing import Standing
from rooftree.policy.chain import Chain, Level
from rooftree.reading.reader import AccountRecord

__all__ = ["add_commands"]


def add_commands(app: typer.Typer) -> None:
    """
    Add the commands of this module.
    """
    app.command()(tree)
    app.command()(account)
    app.command()(history)


def tree(
    *,
    accounts: Annotated[bool, typer.Option(help="Show accounts, or only how many there are.")] = True,
    org: OrgFile = None,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Show the organization as a tree, with the policies attached to each node.
    """
    asyncio.run(_tree(Where(org, organization, data_dir), accounts=accounts, as_json=as_json))


def account(
    account: Account,
    *,
    at: At = None,
    org: OrgFile = None,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Show an account, where it stands and which policies bind it.
    """
    asyncio.run(
        _account(
            given_account(account), given_time(at, org_file=org), Where(org, organization, data_dir), as_json=as_json
        )
    )


def history(
    account: Account,
    *,
    since: From = None,
    until: To = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows at most.")] = 100,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Show what an account was and from when to when, the latest first; with --from, also which decisions have changed
    between the two times.
    """
    account_id, moments = given_account(account), given_times(since, until)
    where = Where(None, organization, data_dir)
    if moments is None:
        asyncio.run(_history(account_id, limit, where, as_json=as_json))
    else:
        asyncio.run(show_span(account_id, moments, where, as_json=as_json))


async def _tree(where: Where, *, accounts: bool, as_json: bool) -> None:
    async with open_sources(where) as sources:
        trees = [OrganizationTree(await source.organization()) for source in sources]
    if as_json:
        print_json({"organizations": [tree.document(accounts=accounts) for tree in trees]})
        return
    for tree in trees:
        drawn = Tree(Text(plain(tree.organization.organization_id)))
        _draw(tree, tree.root_id, drawn, accounts=accounts)
        stdout_console().print(drawn)


def _draw(tree: OrganizationTree, node_id: str, above: Tree, *, accounts: bool) -> None:
    members = tree.accounts(node_id)
    count = f" [{len(members)} account{'' if len(members) == 1 else 's'}]" if members and not accounts else ""
    branch = above.add(_label(tree, node_id, suffix=count))
    for unit_id in tree.units(node_id):
        _draw(tree, unit_id, branch, accounts=accounts)
    for account_id in members if accounts else ():
        branch.add(_label(tree, account_id))


def _label(tree: OrganizationTree, node_id: str, *, suffix: str = "") -> Text:
    name = tree.organization.name_of(node_id)
    label = Text(plain(name), style="bold" if not node_id.isdigit() else "")
    label.append(f" {node_id}{suffix}" if name != node_id else suffix, style="dim")
    own = ", ".join(plain(name) for policy_id, name in tree.policies(node_id) if policy_id != "p-FullAWSAccess")
    if own:
        label.append(f"  {own}", style="cyan")
    return label


async def _account(
    account_id: str,
    at: datetime | None,
    where: Where,
    *,
    as_json: bool,
) -> None:
    async with open_account(where, account_id, at=at) as (source, found):
        ceilings = await source.ceilings([found])
        names = await source.names()
    chain = ceilings.chain(found.chain_id, account_id) if found.chain_id else None
    if as_json:
        print_json(
            {
                **_described(found),
                "chain": levels_document(chain.levels if chain else None),
                "resource_chain": levels_document(chain.resource_levels if chain else None),
            }
        )
        return
    for name, value in _described(found).items():
        if value is not None:
            print_line(f"{name.replace('_', ' '):<16} {_shown(value)}")
    print_line()
    for line in _chain_lines(chain, found, names):
        print_line(line)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " / ".join(value) if isinstance(value, list) else str(value)


def _described(found: Standing) -> dict[str, object]:
    if found.record is not None:
        return account_document(found.record)
    return {
        "organization_id": found.organization_id,
        "account_id": found.account_id,
        "account_name": found.name,
        "email": found.email,
        "status": found.status,
        "path": list(found.path),
        "complete": found.complete,
    }


def _chain_lines(chain: Chain | None, account: Standing, names: Mapping[str, str]) -> Iterable[str]:
    if chain is None:
        yield "its place in the organization is not known"
        return
    if chain.levels is None:
        yield "no service control policy limits it"
    else:
        yield "service control policies from the root down:"
        yield from _level_lines(chain.levels, account, names)
    if chain.resource_levels is not None:
        yield "resource control policies from the root down:"
        yield from _level_lines(chain.resource_levels, account, names)


def _level_lines(levels: Iterable[Level], account: Standing, names: Mapping[str, str]) -> Iterable[str]:
    for level in levels:
        target = "the root" if level.target_id == account.path[0] else names.get(level.target_id, level.target_id)
        attached = ", ".join(policy.name for policy in level.policies) or "none: nothing is allowed"
        yield f"  {'the account itself' if level.target_id == account.account_id else target}: {attached}"


async def _history(account_id: str, limit: int, where: Where, *, as_json: bool) -> None:
    rows: list[AccountRecord] = []
    names: dict[str, str] = {}
    async with open_reader(connected_settings(where.data_dir)) as reader:
        for organization_id in await choose_organizations(reader, where.organization_id, account_id=account_id):
            rows += await reader.history(organization_id, account_id, limit=limit)
            names |= await reader.names(organization_id)
    if not rows:
        raise UsageError(f"no account `{account_id}`", place="ACCOUNT")
    if as_json:
        print_json([account_document(row) for row in rows])
        return
    print_rows(rows, names)
