"""
What one change does to the stored view: everything that is to be written, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from rooftree.organization.chains import ChainRecord
from rooftree.organization.directory import GrantedPolicy, Grants
from rooftree.organization.facts import Fact
from rooftree.organization.principal_facts import PrincipalFact, PrincipalFactKey
from rooftree.organization.probes import Finding, Probe
from rooftree.organization.rereads import Reread
from rooftree.view.events import NO_EVENTS, AuditEvent, AuditLog

__all__ = [
    "GENESIS",
    "AccountState",
    "AuditEvent",
    "AuditLog",
    "Departure",
    "DocumentRecord",
    "Patch",
    "PermissionState",
    "Position",
    "PrincipalPatch",
    "PrincipalState",
    "ProbePatch",
    "ProbeState",
    "Reported",
    "RereadPatch",
]

# What the hash chain of an organization's audit events starts from.
GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Position:
    """
    How far the view of an organization has come.

    Attributes:
        revision: Counts the changes that put something on the audit topic; 0 before the first.
        chain_hash: ``chain_hash.this`` of the last audit event; `GENESIS` before the first.
        incomplete_since: Time of the first record that could not be processed since the view was last complete;
            None while it is complete.
        incomplete_until: Time of the latest such record. Only a snapshot taken later makes the view complete.
        incomplete_reason: Why the first could not be processed.
        incomplete_by_loss: Whether records are gone that nobody can process later.
    """

    revision: int = 0
    chain_hash: str = GENESIS
    incomplete_since: datetime | None = None
    incomplete_until: datetime | None = None
    incomplete_reason: str | None = None
    incomplete_by_loss: bool = False

    @property
    def complete(self) -> bool:
        """
        Whether nothing is known to be missing.
        """
        return self.incomplete_since is None


class AccountState(NamedTuple):
    """
    One account's row of the view, whole; a tuple, since a large organization has many that are made and compared at once.

    Attributes:
        name: The name; the id while the name is not known.
        parent_id: The parent, resolved; None while it is not known.
        path: The nodes from the root to the account; only the account itself while it is not placed.
        placed: Whether every ancestor is known. An account that is not placed has no permissions.
        chain_id: The chain; None while not placed.
        permissions_id: The maximum permissions; None while not placed.
        reported_chain_id: The chain that consumers were told of last: equal to *chain_id* while placed, the last one
            before while not placed, None if there was none. The next placement is compared with it.
        revision: The organization's revision after the change that made this row.
        since: Since when the row holds: the time of that change, or the start of the previous row if that is later.
        cause_event_id: The event behind that change.
    """

    account_id: str
    name: str
    email: str | None
    status: str
    parent_id: str | None
    path: tuple[str, ...]
    placed: bool
    chain_id: str | None
    permissions_id: str | None
    reported_chain_id: str | None
    revision: int
    since: datetime
    cause_event_id: str


@dataclass(frozen=True, slots=True)
class Departure:
    """
    An account that is in the organization no more: its row goes, its history ends.

    Attributes:
        until: When its last row ends, never before the start of that row.
    """

    account_id: str
    until: datetime
    cause_event_id: str


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """
    A policy's canonical text by its digest.
    """

    digest: str
    content: str


@dataclass(frozen=True, slots=True)
class PermissionState:
    """
    A set of maximum permissions, shared by all accounts that have it.

    Attributes:
        permissions: A summary that is good as JSON, in which ``{account}`` stands for the id of the account.
        verdicts: ``allowed``, ``conditional`` or ``denied`` by (service, action), over the known actions; None for a
            set that the store has already.
    """

    permissions_id: str
    permissions: Mapping[str, object]
    verdicts: Mapping[tuple[str, str], str] | None


@dataclass(frozen=True, slots=True)
class Reported:
    """
    What consumers know that a principal has.

    Attributes:
        policies: Its identity-based policies, all of them known.
        boundary: Its permissions boundary; None for none.
    """

    policies: tuple[GrantedPolicy, ...]
    boundary: GrantedPolicy | None

    @classmethod
    def of(cls, grants: Grants) -> Reported:
        """
        Return what a principal has of which nothing is missing.
        """
        return cls(grants.policies, grants.boundary)


@dataclass(frozen=True, slots=True)
class PrincipalState:
    """
    One principal's row.

    Attributes:
        reported: What consumers were told of last, while something of what it has now is not known.
        since: The time of the change that made the row.
        cause_event_id: The event behind that change.
    """

    account_id: str
    grants: Grants
    reported: Reported | None
    since: datetime
    cause_event_id: str

    @property
    def key(self) -> tuple[str, str, str]:
        """
        The account, the kind and the name, which no two rows have in common.
        """
        return (self.account_id, self.grants.principal.kind, self.grants.principal.name)


@dataclass(frozen=True, slots=True)
class PrincipalPatch:
    """
    What is written about principals.

    Attributes:
        facts: Registers to insert or to overwrite.
        forgotten: Registers to delete afterwards.
        states: Rows to insert or to overwrite.
        gone: Rows to delete, by account, kind and name.
        documents: Documents of principals to insert unless there.
    """

    facts: tuple[PrincipalFact, ...] = ()
    forgotten: tuple[PrincipalFactKey, ...] = ()
    states: tuple[PrincipalState, ...] = ()
    gone: tuple[tuple[str, str, str], ...] = ()
    documents: tuple[DocumentRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class ProbeState:
    """
    A probe with the decision that consumers were told of last.

    Attributes:
        account_id: The account that flips are told of; None where there is none.
        as_expected: Whether it is decided as expected; None where that is not known.
        since: Since when it is decided like this, or since it was set.
        cause_event_id: The event that made it so.
    """

    probe: Probe
    account_id: str | None
    finding: Finding
    as_expected: bool | None
    since: datetime
    cause_event_id: str


@dataclass(frozen=True, slots=True)
class ProbePatch:
    """
    What is written about probes.

    Attributes:
        states: Rows to insert or to overwrite.
        gone: The names of rows to delete.
    """

    states: tuple[ProbeState, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RereadPatch:
    """
    What is written about requests to read something anew.

    Attributes:
        open: Rows to insert or to overwrite.
        gone: The kind and the object of rows to delete.
    """

    open: tuple[Reread, ...] = ()
    gone: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Patch:
    """
    Everything that is written for one change, in one transaction.

    Attributes:
        facts: Registers to insert or to overwrite.
        accounts: Rows to insert or to overwrite, ordered by id; each also starts a row of the history.
        departed: Rows to delete.
        chains: Chains to insert, or to overwrite where a policy has got another name.
        documents: Documents to insert unless there.
        permission_sets: The permission set of every account in *accounts*; those with verdicts are to be inserted
            unless there.
        audit: Events in the order of their revision and part.
        position: Where the view stands afterwards.
        principals: What is written about principals.
        probes: What is written about probes.
        rereads: What is written about requests to read something anew.
    """

    organization_id: str
    position: Position
    facts: tuple[Fact, ...] = ()
    accounts: tuple[AccountState, ...] = ()
    departed: tuple[Departure, ...] = ()
    chains: tuple[ChainRecord, ...] = ()
    documents: tuple[DocumentRecord, ...] = ()
    permission_sets: tuple[PermissionState, ...] = ()
    audit: AuditLog = NO_EVENTS
    principals: PrincipalPatch = PrincipalPatch()
    probes: ProbePatch = ProbePatch()
    rereads: RereadPatch = RereadPatch()
