from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from tests.unit.api.fake_reader import ORGANIZATION, FakeReader, account

from rooftree.inquiry.organization_cache import OrganizationCache
from rooftree.organization.facts import Fact
from rooftree.reading.reader import AccountRecord, OrganizationRecord

OTHER = "o-otherorg000"
THIRD = "o-thirdorg000"


class CountedReader(FakeReader):
    """
    Counts what is read, organization by organization; each has two accounts.
    """

    def __init__(self, *organizations: str) -> None:
        super().__init__(organizations=organizations)
        self.version = 1
        self.read: list[tuple[str, str]] = []

    async def organizations(self) -> list[OrganizationRecord]:
        """All that may be seen, at one version."""
        return [replace(one, version=self.version) for one in await super().organizations()]

    async def count_accounts(self, organization_id: str) -> int:
        """Two of each."""
        return 2

    async def accounts(self, organization_id: str, *, at: datetime | None = None, **_: object) -> list[AccountRecord]:  # type: ignore[override]
        """Two of each."""
        self.read.append(("accounts", organization_id))
        return [account(number)._replace(organization_id=organization_id) for number in (1, 2)]

    async def facts(self, organization_id: str) -> list[Fact]:
        """None."""
        self.read.append(("facts", organization_id))
        return []


async def ask(cache: OrganizationCache, reader: FakeReader, organizations: Iterable[str]) -> None:
    """Ask all that is remembered about some organizations, one after the other."""
    for organization_id in organizations:
        source = await cache.source_of(reader, organization_id)
        await source.ceilings(await source.accounts(at=None))
        await source.as_it_is()


async def test_what_was_read_is_not_read_again_before_something_is_written() -> None:
    """A question reads the version alone; after the next write, everything."""
    cache, reader = OrganizationCache(), CountedReader(ORGANIZATION)
    await ask(cache, reader, [ORGANIZATION] * 3)
    once = list(reader.read)
    reader.version = 2
    await ask(cache, reader, [ORGANIZATION] * 2)

    assert [("accounts", ORGANIZATION), ("facts", ORGANIZATION)] == once
    assert 2 * once == reader.read


async def test_the_past_is_read_each_time() -> None:
    """Only what is now is remembered."""
    cache, reader = OrganizationCache(), CountedReader(ORGANIZATION)
    for _ in range(2):
        source = await cache.source_of(reader, ORGANIZATION)
        await source.accounts(at=datetime(2026, 1, 1, tzinfo=UTC))

    assert 2 * [("accounts", ORGANIZATION)] == reader.read


async def test_accounts_and_not_organizations_bound_what_is_remembered() -> None:
    """With room for two of two accounts each, the one that was asked about first makes room for the third."""
    cache, reader = OrganizationCache(most=4), CountedReader(ORGANIZATION, OTHER, THIRD)
    await ask(cache, reader, [ORGANIZATION, OTHER, ORGANIZATION, THIRD])
    reader.read.clear()
    await ask(cache, reader, [THIRD, ORGANIZATION, OTHER])

    assert {OTHER} == {organization_id for _, organization_id in reader.read}


async def test_an_organization_that_is_larger_than_the_bound_is_kept_while_it_is_asked_about() -> None:
    """Two questions in a row read it once."""
    cache, reader = OrganizationCache(most=1), CountedReader(ORGANIZATION)
    await ask(cache, reader, [ORGANIZATION] * 2)

    assert 2 == len(reader.read)


async def test_what_somebody_may_not_see_is_not_remembered_to_them() -> None:
    """Whoever does not see an organization is not given what others have read of it."""
    cache, reader, stranger = OrganizationCache(), CountedReader(ORGANIZATION), CountedReader(OTHER)
    await ask(cache, reader, [ORGANIZATION])
    await ask(cache, stranger, [ORGANIZATION])

    assert [("accounts", ORGANIZATION), ("facts", ORGANIZATION)] == stranger.read


async def test_a_process_is_ready_with_what_there_is_room_for() -> None:
    """The first question reads nothing of what was read before it."""
    cache, reader = OrganizationCache(most=4), CountedReader(ORGANIZATION, OTHER, THIRD)
    await cache.fill(reader)
    filled = {organization_id for _, organization_id in reader.read}
    reader.read.clear()
    await ask(cache, reader, [ORGANIZATION, OTHER])

    assert {ORGANIZATION, OTHER} == filled
    assert [] == reader.read
