"""
What waits in the store for being sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from rooftree.ports.letters import StoredLetter
from rooftree.ports.publishing import RecordKind
from rooftree.view.patch import AccountState, AuditEvent, PermissionState

__all__ = ["EncodeStates", "Nudges", "OutboxRow", "OutboxStore", "Outgoing"]


class OutboxRow(NamedTuple):
    """
    A record that waits in the store for being sent.

    Attributes:
        event_id: The same at each repetition.
        payload: The value; None for a tombstone.
        traceparent: The header that names the work that made it, if that was traced.
        received_at: When the broker took the change that an audit event tells of, if it said so.
    """

    event_id: str
    kind: RecordKind
    key: str
    type: str
    payload: bytes | None
    revision: int
    traceparent: str | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """
    What of a commit is to be sent: a record for each of its audit events, and then the states of accounts.

    Attributes:
        of_event: Makes the row of an audit event.
        states: The rows of the states.
    """

    of_event: Callable[[AuditEvent], OutboxRow]
    states: Collection[OutboxRow] = ()


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

        Batch by batch, each of at most *limit* rows, and no more than *most* batches. When the block ends, those count as
        sent after which another batch was asked for; if it ends by an error none does, and all come again. Nothing is
        lent if another relay is at this organization.
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
        Remove rows that were sent, and written more than so many seconds ago; returns how many.
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


class Nudges(Protocol):
    """
    Hints that there is something to send; they may be lost, and none may ever come.
    """

    async def wait(self, seconds: float, stop: asyncio.Event) -> None:
        """
        Wait so long, or until a hint came since the last wait, or *stop* is set. Never fails.
        """
        ...
