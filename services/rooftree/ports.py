"""
What the workers need from the outside: the change log, the store, the publisher.

Every method may raise `UnavailableError`; the state outside is then what it was before the call or what it would be
after it, and repeating the call is safe. Cancelling has the same two outcomes. No other error is passed on for a
server that is away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from rooftree.contracts.authorization_details import AuthorizationDetails
from rooftree.organization.facts import Fact
from rooftree.organization.memberships import Membership
from rooftree.organization.observation import Observation
from rooftree.organization.rereads import Reread
from rooftree.organization.snapshot import Snapshot
from rooftree.reading import LetterName, RereadRecord
from rooftree.view.patch import AccountState, Patch, PermissionState
from rooftree.view.projection import OrganizationView

__all__ = [
    "AccountDetails",
    "Batch",
    "BatchCommit",
    "ChangeLog",
    "ChangePublisher",
    "DeadLetter",
    "EncodeStates",
    "KnownOrganization",
    "LoadedView",
    "LogPartition",
    "LogRecord",
    "Nudges",
    "OpenLetters",
    "OrganizationApi",
    "OrganizationCommit",
    "OutboxRow",
    "OutboxStore",
    "OutgoingRecord",
    "PartitionStatus",
    "ProjectionStore",
    "Publisher",
    "ReconciliationStore",
    "RecordKind",
    "Replay",
    "Rereads",
    "SeenEvent",
    "StoredLetter",
    "WholeOrganization",
]


@dataclass(frozen=True, slots=True, order=True)
class LogPartition:
    """
    One partition of one topic in one particular broker.

    Attributes:
        log_id: The id of the broker's cluster and, after a slash, of the topic; what was made anew has another.
    """

    log_id: str
    topic: str
    partition: int

    @property
    def cluster_id(self) -> str:
        """
        The id of the broker's cluster.
        """
        return self.log_id.partition("/")[0]


@dataclass(frozen=True, slots=True)
class LogRecord:
    """
    One record as the broker gave it.

    Attributes:
        time: When the broker took it, if it says.
    """

    offset: int
    time: datetime | None
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """
    Records of one partition that follow each other.

    Attributes:
        from_offset: Where reading stood before; the first record may lie behind it, since logs have gaps.
        to_offset: Where reading stands after.
        lost: Why reading cannot go on at *from_offset*, but only at *to_offset*, with no records in this batch; None
            in the ordinary case.
    """

    partition: LogPartition
    from_offset: int
    to_offset: int
    records: tuple[LogRecord, ...]
    lost: str | None = None


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """
    How far reading of one partition has come.
    """

    partition: LogPartition
    position: int
    end: int

    @property
    def lag(self) -> int:
        """
        How many records are waiting.
        """
        return max(0, self.end - self.position)


class ChangeLog(Protocol):
    """
    The topic of changes, as one of its readers sees it.
    """

    async def take(self) -> Sequence[Batch]:
        """
        Return what has arrived, at most one batch a partition; nothing after a short while without records.

        A batch starts where the one before of its partition ended, or where the store says if the partition is new
        here. What a rebalance takes away is not returned.

        Raises:
            LogLossError: The broker holds no longer, or not yet, what the store says was read, and policy is to stop.
        """
        ...

    def forget(self, partition: LogPartition) -> None:
        """
        Ask the store again where to read *partition* on, before the next batch of it.
        """
        ...

    async def status(self) -> Sequence[PartitionStatus]:
        """
        Return where reading stands, by asking the broker for the ends.

        A partition that ends before its position, or a broker that has become another one, is taken as not read yet:
        the next batches start where the store says.
        """
        ...

    async def rebuild(self) -> None:
        """
        Drop all connections and start again, for a client that has gone silent.
        """
        ...


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """
    A change that the view holds now.

    Attributes:
        revision: The organization's revision after it.
    """

    source: str
    event_id: str
    type: str
    time: datetime
    revision: int
    offset: int
    record_time: datetime | None


class RecordKind(StrEnum):
    """
    What is sent where: each kind has a topic.
    """

    CHANGE = "change"
    AUDIT = "audit"
    PERMISSIONS = "permissions"
    DEAD_LETTER = "dead_letter"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """
    A record that waits in the store for being sent.

    Attributes:
        event_id: The same at each repetition.
        payload: The value; None for a tombstone.
        traceparent: The header that names the work that made it, if that was traced.
    """

    event_id: str
    kind: RecordKind
    key: str
    type: str
    payload: bytes | None
    revision: int
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """
    A record that could not be processed, and why.

    Attributes:
        organization_id: The organization that misses it, or empty.
        disposition: ``undecodable``, ``unknown_schema``, ``refused``, ``too_large`` or ``fault``.
        superseded: Whether a snapshot in the same batch has told anew all that is missed.
    """

    record: LogRecord
    organization_id: str
    reason: str
    place: str
    disposition: str
    error_class: str
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class Replay:
    """
    A dead letter that was tried again.

    Attributes:
        failure: Why it could not be processed this time either; None if it was.
    """

    letter: LetterName
    failure: DeadLetter | None


@dataclass(frozen=True, slots=True)
class OpenLetters:
    """
    The dead letters of an organization that wait.

    Attributes:
        count: How many.
        replayed: Of the replays asked about, by letter and digest, those of a letter that waits with just these bytes.
    """

    count: int
    replayed: frozenset[tuple[LetterName, bytes]]


@dataclass(frozen=True, slots=True)
class OrganizationCommit:
    """
    What a batch does to one organization.

    Attributes:
        expected_version: The version of the stored organization that the patches build on; 0 if there was none.
        outbox: What is to be sent, in its order.
        superseded: Whether a snapshot has told anew all that the letters stored so far could have said.
    """

    organization_id: str
    expected_version: int
    patches: tuple[Patch, ...]
    seen: tuple[SeenEvent, ...]
    outbox: Collection[OutboxRow]
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class BatchCommit:
    """
    Everything that one transaction writes.
    """

    partition: LogPartition
    from_offset: int
    to_offset: int
    organizations: tuple[OrganizationCommit, ...] = ()
    letters: tuple[DeadLetter, ...] = ()
    replays: tuple[Replay, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadedView:
    """
    A view out of the store.

    Attributes:
        version: The version of the stored organization; 0 if there is none.
    """

    view: OrganizationView
    version: int


class ProjectionStore(Protocol):
    """
    The store as the projector uses it.
    """

    async def stored_offsets(self, log_id: str, topic: str) -> Mapping[int, int]:
        """
        Return where to read on, by partition; a partition that was never read is absent.
        """
        ...

    async def load_view(self, organization_id: str) -> LoadedView:
        """
        Return the view of an organization with the version that it is of.
        """
        ...

    async def seen(self, events: Mapping[str, Sequence[tuple[str, str]]]) -> set[tuple[str, str, str]]:
        """
        Return which of the given (source, event id) by organization the view already holds, with the organization.
        """
        ...

    async def memberships(self, account_ids: Sequence[str]) -> Sequence[Membership]:
        """
        Return the organizations that accounts belong to, or have belonged to.
        """
        ...

    async def open_letters(self, organization_id: str, replays: Sequence[tuple[LetterName, bytes]]) -> OpenLetters:
        """
        Return how many dead letters of an organization wait, and which of *replays* are of one of them.

        Args:
            organization_id: The organization, or empty for letters that tell none.
            replays: Letters of this organization, each with the SHA-256 of the value of its replay.
        """
        ...

    async def organizations_of(self, partition: LogPartition) -> Sequence[str]:
        """
        Return the organizations whose changes have come by a partition, of whatever broker.
        """
        ...

    async def commit(self, batch: BatchCommit) -> None:
        """
        Write a batch and move the offset, all or nothing.

        Raises:
            LostPartitionError: The stored offset is not where the batch starts.
            RefusedRowError: A row is not taken, at no attempt.
            StaleViewError: A stored organization is of another version than expected.
        """
        ...


@dataclass(frozen=True, slots=True)
class OutgoingRecord:
    """
    A record for the broker.
    """

    kind: RecordKind
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Publisher(Protocol):
    """
    The topics that are written.
    """

    async def log_id(self) -> str:
        """
        Return which log the topic of account states is at this moment.
        """
        ...

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        """
        Send records; on return the broker has all of them, in the order given for each key.

        After an error it may have any of them; sending all of them again is right.

        Raises:
            RecordTooLargeError: A record is too large for the broker.
        """
        ...


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """
    A dead letter with where it came from.
    """

    partition: LogPartition
    letter: DeadLetter
    software_version: str

    @property
    def name(self) -> LetterName:
        """
        What names it.
        """
        place = (self.partition.log_id, self.partition.topic, self.partition.partition)
        return LetterName(self.letter.organization_id, *place, self.letter.record.offset)


class EncodeStates(Protocol):
    """
    How the states of accounts become rows of the outbox.
    """

    def __call__(
        self,
        organization_id: str,
        accounts: Sequence[AccountState],
        permission_sets: Iterable[PermissionState],
        *,
        complete: bool,
    ) -> Sequence[OutboxRow]:
        """
        Return a row for each of *accounts*.
        """
        ...


class OutboxStore(Protocol):
    """
    The store as the relay uses it.
    """

    async def pending(self) -> Sequence[str]:
        """
        Return the organizations that have rows to send.
        """
        ...

    def claim(
        self, organization_id: str, *, limit: int, most: int = 1
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[OutboxRow]]]:
        """
        Lend the rows of an organization that are not sent, in their order, and keep other relays away from it.

        Batch by batch, each of at most *limit* rows, and no more than *most* batches. They count as sent when the block
        ends; if it ends by an error they do not, and come again. Nothing is lent if another relay is at this
        organization.
        """
        ...

    def claim_letters(self, *, limit: int) -> AbstractAsyncContextManager[Sequence[StoredLetter]]:
        """
        Lend dead letters that are not sent; they count as sent when the block ends without an error.
        """
        ...

    async def resend_states(self, log_id: str, topic: str, encode: EncodeStates) -> int:
        """
        Put the states of all accounts of an organization into the outbox, where the topic does not have them.

        That is so for a broker that was made anew, and after an organization has become incomplete or complete, which
        each state says. Returns how many.
        """
        ...

    async def trim(self, *, older_than: float) -> int:
        """
        Remove rows that were sent more than so many seconds ago; returns how many.
        """
        ...

    async def count_probes(self) -> Mapping[str, int]:
        """
        Return how many probes of all organizations are in each state: as expected, not as expected, unknown.
        """
        ...

    async def oldest_unsent(self) -> float:
        """
        Return the age in seconds of the oldest row to send; 0 if there is none.
        """
        ...


@dataclass(frozen=True, slots=True)
class WholeOrganization:
    """
    All of an organization as AWS tells it.

    Attributes:
        document: The same as it was answered.
        began: A moment, by the clock of AWS, that every part of it is at least as new as.
    """

    snapshot: Snapshot
    document: Mapping[str, object]
    began: datetime


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """
    The principals of an account as AWS tells them.

    Attributes:
        began: A moment, by the clock of AWS, that every part of them is at least as new as.
    """

    details: AuthorizationDetails
    began: datetime


class OrganizationApi(Protocol):
    """
    One organization in AWS, which is only read.

    Every method may also raise `RefusedCallError` when AWS does not do what it is asked, `UsageError` where there are
    no usable credentials, and `SnapshotError` where an answer cannot be understood.
    """

    async def organization_id(self) -> str:
        """
        Return which organization it is.
        """
        ...

    async def whole(self) -> WholeOrganization:
        """
        Read all of it.
        """
        ...

    async def some(self, objects: Iterable[tuple[str, str]]) -> Observation:
        """
        Read some objects, each given by a `RereadKind` and its id; its moment is when reading began.

        Of the kind for the organization, which policy types are enabled is read.
        """
        ...

    async def principals(self, account_id: str) -> AccountDetails:
        """
        Read the principals of an account.
        """
        ...


@dataclass(frozen=True, slots=True)
class KnownOrganization:
    """
    What is stored of an organization.

    Attributes:
        facts: All facts.
        incomplete_until: Of what moment a snapshot must be later for the view to be complete; None while it is.
    """

    facts: tuple[Fact, ...]
    incomplete_until: datetime | None


class ReconciliationStore(Protocol):
    """
    The store as the reconciler uses it.
    """

    def claim(self, organization_id: str) -> AbstractAsyncContextManager[bool]:
        """
        Keep other reconcilers away from an organization for the time of the context, or tell that one is at it.
        """
        ...

    async def since_last(self, organization_id: str) -> float | None:
        """
        Return how many seconds ago the last round over the whole organization that came to an end began.
        """
        ...

    async def known(self, organization_id: str) -> KnownOrganization:
        """
        Return what is stored of an organization, as of one moment.
        """
        ...

    async def rereads(self, organization_id: str) -> Sequence[Reread]:
        """
        Return what is to be read anew, the longest asked for first.
        """
        ...

    async def begin(self, organization_id: str, occasion: str) -> int:
        """
        Write down that a round begins, and return its number.
        """
        ...

    async def finish(
        self,
        organization_id: str,
        reconciliation_id: int,
        *,
        moment: datetime,
        accounts: int | None,
        postponed: int,
        by_kind: Mapping[str, int],
        differences: Sequence[Mapping[str, object]],
    ) -> None:
        """
        Write down what a round has found.
        """
        ...

    async def fail(self, organization_id: str, reconciliation_id: int, reason: str) -> None:
        """
        Write down why a round came to nothing.
        """
        ...


class ChangePublisher(Protocol):
    """
    The topic of changes, as one that is written.
    """

    async def publish_changes(self, changes: Sequence[tuple[str, bytes]]) -> None:
        """
        Send change events, each with the id of its organization, in the order given for each organization.

        Raises:
            RecordTooLargeError: A change is too large for the broker.
        """
        ...


class Rereads(Protocol):
    """
    What events did not tell enough of, and waits for being read anew by the API of AWS.

    Whoever has read it sends the changes that tell what was read, with the organization's id as the key, and after
    them the answer (`rooftree.contracts.rereads.answer_event`). The projector takes the request away with the answer.
    Nobody else deletes one, so a request that comes while something is being read is not lost.
    """

    async def open(self, organization_id: str | None = None, *, limit: int | None = None) -> Sequence[RereadRecord]:
        """
        Return what is to be read anew, of one organization or of all, the longest asked for first.
        """
        ...


class Nudges(Protocol):
    """
    Hints that there is something to send; they may be lost, and none may ever come.
    """

    async def wait(self, seconds: float, stop: asyncio.Event) -> None:
        """
        Wait so long, or until a hint came since the last wait, or *stop* is set. Never fails.
        """
        ...
