"""
Where answers come from: the stored view, or an organization in memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime
from functools import cached_property
from typing import Final, Protocol

from rooftree import permissions as algebra
from rooftree.inquiry.standing import Standing
from rooftree.organization.chains import ChainRecord
from rooftree.organization.changes import Change, ChangeType, SnapshotTaken
from rooftree.organization.claims import facts_of
from rooftree.organization.directory import Directory
from rooftree.organization.documents import Document, read_stored
from rooftree.organization.facts import Attribute, FactKind
from rooftree.organization.snapshot import Snapshot
from rooftree.organization.survey import Survey
from rooftree.organization.tree import Organization
from rooftree.reading.reader import AccountRecord, Reader
from rooftree.view.ceilings import Ceilings

__all__ = ["LiveSource", "MemorySource", "OrganizationSource", "load_organization"]

BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)

DOCUMENTS_KEPT: Final = 4096
"""Some tens of megabytes at most; an organization has a hundred policies as a rule."""


class OrganizationSource(Protocol):
    """
    One organization as questions are put to it.
    """

    organization_id: str

    def moment(self) -> AbstractAsyncContextManager[None]:
        """
        Have the questions within the block see one moment; nothing that takes long belongs into it.
        """
        ...

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

    async def count_principals(self, account_ids: Collection[str]) -> Mapping[str, int]:
        """
        Return how many users and roles are known of each of some accounts; those without any may be absent.
        """
        ...

    async def principals(self, account_ids: Collection[str]) -> Directory:
        """
        Return the users, groups and roles of some accounts.
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
        self._standings: dict[str, Standing] = {}
        self._hanging: dict[str, tuple[str, ...]] = {}

    @property
    def state(self) -> Organization:
        """
        The organization itself; whoever changes it makes this source wrong.
        """
        return self._organization

    @cached_property
    def count(self) -> int:
        """
        How many accounts there are.
        """
        return sum(1 for _ in self._organization.accounts())

    @cached_property
    def latest(self) -> datetime:
        """
        The time of what was told last.
        """
        return max((fact.version.time for fact in self._organization.registers), default=BEGINNING)

    def standing(self, account_id: str) -> Standing:
        """
        Return an account that exists.
        """
        standing = self._standings.get(account_id)
        if standing is None:
            standing = self._standings[account_id] = self._found(account_id)
        return standing

    def hanging(self, account_id: str) -> tuple[str, ...]:
        """
        Return the ids of the policies that hang on an account itself.
        """
        hanging = self._hanging.get(account_id)
        if hanging is None:
            hanging = self._hanging[account_id] = tuple(self._organization.attached_ids(account_id))
        return hanging

    def prepare(self) -> None:
        """
        Work out what is asked of all accounts again and again.
        """
        for standing in self.standings():
            self.hanging(standing.account_id)
        _ = self.latest, self.count

    def standings(self, among: Collection[str] | None = None) -> list[Standing]:
        """
        Return all accounts by id, or those among some.
        """
        organization = self._organization
        known = organization.accounts() if among is None else filter(self._exists, among)
        return [self.standing(account_id) for account_id in sorted(known)]

    def chains_of(self, accounts: Iterable[Standing]) -> Ceilings:
        """
        Return the chains of accounts, with what they are made of.
        """
        chains = [self._records[account.chain_id] for account in accounts if account.chain_id is not None]
        return Ceilings(self._organization.organization_id, chains, self._survey.documents, algebra)

    def known_names(self) -> dict[str, str]:
        """
        Return the names of organizational units and policies by their ids.
        """
        return self._names

    @cached_property
    def _names(self) -> dict[str, str]:
        return self._organization.names()

    def moment(self) -> AbstractAsyncContextManager[None]:
        """
        Do nothing: what is in memory stays as it is.
        """
        return nullcontext()

    async def account(self, account_id: str, *, at: datetime | None) -> Standing | None:
        """
        Return one account; what is in memory has no past.
        """
        assert at is None
        return self.standing(account_id) if account_id in set(self._organization.accounts()) else None

    async def accounts(self, *, at: datetime | None) -> list[Standing]:
        """
        Return all accounts by id.
        """
        assert at is None
        return self.standings()

    async def ceilings(self, accounts: Iterable[Standing]) -> Ceilings:
        """
        Return the chains of accounts, with what they are made of.
        """
        return self.chains_of(accounts)

    async def names(self) -> dict[str, str]:
        """
        Return the names of organizational units and policies by their ids.
        """
        return self.known_names()

    async def organization(self) -> Organization:
        """
        Return the whole organization.
        """
        return self._organization

    async def count_principals(self, account_ids: Collection[str]) -> Mapping[str, int]:  # noqa: ARG002  # of none
        """
        Return nothing: a snapshot of an organization knows no principals.
        """
        return {}

    async def principals(self, account_ids: Collection[str]) -> Directory:  # noqa: ARG002  # of none
        """
        Return an empty directory.
        """
        return Directory()

    def _exists(self, account_id: str) -> bool:
        return account_id in self._standings or self._organization.has_node(account_id)

    def _found(self, account_id: str) -> Standing:
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

    def moment(self) -> AbstractAsyncContextManager[None]:
        """
        Have the questions within the block see one moment, over one connection.
        """
        return self.reader.moment()

    async def account(self, account_id: str, *, at: datetime | None) -> Standing | None:
        """
        Return one account as it is, or was *at* a time.
        """
        found = await self.reader.bound_account(self.organization_id, account_id, at=at)
        return _stored(found.record, found.chain) if found is not None else None

    async def accounts(self, *, at: datetime | None) -> list[Standing]:
        """
        Return all accounts by id, as they are or were *at* a time.
        """
        return [_stored(record) for record in await self.reader.accounts(self.organization_id, at=at)]

    async def ceilings(self, accounts: Iterable[Standing]) -> Ceilings:
        """
        Return the chains of accounts, with what they are made of.
        """
        chains: dict[str, ChainRecord | None] = {one.chain_id: one.chain for one in accounts if one.chain_id}
        known = {chain_id: chain for chain_id, chain in chains.items() if chain is not None}
        if missing := chains.keys() - known.keys():
            known |= await self.reader.chains(self.organization_id, missing)
        digests = {policy.digest for chain in known.values() for policy in chain.policies}
        documents = await _shelf.documents(self.reader, self.organization_id, digests)
        return Ceilings(self.organization_id, known.values(), documents, algebra)

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

    async def count_principals(self, account_ids: Collection[str]) -> Mapping[str, int]:
        """
        Return how many users and roles are known of each of some accounts.
        """
        return await self.reader.count_principals(self.organization_id, account_ids)

    async def principals(self, account_ids: Collection[str]) -> Directory:
        """
        Return the users, groups and roles of some accounts.
        """
        known = Directory(await self.reader.principal_facts(self.organization_id, account_ids))
        digests = {digest for account_id in filter(known.knows, account_ids) for digest in known.digests(account_id)}
        if digests:
            known.learn(await self.reader.principal_documents(self.organization_id, digests))
        return known


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


class _Shelf:
    """
    Policy documents as they were read, for all questions of this process.

    INVARIANT: a digest names its document, and whoever was given a chain may read the documents in it.
    """

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}

    async def documents(self, reader: Reader, organization_id: str, digests: Iterable[str]) -> dict[str, Document]:
        """
        Return documents by their digests, reading those that are not at hand.
        """
        found, missing = {}, []
        for digest in set(digests):
            if digest in self._documents:
                found[digest] = self._documents[digest]
            else:
                missing.append(digest)
        if missing:
            texts = await reader.documents(organization_id, missing)
            read = {digest: _document(text) for digest, text in texts.items()}
            if len(self._documents) + len(read) > DOCUMENTS_KEPT:
                self._documents.clear()
            self._documents |= read
            found |= read
        return found


_shelf: Final = _Shelf()


def _stored(record: AccountRecord, chain: ChainRecord | None = None) -> Standing:
    return Standing(
        record.organization_id,
        record.account_id,
        record.name,
        record.email,
        record.status,
        record.path,
        record.complete,
        record.chain_id,
        record,
        chain,
    )


def _document(text: str) -> Document:
    document = read_stored(text)
    assert document is not None, "the view stores documents that it could read"
    return document
