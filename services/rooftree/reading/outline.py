"""
What pages for people read of an organization: its frame without the accounts, accounts in pages, audit by revision.

None of it grows with the number of accounts, but for counts that the database makes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from rooftree.organization.facts import Fact

__all__ = [
    "AccountRow",
    "AuditFilter",
    "AuditRow",
    "AuditWindow",
    "DeliveryRecord",
    "Gathering",
    "Outline",
    "PolicyVersion",
    "PositionRecord",
    "ServiceVerdicts",
]


@dataclass(frozen=True, slots=True)
class Gathering:
    """
    The accounts that stand directly under one node.

    Attributes:
        node_id: The node; empty for accounts whose parent is not known.
        changed_at: When the row of one of them changed last.
    """

    node_id: str
    count: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class AccountRow:
    """
    An account as lists show it.
    """

    account_id: str
    name: str
    status: str
    path: tuple[str, ...]
    placed: bool
    permissions_id: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class ServiceVerdicts:
    """
    How many known actions of one service are allowed, conditional and denied.
    """

    service: str
    allowed: int
    conditional: int
    denied: int

    @property
    def total(self) -> int:
        """
        All of them.
        """
        return self.allowed + self.conditional + self.denied


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """
    Which audit events are wanted; what is None does not count.

    Attributes:
        node_id: An organizational unit or a root above the account.
        policy_id: A policy that a decision is owed to.
        actor: A part of the name of who acted, in any case.
        direction: ``allowed`` or ``denied``.
        service: The prefix of the actions, such as ``s3``.
        verdict: ``tightened``, ``loosened`` or ``mixed``: what the event comes to for its account.
        since: From this time on.
        until: Before this time.
    """

    account_id: str | None = None
    node_id: str | None = None
    policy_id: str | None = None
    actor: str | None = None
    direction: str | None = None
    service: str | None = None
    verdict: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """
        Whether everything is wanted.
        """
        return self == AuditFilter()


@dataclass(frozen=True, slots=True)
class AuditRow:
    """
    Some audit events of one revision.

    Attributes:
        parts: How many events the revision has.
        found: How many of those that were looked at are wanted.
        events: The first of these, each with ``part``, ``account_id``, ``verdict``, ``type``, ``event_id``, ``data``.
    """

    revision: int
    time: datetime
    parts: int
    found: int
    events: Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class AuditWindow:
    """
    A look at the latest audit events before a position.

    Attributes:
        rows: By revision, the latest first.
        looked_at: How many events were held against the filter.
        oldest: The position of the last of them; None if there was none.
        more: Whether there are older events.
    """

    rows: Sequence[AuditRow] = field(default=())
    looked_at: int = 0
    oldest: tuple[int, int] | None = None
    more: bool = False


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """
    A document that a policy has or had where it hung.

    Attributes:
        since: When the first account had it; None where that is not known any more.
    """

    digest: str
    content: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """
    How far changes have come on their way from the broker to the audit topic.

    Attributes:
        written_at: When the view of the organization was written last.
        writes: How often it was.
        unsent: Records that wait to be sent, and *unsent_since* when the first of them was written.
    """

    written_at: datetime
    writes: int
    unsent: int
    unsent_since: datetime | None


@dataclass(frozen=True, slots=True)
class PositionRecord:
    """
    Where reading goes on in one partition.

    Attributes:
        log_id: The log: the id of the Kafka cluster, and of the topic where the broker tells it.
        current: Whether it is read still; else the topic was made anew, and this is how far the one before was read.
    """

    topic: str
    partition: int
    next_offset: int
    updated_at: datetime
    log_id: str
    current: bool


class Outline(Protocol):
    """
    Reads for pages. What `Reader` says of its methods holds for these.
    """

    async def frame(self, organization_id: str) -> list[Fact]:
        """
        Return the facts about everything but accounts; of accounts only what hangs on them apart from FullAWSAccess.
        """
        ...

    async def gatherings(self, organization_id: str) -> list[Gathering]:
        """
        Return how many accounts stand under which node.
        """
        ...

    async def accounts_in(
        self, organization_id: str, node_id: str, *, after: tuple[str, str] = ("", ""), limit: int
    ) -> list[AccountRow]:
        """
        Return the accounts directly under a node by name and id, from after one; with an empty node, those not placed.
        """
        ...

    async def find_accounts(self, organization_id: str, text: str, *, limit: int) -> list[AccountRow]:
        """
        Return accounts by name whose name or id contains a text, in any case.
        """
        ...

    async def service_verdicts(self, organization_id: str, permissions_id: str) -> list[ServiceVerdicts]:
        """
        Return how the known actions of each service are decided, by service.
        """
        ...

    async def action_verdicts(self, organization_id: str, permissions_id: str, service: str) -> dict[str, str]:
        """
        Return how each known action of a service is decided.
        """
        ...

    async def audit_revisions(
        self, organization_id: str, *, before: int | None = None, limit: int, shown: int
    ) -> list[AuditRow]:
        """
        Return the latest revisions from before one, each with the first of its events.
        """
        ...

    async def find_audit(
        self,
        organization_id: str,
        wanted: AuditFilter,
        *,
        before: tuple[int, int] | None = None,
        scan: int,
        shown: int,
        revisions: int | None = None,
    ) -> AuditWindow:
        """
        Return those of the *scan* latest events before a position that are wanted, with *shown* of each revision, of
        the latest so many *revisions* that have any.
        """
        ...

    async def policy_versions(self, organization_id: str, policy_id: str) -> list[PolicyVersion]:
        """
        Return the documents of a policy that some chain holds, the latest first.
        """
        ...

    async def delivery(self, organization_id: str) -> DeliveryRecord:
        """
        Return how far changes have come.
        """
        ...

    async def positions(self) -> list[PositionRecord]:
        """
        Return where reading goes on, for all organizations together.
        """
        ...
