"""
Organizations as they are now, kept for the next question as long as nothing is written to their views.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from rooftree.inquiry.sources import LiveSource, MemorySource
from rooftree.inquiry.standing import Standing
from rooftree.reading.reader import Reader
from rooftree.view.ceilings import Ceilings

__all__ = ["MOST_ACCOUNTS", "CachedSource", "OrganizationCache"]

MOST_ACCOUNTS: Final = 30_000
"""Accounts that a process remembers, of all organizations together; the one that is asked about is kept in any case."""


class _Kept:
    """
    One organization, as far as it was asked about.

    INVARIANT: it was read after its version was, so what was written in between makes the next question read anew.
    """

    def __init__(self, version: int, size: int) -> None:
        self.version = version
        self.size = size
        self.organization: MemorySource | None = None
        self.accounts: tuple[list[Standing], Ceilings] | None = None


class CachedSource(LiveSource):
    """
    An organization out of the stored view, read once for all questions about now.
    """

    def __init__(self, reader: Reader, organization_id: str, known: _Kept) -> None:
        super().__init__(reader, organization_id)
        self._known = known

    async def as_it_is(self) -> MemorySource:
        """
        Return the whole organization as it is now.
        """
        if self._known.organization is None:
            self._known.organization = MemorySource(await self.organization())
        return self._known.organization

    async def accounts(self, *, at: datetime | None) -> list[Standing]:
        """
        Return all accounts by id, as they are or were *at* a time.
        """
        return await super().accounts(at=at) if at is not None else (await self._now())[0]

    async def ceilings(self, accounts: Iterable[Standing]) -> Ceilings:
        """
        Return the chains of accounts, with what they are made of.
        """
        known = self._known.accounts
        return known[1] if known is not None and accounts is known[0] else await super().ceilings(accounts)

    async def _now(self) -> tuple[list[Standing], Ceilings]:
        if self._known.accounts is None:
            accounts = await super().accounts(at=None)
            self._known.accounts = accounts, await super().ceilings(accounts)
        return self._known.accounts


class OrganizationCache:
    """
    The organizations that were asked about last, as long as their views are as they were.

    Of use to a process that is asked again and again while somebody writes a policy.

    Args:
        most: How many accounts are remembered.
    """

    def __init__(self, most: int = MOST_ACCOUNTS) -> None:
        self._most = most
        self._known: dict[str, _Kept] = {}

    async def source_of(self, reader: Reader, organization_id: str) -> CachedSource:
        """
        Return an organization, with what is remembered of it.

        Raises:
            UnavailableError: The database does not answer.
        """
        versions = {record.organization_id: record.version for record in await reader.organizations()}
        version = versions.get(organization_id, 0)
        known = self._known.pop(organization_id, None)
        if known is None or known.version != version:
            known = _Kept(version, await reader.count_accounts(organization_id))
        self._known[organization_id] = known
        self._forget(organization_id)
        return CachedSource(reader, organization_id, known)

    async def fill(self, reader: Reader) -> None:
        """
        Remember the organizations that there are, as far as there is room.

        Raises:
            UnavailableError: The database does not answer.
        """
        room = self._most
        for record in await reader.organizations():
            room -= await reader.count_accounts(record.organization_id)
            if room < 0:
                return
            source = await self.source_of(reader, record.organization_id)
            (await source.as_it_is()).prepare()
            await source.accounts(at=None)

    def _forget(self, but: str) -> None:
        total = sum(known.size for known in self._known.values())
        for organization_id in list(self._known):
            if total <= self._most or organization_id == but:
                return
            total -= self._known.pop(organization_id).size
