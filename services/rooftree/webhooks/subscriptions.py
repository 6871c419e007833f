"""
Who is told of audit events by HTTP, and the port through which that is reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from rooftree.reading.reader import AuditRecord

__all__ = ["NewWebhook", "Webhook", "WebhookLetter", "WebhookStore", "Work"]


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """
    A subscription to be kept.

    Attributes:
        secret: Key of the signatures.
        types: Types of events that are wanted; None for all, as for the two below.
        from_start: Whether events that were there before are sent, too.
    """

    organization_id: str
    webhook_id: str
    url: str
    secret: str = field(repr=False)
    types: tuple[str, ...] | None
    verdicts: tuple[str, ...] | None
    account_ids: tuple[str, ...] | None
    created_by: str
    from_start: bool = False


@dataclass(frozen=True, slots=True)
class Webhook:
    """
    A subscription as it is kept, without its secret.

    Attributes:
        revision: With *part*, the last event that was accepted, given up or not wanted.
        attempts: How often the next event was tried.
        waiting: How many events given up wait for a replay.
    """

    organization_id: str
    webhook_id: str
    url: str
    types: tuple[str, ...] | None
    verdicts: tuple[str, ...] | None
    account_ids: tuple[str, ...] | None
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    disabled_reason: str | None
    revision: int
    part: int
    attempts: int
    next_attempt_at: datetime
    delivered_at: datetime | None
    last_error: str | None
    waiting: int

    def wants(self, event: AuditRecord) -> bool:
        """
        Tell whether an event passes the filters. What speaks of no account passes that of accounts only without one.
        """
        return (
            (self.types is None or event.type in self.types)
            and (self.verdicts is None or event.verdict in self.verdicts)
            and (self.account_ids is None or event.account_id in self.account_ids)
        )


@dataclass(frozen=True, slots=True)
class Work:
    """
    A subscription that was claimed for sending.

    Attributes:
        lease: What shows that it is still ours.
    """

    webhook: Webhook
    secret: str = field(repr=False)
    lease: str = ""


@dataclass(frozen=True, slots=True)
class WebhookLetter:
    """
    An event that a subscriber did not accept.
    """

    letter_id: int
    organization_id: str
    webhook_id: str
    revision: int
    part: int
    event_id: str
    attempts: int
    reason: str
    given_up_at: datetime
    delivered_at: datetime | None


class WebhookStore(Protocol):
    """
    The store as the sender of webhooks uses it. Every method raises `UnavailableError` when it does not answer.

    Those that take work return whether the lease still was ours; if not, nothing was written.
    """

    async def claim(self, *, lease: str, seconds: float, limit: int) -> Sequence[Work]:
        """
        Return subscriptions that have something to send now, and keep other senders away from them for a while.
        """
        ...

    async def events(self, webhook: Webhook, *, after: tuple[int, int], limit: int) -> Sequence[AuditRecord]:
        """
        Return the next events of the organization of a subscription.
        """
        ...

    async def advance(self, work: Work, position: tuple[int, int], *, delivered: bool, seconds: float) -> bool:
        """
        Write that everything up to a position is done, and keep the lease for some seconds more.
        """
        ...

    async def postpone(self, work: Work, *, attempts: int, pause: float, reason: str) -> bool:
        """
        Write that the next event was not accepted, and let go until it is to be tried again.
        """
        ...

    async def give_up(self, work: Work, event: AuditRecord, *, attempts: int, reason: str, seconds: float) -> bool:
        """
        Put an event among the letters and go on behind it.
        """
        ...

    async def disable(self, work: Work, *, reason: str) -> bool:
        """
        Send nothing more to a subscriber.
        """
        ...

    async def release(self, work: Work) -> bool:
        """
        Let go of a subscription.
        """
        ...
