"""
What the projector reads from the store, and what it writes there in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rooftree.organization.memberships import Membership
from rooftree.ports.change_log import LogPartition
from rooftree.ports.letters import DeadLetter, OpenLetters, Replay
from rooftree.ports.outbox import Outgoing
from rooftree.reading.reader import LetterName
from rooftree.view.patch import Patch
from rooftree.view.projection import OrganizationView

__all__ = ["BatchCommit", "LoadedView", "OrganizationCommit", "ProjectionStore", "SeenEvent"]


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


@dataclass(frozen=True, slots=True)
class OrganizationCommit:
    """
    What a batch does to one organization.

    Attributes:
        expected_version: The version of the stored organization that the patches build on; 0 if there was none.
        outgoing: What is to be sent; None if nobody is told.
        superseded: Whether a snapshot has told anew all that the letters stored so far could have said.
    """

    organization_id: str
    expected_version: int
    patches: tuple[Patch, ...]
    seen: tuple[SeenEvent, ...]
    outgoing: Outgoing | None
    superseded: bool = False

    @property
    def tells(self) -> bool:
        """
        Whether something is to be sent.
        """
        if self.outgoing is None:
            return False
        return bool(self.outgoing.states) or any(patch.audit for patch in self.patches)


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
