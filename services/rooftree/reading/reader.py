"""
What readers of the stored view are given, and the port through which they get it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from rooftree.organization.chains import ChainRecord
from rooftree.organization.facts import Fact
from rooftree.organization.principal_facts import PrincipalFact
from rooftree.organization.rereads import Reread
from rooftree.reading.outline import Outline
from rooftree.view.patch import ProbeState

__all__ = [
    "EVERY_ACCOUNT",
    "AccountFilter",
    "AccountRecord",
    "AuditRecord",
    "BoundAccount",
    "LetterName",
    "LetterRecord",
    "LogLoss",
    "OrganizationRecord",
    "Reader",
    "ReconciliationRecord",
    "VerificationRecord",
    "VerificationState",
]


@dataclass(frozen=True, slots=True)
class OrganizationRecord:
    """
    Where the view of one organization stands.

    Attributes:
        revision: Counts the changes that put something on the audit topic.
        chain_hash: The hash of the last audit event, to which all before it are sealed.
        incomplete_since: Since when something is known to be missing; None while the view is complete.
        version: Counts every write: what was read at one version holds as long as it stands.
    """

    organization_id: str
    revision: int
    chain_hash: str
    incomplete_since: datetime | None
    incomplete_reason: str | None
    version: int = 0

    @property
    def complete(self) -> bool:
        """
        Whether nothing is known to be missing.
        """
        return self.incomplete_since is None


class AccountRecord(NamedTuple):
    """
    One account as the view holds it, now or for a time in the past; a tuple, since all of them are read at once.

    Attributes:
        path: The nodes from the root to the account.
        placed: Whether every ancestor is known; an account that is not placed has no permissions.
        complete: Whether it is placed and nothing was known to be missing.
        since: Since when this holds.
        until: Until when it held; None while it holds.
    """

    organization_id: str
    account_id: str
    name: str
    email: str | None
    status: str
    path: tuple[str, ...]
    placed: bool
    complete: bool
    chain_id: str | None
    permissions_id: str | None
    revision: int
    since: datetime
    until: datetime | None
    cause_event_id: str


@dataclass(frozen=True, slots=True)
class BoundAccount:
    """
    One account with what binds it.

    Attributes:
        chain: None for an account that is not placed.
    """

    record: AccountRecord
    chain: ChainRecord | None


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """
    Which accounts are wanted; what is None does not count.

    Attributes:
        text: A part of the name, in any case, or of the id.
        under: A node above the account, at whatever distance.
        status: Such as ``ACTIVE``.
    """

    text: str | None = None
    under: str | None = None
    status: str | None = None


EVERY_ACCOUNT: Final = AccountFilter()


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """
    One event of the audit topic as the view keeps it.

    Attributes:
        part: The position among the events of its revision, from 1.
        data: The event's data.
        traceparent: The work that made it, if that was traced; given to who tells others of it.
    """

    organization_id: str
    revision: int
    part: int
    parts: int
    event_id: str
    type: str
    account_id: str | None
    time: datetime
    verdict: str | None
    data: Mapping[str, object]
    traceparent: str | None = None

    @property
    def position(self) -> tuple[int, int]:
        """
        Where it stands in the order of its organization.
        """
        return (self.revision, self.part)


@dataclass(frozen=True, slots=True)
class LetterName:
    """
    A dead letter by where it was read, which is the same whenever the log is read anew.

    Attributes:
        organization_id: The organization that misses it, or empty.
    """

    organization_id: str
    log_id: str
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class LetterRecord:
    """
    A record that could not be processed, without its bytes.

    Attributes:
        organization_id: The organization that misses it, or empty.
        offset: With log, topic and partition, where it was read.
        size: How many bytes its value has; None for a record without a value.
        place: Where in the record something was expected, and *reason* is what.
        attempts: How often it was tried; reason and all that follows from it are of the last time.
        resolved_at: Since when nothing is missed any more; None while the letter waits.
        resolution: ``replayed`` or ``snapshot``; None while the letter waits.
    """

    organization_id: str
    letter_id: int
    log_id: str
    topic: str
    partition: int
    offset: int
    record_time: datetime | None
    size: int | None
    reason: str
    place: str
    disposition: str
    error_class: str
    software_version: str
    recorded_at: datetime
    attempts: int
    attempted_at: datetime | None
    resolved_at: datetime | None
    resolution: str | None

    @property
    def name(self) -> LetterName:
        """
        What names it.
        """
        return LetterName(self.organization_id, self.log_id, self.topic, self.partition, self.offset)

    @property
    def waits(self) -> bool:
        """
        Whether its organization still misses it.
        """
        return self.resolved_at is None


@dataclass(frozen=True, slots=True)
class VerificationRecord:
    """
    What the last verification of an organization has found.

    Attributes:
        subject: ``audit``: the audit events in their order; ``view``: accounts and history, from the facts.
        revision: With *part*, the last audit event that is whole, as are all before it; of the view, the revision that
            it had at least.
        checked: How many audit events are whole; of the view, how many accounts and rows of history were looked at.
        faults: How many things are wrong; audit events are read up to the first.
        fault: The first of them, with its place.
    """

    organization_id: str
    subject: str
    verified_at: datetime
    revision: int
    part: int
    checked: int
    faults: int
    fault: str | None


@dataclass(frozen=True, slots=True)
class VerificationState:
    """
    How things stand with verifications of all organizations.

    Attributes:
        oldest: When the organization was verified that was verified longest ago.
        failed: How many organizations something is wrong with.
    """

    subject: str
    oldest: datetime
    failed: int


@dataclass(frozen=True, slots=True)
class ReconciliationRecord:
    """
    One comparison of the view with what AWS itself says.

    Attributes:
        organization_id: The organization; empty where AWS did not even tell that.
        occasion: ``schedule`` for the whole organization, ``reread`` for objects that an event told too little about.
        finished_at: None while it runs.
        moment: As of when it speaks; None unless it is done.
        result: ``running``, ``done`` or ``failed``.
        reason: Why it failed.
        accounts: How many accounts AWS listed; None for a reread.
        found: How many changes no event had told; they are published as events of their own.
        postponed: Differences that are too young to be believed.
        by_kind: *found* by the type of the change.
        differences: The first of them: ``event_id``, ``type`` and the ``data`` that was published.
    """

    organization_id: str
    reconciliation_id: int
    occasion: str
    started_at: datetime
    finished_at: datetime | None
    moment: datetime | None
    result: str
    reason: str | None
    accounts: int | None
    found: int
    postponed: int
    by_kind: Mapping[str, int]
    differences: Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class LogLoss:
    """
    Changes that were never read and are gone, so that projectors have stopped: the view is as it was before.

    Attributes:
        partitions: How many partitions of the changes topic stand still.
        since: Since when the first of them does.
    """

    partitions: int
    since: datetime


class Reader(Outline, Protocol):
    """
    Reads of the stored view.

    Each method is one statement and sees one moment. All raise `UnavailableError` when the database does not answer
    within the configured time; cancelling one gives its connection back. None writes.
    """

    def moment(self) -> AbstractAsyncContextManager[None]:
        """
        Have the reads within the block see one moment; none other may be under way at the same time.

        It holds what reading needs, so nothing that waits for somebody else belongs into it.
        """
        ...

    async def organizations(self) -> list[OrganizationRecord]:
        """
        Return all organizations by id.
        """
        ...

    async def count_accounts(self, organization_id: str) -> int:
        """
        Return how many accounts an organization has.
        """
        ...

    async def accounts(
        self,
        organization_id: str,
        *,
        after: str = "",
        limit: int | None = None,
        at: datetime | None = None,
        wanted: AccountFilter = EVERY_ACCOUNT,
    ) -> list[AccountRecord]:
        """
        Return the accounts whose id sorts after *after*, by id, as they are or were *at* a time.
        """
        ...

    async def account(
        self, organization_id: str, account_id: str, *, at: datetime | None = None
    ) -> AccountRecord | None:
        """
        Return one account as it is, or was *at* a time.
        """
        ...

    async def bound_account(
        self, organization_id: str, account_id: str, *, at: datetime | None = None
    ) -> BoundAccount | None:
        """
        Return one account with what binds it, as they are or were *at* a time.
        """
        ...

    async def organizations_of(self, account_id: str) -> list[str]:
        """
        Return the organizations that have or had an account, by id.
        """
        ...

    async def history(
        self, organization_id: str, account_id: str, *, before: datetime | None = None, limit: int | None = None
    ) -> list[AccountRecord]:
        """
        Return what an account was, the latest first; with *before*, from rows that began earlier.
        """
        ...

    async def permissions(self, organization_id: str, permissions_id: str) -> Mapping[str, object] | None:
        """
        Return the summary of a set of maximum permissions.
        """
        ...

    async def chains(self, organization_id: str, chain_ids: Iterable[str]) -> dict[str, ChainRecord]:
        """
        Return those of the chains that are known.
        """
        ...

    async def documents(self, organization_id: str, digests: Iterable[str]) -> dict[str, str]:
        """
        Return the texts of those of the policy documents that are known.
        """
        ...

    async def names(self, organization_id: str) -> dict[str, str]:
        """
        Return the names of organizational units and policies by their ids.
        """
        ...

    async def facts(self, organization_id: str) -> list[Fact]:
        """
        Return everything that is known about an organization.
        """
        ...

    async def principal_facts(self, organization_id: str, account_ids: Collection[str]) -> list[PrincipalFact]:
        """
        Return everything that is known about the principals of some accounts.
        """
        ...

    async def count_principals(self, organization_id: str, account_ids: Collection[str]) -> dict[str, int]:
        """
        Return how many users and roles are known of each of some accounts; those without any are absent.
        """
        ...

    async def principal_documents(self, organization_id: str, digests: Iterable[str]) -> dict[str, str]:
        """
        Return the texts of those of the documents of principals that are known.
        """
        ...

    async def probes(self, organization_id: str) -> list[ProbeState]:
        """
        Return the probes of an organization by name.
        """
        ...

    async def audit(
        self,
        organization_id: str,
        *,
        account_id: str | None = None,
        before: tuple[int, int] | None = None,
        limit: int = 100,
    ) -> list[AuditRecord]:
        """
        Return audit events, the latest first, from before a position.
        """
        ...

    async def audit_after(
        self, organization_id: str, position: tuple[int, int], *, account_id: str | None = None, limit: int = 100
    ) -> list[AuditRecord]:
        """
        Return audit events in their order, from after a position.
        """
        ...

    async def rereads(
        self, organization_id: str, *, after: tuple[datetime, str, str] | None = None, limit: int = 100
    ) -> list[Reread]:
        """
        Return what is to be read anew by the API of AWS, the longest asked for first, from after one by its time, its
        kind and its object.
        """
        ...

    async def reconciliations(
        self, organization_id: str, *, before: int | None = None, limit: int = 20
    ) -> list[ReconciliationRecord]:
        """
        Return the latest comparisons of an organization with AWS, the latest first, from before one by its number; none where no reconciler has run.
        """
        ...

    async def verifications(self, organization_id: str) -> list[VerificationRecord]:
        """
        Return what the last verifications of an organization have found, by subject; none where nobody has verified it.
        """
        ...

    async def verification_states(self) -> list[VerificationState]:
        """
        Return how things stand with all organizations that were verified, by subject.
        """
        ...

    async def audit_event(self, organization_id: str, event_id: str) -> AuditRecord | None:
        """
        Return one audit event.
        """
        ...

    async def count_seen(self, organization_id: str, source: str, event_ids: Iterable[str]) -> int:
        """
        Return how many of some events of one source the view holds.
        """
        ...

    async def log_loss(self) -> LogLoss | None:
        """
        Return where projectors have stopped since the broker had lost unread records; None if none has.
        """
        ...

    async def check(self) -> None:
        """
        Return if the database answers and has a schema that this version knows.
        """
        ...
