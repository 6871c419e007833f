"""
Where commands that read get their answers: the live view in PostgreSQL, or a snapshot in a file.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rooftree.bootstrap.reading import open_reader
from rooftree.cli.files import read_bytes
from rooftree.cli.output import say
from rooftree.cli.runtime import connected_settings
from rooftree.errors import SnapshotError, UsageError
from rooftree.inquiry.sources import LiveSource, MemorySource, OrganizationSource, load_organization
from rooftree.inquiry.standing import Standing
from rooftree.organization.snapshot import Snapshot
from rooftree.organization.snapshot_reader import parse_snapshot
from rooftree.reading.reader import Reader

__all__ = [
    "Where",
    "choose_organizations",
    "open_account",
    "open_sources",
    "parse_snapshot_file",
    "read_snapshot",
]


@dataclass(frozen=True, slots=True)
class Where:
    """
    Where to look, as the options of a command say it.

    Attributes:
        org_file: A snapshot to read instead of the live view.
        organization_id: Which organization, where there are several.
        data_dir: Where a running ``rooftree up`` keeps its data.
    """

    org_file: Path | None = None
    organization_id: str | None = None
    data_dir: Path | None = None


@asynccontextmanager
async def open_sources(where: Where, *, account_id: str | None = None) -> AsyncIterator[list[OrganizationSource]]:
    """
    Open the snapshot if there is one, else the organizations of the live view that are meant.

    Args:
        where: Where to look.
        account_id: Only organizations that have or had this account.

    Raises:
        InputError: The snapshot is wrong, or there is no such organization.
        UnavailableError: The database does not answer.
    """
    if where.org_file is not None:
        yield [MemorySource(load_organization(read_snapshot(where.org_file)))]
        return
    async with open_reader(connected_settings(where.data_dir)) as reader:
        chosen = await choose_organizations(reader, where.organization_id, account_id=account_id)
        yield [LiveSource(reader, organization_id) for organization_id in chosen]


@asynccontextmanager
async def open_account(
    where: Where, account_id: str, *, at: datetime | None
) -> AsyncIterator[tuple[OrganizationSource, Standing]]:
    """
    Open the organization of an account, and find the account in it.

    Raises:
        InputError: The snapshot is wrong, there is no such account, or several organizations have it.
        UnavailableError: The database does not answer.
    """
    async with open_sources(where, account_id=account_id) as sources:
        found = [(source, await source.account(account_id, at=at)) for source in sources]
        having = [(source, account) for source, account in found if account is not None]
        if not having:
            raise UsageError(f"no account `{account_id}`{'' if at is None else ' at that time'}", place="ACCOUNT")
        if len(having) > 1:
            names = ", ".join(source.organization_id for source, _ in having)
            raise UsageError(f"`{account_id}` is or was in {names}; say which", place="--organization")
        yield having[0]


async def choose_organizations(reader: Reader, wanted: str | None, *, account_id: str | None = None) -> list[str]:
    """
    Return the organizations that are meant: the one named, else those of an account, else all.

    Raises:
        UsageError: There is none of this name.
    """
    known = [record.organization_id for record in await reader.organizations()]
    if wanted is not None and wanted not in known:
        raise UsageError(f"no organization `{wanted}`; known are {', '.join(known) or 'none'}", place="--organization")
    if not known:
        say("there is no organization yet; `rooftree import FILE` brings one in")
    if wanted is not None:
        return [wanted]
    return known if account_id is None else await reader.organizations_of(account_id)


def read_snapshot(path: Path) -> Snapshot:
    """
    Read a snapshot file.

    Raises:
        SnapshotError: It is none; the error names the file and the place in it.
        UsageError: The file cannot be read.
    """
    return parse_snapshot_file(read_bytes(path), path)


def parse_snapshot_file(content: bytes, path: Path) -> Snapshot:
    """
    Read a snapshot out of the content of a file.

    Raises:
        SnapshotError: It is none; the error names the file and the place in it.
    """
    try:
        return parse_snapshot(content)
    except SnapshotError as error:
        raise SnapshotError(error.reason, place=f"{path}: {error.place}" if error.place else str(path)) from error
