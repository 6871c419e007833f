"""
Where commands that read get their answers: the live view in PostgreSQL, or a snapshot in a file.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from rooftree import permissions as algebra
from rooftree.bootstrap import open_reader
from rooftree.cli.files import read_bytes
from rooftree.cli.output import say
from rooftree.cli.runtime import connected_settings
from rooftree.errors import SnapshotError, UsageError
from rooftree.organization.chains import ChainRecord
from rooftree.organization.changes import Change, ChangeType, SnapshotTaken
from rooftree.organization.claims import facts_of
from rooftree.organization.documents import Document, read_stored
from rooftree.organization.facts import Attribute, FactKind
from rooftree.organization.snapshot import Snapshot
from rooftree.organization.snapshot_reader import parse_snapshot
from rooftree.organization.survey import Survey
from rooftree.organization.tree import Organization
from rooftree.permissions import AccountBinding
from rooftree.reading import AccountRecord, Reader
from rooftree.view.ceilings import Ceilings

__all__ = [
    "LiveSource",
    "MemorySource",
    "OrganizationSource",
    "Standing",
    "Where",
    "choose_organizations",
    "load_organization",
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


BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Standing:
    """
    An account and where it stands.

    Attributes:
        path: The nodes from the root to the account.
        complete: Whether nothing is known to be missing.
        chain_id: The chain; None for an account that is not placed.
        record: The row of the stored view; None out of a snapshot.
    """

    organization_id: str
    account_id: str
    name: str
    email: str | None
    status: str
    path: tuple[str, ...]
    complete: bool
    chain_id: str | None
    record: AccountRecord | None = None

    @property
    def binding(self) -> AccountBinding:
        """
        What the account fixes for the requests of its principals.
        """
        above = "".join(f"{node}/" for node in self.path[:-1])
        return AccountBinding(self.account_id, self.organization_id, f"{self.organization_id}/{above}")


class OrganizationSource(Protocol):
    """
    One organization as commands read it.
    """

    organization_id: str

    async def account(self, account_id: str, *, at: datetime | None) -> Standing | None:
        """
        Return one account as it is, or was *at* a time.
        """
        ...

    async def accounts(self, *, at: datetime | None) -> list[Standing]:
        """
        Return all accounts by id.
        """
        ...

    async def ceilings(self, accounts: Iterable[Standing]) -> Ceilings:
        """
        Return the chains of accounts, with what they are made of.
        """
        ...

    async def names(self) -> dict[str, str]:
        """
        Return the names of organizational units and policies by their ids.
        """
        ...

    async def organization(self) -> Organization:
        """
        Return the whole organization as it is now.
        """
        ...


class MemorySource:
    """
    An organization that is in memory as a whole, such as one out of a snapshot.
    """

    def __init__(self, organization: Organization) -> None:
        self.organization_id = organization.organization_id
        self._organization = organization
        self._survey = Survey(self._organization)
        self._records: dict[str, ChainRecord] = {}

    async def account(self, account_id: str, *, at: datetime | None) -> Standing | None:
        """
        Return one account; a snapshot knows one time only.
        """
        assert at is None
        return self._standing(account_id) if account_id in set(self._organization.accounts()) else None

    async def accounts(self, *, at: datetime | None) -> list[Standing]:
        """
        Return all accounts by id.
        """
        assert at is None
        return [self._standing(account_id) for account_id in sorted(self._organization.accounts())]

    async def ceilings(self, accounts: Iterable[Standing]) -> Ceilings:
        """
        Return the chains of accounts, with what they are made of.
        """
        chains = [self._records[account.chain_id] for account in accounts if account.chain_id is not None]
        return Ceilings(self._organization.organization_id, chains, self._survey.documents, algebra)

    async def names(self) -> dict[str, str]:
        """
        Return the names of organizational units and policies by their ids.
        """
        return _names(self._organization)

    async def organization(self) -> Organization:
        """
        Return the whole organization.
        """
        return self._organization

    def _standing(self, account_id: str) -> Standing:
        placement = self._survey.placement(account_id)
        if placement is not None:
            self._records[placement.chain.chain_id] = placement.chain
        registers = self._organization.registers
        return Standing(
            organization_id=self._organization.organization_id,
            account_id=account_id,
            name=self._organization.name_of(account_id),
            email=registers.text(FactKind.ACCOUNT, account_id, Attribute.EMAIL),
            status=registers.status(account_id),
            path=placement.path if placement else (account_id,),
            complete=placement is not None,
            chain_id=placement.chain.chain_id if placement else None,
        )


class LiveSource:
    """
    An organization out of the stored view.
    """

    def __init__(self, reader: Reader, organization_id: str) -> None:
        self.reader = reader
        self.organization_id = organization_id

    async def account(self, account_id: str, *, at: datetime | None) -> Standing | None:
        """
        Return one account as it is, or was *at* a time.
        """
        record = await self.reader.account(self.organization_id, account_id, at=at)
        return _stored(record) if record is not None else None

    async def accounts(self, *, at: datetime | None) -> list[Standing]:
        """
        Return all accounts by id, as they are or were *at* a time.
        """
        return [_stored(record) for record in await self.reader.accounts(self.organization_id, at=at)]

    async def ceilings(self, accounts: Iterable[Standing]) -> Ceilings:
        """
        Return the chains of accounts, with what they are made of.
        """
        wanted = {account.chain_id for account in accounts if account.chain_id}
        records = await self.reader.chains(self.organization_id, wanted)
        digests = {policy.digest for record in records.values() for policy in record.policies}
        texts = await self.reader.documents(self.organization_id, digests)
        documents = {digest: _document(text) for digest, text in texts.items()}
        return Ceilings(self.organization_id, records.values(), documents, algebra)

    async def names(self) -> dict[str, str]:
        """
        Return the names of organizational units and policies by their ids.
        """
        return await self.reader.names(self.organization_id)

    async def organization(self) -> Organization:
        """
        Return the whole organization as it is now.
        """
        return Organization(self.organization_id, await self.reader.facts(self.organization_id))


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


def load_organization(snapshot: Snapshot) -> Organization:
    """
    Return the organization that a snapshot describes.
    """
    change = Change(
        event_id="snapshot",
        source="file",
        type=ChangeType.SNAPSHOT,
        time=BEGINNING,
        sequence="",
        organization_id=snapshot.organization_id,
        actor=None,
        data=SnapshotTaken(snapshot),
    )
    return Organization(snapshot.organization_id, facts_of(change))


def _stored(record: AccountRecord) -> Standing:
    return Standing(
        organization_id=record.organization_id,
        account_id=record.account_id,
        name=record.name,
        email=record.email,
        status=record.status,
        path=record.path,
        complete=record.complete,
        chain_id=record.chain_id,
        record=record,
    )


def _document(text: str) -> Document:
    document = read_stored(text)
    assert document is not None, "the view stores documents that it could read"
    return document


def _names(organization: Organization) -> dict[str, str]:
    subjects = [*organization.units(), *organization.policies()]
    return {subject: organization.name_of(subject) for subject in subjects}
