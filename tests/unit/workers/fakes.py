"""
The ports in memory.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from rooftree.errors import LostPartitionError, StaleViewError
from rooftree.organization.memberships import Membership
from rooftree.ports.change_log import Batch, LogPartition, LogRecord, PartitionStatus
from rooftree.ports.letters import OpenLetters, StoredLetter
from rooftree.ports.outbox import EncodeStates, OutboxRow
from rooftree.ports.projection import BatchCommit, LoadedView
from rooftree.ports.publishing import OutgoingRecord
from rooftree.reading.reader import LetterName
from rooftree.view.projection import OrganizationView

__all__ = ["PARTITION", "TIME", "MemoryLog", "MemoryOutbox", "MemoryPublisher", "MemoryStore", "SilentNudges", "record"]

PARTITION = LogPartition("log", "changes", 0)
TIME = datetime(2026, 1, 5, 8, tzinfo=UTC)


def record(offset: int, value: bytes | None, *, key: bytes | None = b"o-exampleorg") -> LogRecord:
    """
    Return a record of the changes topic.
    """
    return LogRecord(offset, TIME, key, value)


class MemoryStore:
    """
    A store that keeps batches, and builds views by folding them anew.

    Attributes:
        before_commit: Called with each batch first; what it raises is what the server said.
    """

    def __init__(self) -> None:
        self.offset = 0
        self.batches: list[BatchCommit] = []
        self.before_commit: Callable[[BatchCommit], None] = lambda _: None
        self.loads = 0

    async def stored_offsets(self, log_id: str, topic: str) -> Mapping[int, int]:
        """
        Return the one offset.
        """
        return {0: self.offset}

    async def load_view(self, organization_id: str) -> LoadedView:
        """
        Return the view that the patches stored so far make.
        """
        self.loads += 1
        facts, accounts, chains, documents, position, version = {}, {}, {}, {}, None, 0
        principals, texts, rows, probes, rereads = {}, {}, {}, {}, {}
        for organization in self._commits(organization_id):
            version += 1
            for patch in organization.patches:
                facts.update({fact.key: fact for fact in patch.facts})
                for departure in patch.departed:
                    del accounts[departure.account_id]
                accounts.update({account.account_id: account for account in patch.accounts})
                chains.update({chain.chain_id: chain for chain in patch.chains})
                documents.update({document.digest: document for document in patch.documents})
                principals.update({fact.key: fact for fact in patch.principals.facts})
                for key in patch.principals.forgotten:
                    principals.pop(key, None)
                rows.update({state.key: state for state in patch.principals.states})
                for key in patch.principals.gone:
                    del rows[key]
                probes.update({state.probe.name: state for state in patch.probes.states})
                for name in patch.probes.gone:
                    del probes[name]
                rereads.update({one.request.key: one for one in patch.rereads.open})
                for key in patch.rereads.gone:
                    rereads.pop(key, None)
                texts.update({document.digest: document for document in patch.principals.documents})
                position = patch.position
        view = OrganizationView.load(
            organization_id,
            facts.values(),
            accounts.values(),
            position,
            chains=chains.values(),
            documents=documents.values(),
            principals=principals.values(),
            principal_documents=texts.values(),
            reported=[
                (account_id, f"{kind}/{name}", state.reported)
                for (account_id, kind, name), state in rows.items()
                if state.reported is not None
            ],
            probes=probes.values(),
            rereads=rereads.values(),
        )
        return LoadedView(view, version)

    async def seen(self, events: Mapping[str, Sequence[tuple[str, str]]]) -> set[tuple[str, str, str]]:
        """
        Return which events are in a batch.
        """
        asked = {(organization, *event) for organization, listed in events.items() for event in listed}
        stored = {
            (organization.organization_id, event.source, event.event_id)
            for batch in self.batches
            for organization in batch.organizations
            for event in organization.seen
        }
        return asked & stored

    async def memberships(self, account_ids: Sequence[str]) -> Sequence[Membership]:
        """
        Return what the facts say.
        """
        facts = {
            (organization.organization_id, fact.subject)
            for batch in self.batches
            for organization in batch.organizations
            for patch in organization.patches
            for fact in patch.facts
            if fact.kind == "account" and fact.subject in account_ids
        }
        views = {each: (await self.load_view(each)).view for each in {organization for organization, _ in facts}}
        return [Membership(*fact, fact[1] in views[fact[0]].accounts) for fact in sorted(facts)]

    async def open_letters(self, organization_id: str, replays: Sequence[tuple[LetterName, bytes]]) -> OpenLetters:
        """
        Return the letters of an organization that no batch has resolved.
        """
        kept = {
            StoredLetter(batch.partition, letter, "").name: hashlib.sha256(letter.record.value or b"").digest()
            for batch in self.batches
            for letter in batch.letters
            if letter.organization_id == organization_id and not letter.superseded
        }
        for batch in self.batches:
            for replay in batch.replays:
                if replay.failure is None:
                    kept.pop(replay.letter, None)
        return OpenLetters(len(kept), frozenset(replay for replay in replays if kept.get(replay[0]) == replay[1]))

    async def organizations_of(self, partition: LogPartition) -> Sequence[str]:
        """
        Return every organization.
        """
        return sorted({each.organization_id for batch in self.batches for each in batch.organizations})

    async def commit(self, batch: BatchCommit) -> None:
        """
        Keep a batch that starts where the one before ended.
        """
        self.before_commit(batch)
        if batch.from_offset != self.offset:
            raise LostPartitionError("moved")
        for organization in batch.organizations:
            if organization.expected_version != len(self._commits(organization.organization_id)):
                raise StaleViewError(organization.organization_id)
        self.batches.append(batch)
        self.offset = batch.to_offset

    def _commits(self, organization_id: str) -> list:
        return [
            organization
            for batch in self.batches
            for organization in batch.organizations
            if organization.organization_id == organization_id
        ]


class MemoryLog:
    """
    A log of one partition that is read from where the store says.

    Attributes:
        errors: Raised by the next calls of `take`, one each.
        statuses: What `status` returns, one a call; the last one stays.
    """

    def __init__(self, store: MemoryStore, records: Sequence[LogRecord], *, stop: asyncio.Event) -> None:
        self.store = store
        self.records = list(records)
        self.stop = stop
        self.position: int | None = None
        self.size = 500
        self.losses: deque[Batch] = deque()
        self.errors: deque[Exception] = deque()
        self.statuses: Sequence[PartitionStatus] = ()
        self.rebuilds = 0

    async def take(self) -> Sequence[Batch]:
        """
        Return the next records; at the end of the log set *stop*.
        """
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.popleft()
        if self.losses:
            return [self.losses.popleft()]
        if self.position is None:
            self.position = (await self.store.stored_offsets("log", "changes"))[0]
        start = self.position
        found = tuple(each for each in self.records if start <= each.offset)[: self.size]
        if not found:
            self.stop.set()
            return []
        self.position = found[-1].offset + 1
        return [Batch(PARTITION, start, self.position, found)]

    def forget(self, partition: LogPartition) -> None:
        """
        Ask the store again.
        """
        self.position = None

    async def status(self) -> Sequence[PartitionStatus]:
        """
        Return what was set.
        """
        return self.statuses

    async def rebuild(self) -> None:
        """
        Count.
        """
        self.rebuilds += 1


class MemoryPublisher:
    """
    A broker that keeps what it is sent.

    Attributes:
        error: Raised instead of keeping, if it returns one for the records.
    """

    def __init__(self) -> None:
        self.sent: list[OutgoingRecord] = []
        self.error: Callable[[Sequence[OutgoingRecord]], Exception | None] = lambda _: None

    async def log_id(self) -> str:
        """
        Return a name.
        """
        return "log"

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        """
        Keep records.
        """
        if error := self.error(records):
            raise error
        self.sent += records


class MemoryOutbox:
    """
    Rows by organization, and dead letters.
    """

    def __init__(self) -> None:
        self.rows: dict[str, list[OutboxRow]] = {}
        self.letters: list[StoredLetter] = []
        self.filled: list[tuple[str, str]] = []
        self.trims: list[float] = []

    async def pending(self) -> Sequence[str]:
        """
        Return who has rows.
        """
        return [organization for organization, rows in self.rows.items() if rows]

    @asynccontextmanager
    async def claim(
        self, organization_id: str, *, limit: int, most: int = 1
    ) -> AsyncIterator[AsyncIterator[Sequence[OutboxRow]]]:
        """
        Lend the first rows; without an error they go.
        """
        rows = self.rows[organization_id]
        lent = 0

        async def batches() -> AsyncIterator[Sequence[OutboxRow]]:
            nonlocal lent
            while lent < min(most * limit, len(rows)):
                batch = rows[lent : lent + limit]
                yield batch
                lent += len(batch)

        yield batches()
        del rows[:lent]

    @asynccontextmanager
    async def claim_letters(self, *, limit: int) -> AsyncIterator[Sequence[StoredLetter]]:
        """
        Lend the first letters; without an error they go.
        """
        lent = self.letters[:limit]
        yield lent
        del self.letters[: len(lent)]

    async def resend_states(self, log_id: str, topic: str, encode: EncodeStates) -> int:
        """
        Remember the call.
        """
        self.filled.append((log_id, topic))
        return 0

    async def trim(self, *, older_than: float) -> int:
        """
        Remember the call.
        """
        self.trims.append(older_than)
        return 0

    async def count_probes(self) -> Mapping[str, int]:
        """
        Return that there is one of each.
        """
        return {"as_expected": 1, "not_as_expected": 1, "unknown": 1}

    async def oldest_unsent(self) -> float:
        """
        Return nothing to worry about.
        """
        return 0


class SilentNudges:
    """
    Nudges that never come.
    """

    async def wait(self, seconds: float, stop: asyncio.Event) -> None:
        """
        Let others run.
        """
        await asyncio.sleep(0)
