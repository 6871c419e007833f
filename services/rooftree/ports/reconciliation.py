"""
An organization in AWS, and what the reconciler keeps of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rooftree.contracts.authorization_details import AuthorizationDetails
from rooftree.organization.facts import Fact
from rooftree.organization.observation import Observation
from rooftree.organization.rereads import Reread
from rooftree.organization.snapshot import Snapshot

__all__ = [
    "AccountDetails",
    "KnownOrganization",
    "OrganizationApi",
    "ReconciliationStore",
    "WholeOrganization",
]


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

    async def read_organization(self) -> WholeOrganization:
        """
        Read all of it.
        """
        ...

    async def read_objects(self, objects: Iterable[tuple[str, str]]) -> Observation:
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

        Whoever has read it sends the changes that tell what was read, with the organization's id as the key, and after
        them the answer (`rooftree.contracts.rereads.answer_event`). The projector takes the request away with the
        answer. Nobody else deletes one, so a request that comes while something is being read is not lost.
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
