"""
Looking after subscriptions: what commands and the API do with them.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol, TypeAlias

from rooftree.access.caller import Organizations
from rooftree.errors import UsageError
from rooftree.reading.reader import AuditRecord
from rooftree.webhooks.schedule import Answer
from rooftree.webhooks.sending import check_url
from rooftree.webhooks.signing import Sign, check_secret, new_secret
from rooftree.webhooks.subscriptions import NewWebhook, Webhook, WebhookLetter

__all__ = ["TEST_TYPE", "Attempt", "SubscriptionStore", "Subscriptions"]

TEST_TYPE: Final = "rooftree.webhook.test.v1"

Attempt: TypeAlias = Callable[[Webhook, Sign, AuditRecord], Awaitable[Answer]]
"""Sends one event to a subscriber, signed."""


class SubscriptionStore(Protocol):
    """
    The store as those use it who look after subscriptions.

    Every method raises `UnavailableError` when it does not answer.
    """

    async def create(self, webhook: NewWebhook) -> None:
        """
        Keep a subscription; raises `UsageError` if there is no such organization.
        """
        ...

    async def webhooks(self, organizations: Organizations = None, *, webhook_id: str | None = None) -> list[Webhook]:
        """
        Return subscriptions, without their secrets.
        """
        ...

    async def sign(self, webhook: Webhook, message: bytes) -> bytes:
        """
        Return the signature of a message by the key of a subscription.
        """
        ...

    async def remove(self, webhook: Webhook) -> None:
        """
        Forget a subscription, with its letters.
        """
        ...

    async def enable(self, webhook: Webhook) -> None:
        """
        Go on with a subscription, where it stood, at once.
        """
        ...

    async def letters(
        self,
        organizations: Organizations = None,
        *,
        webhook_id: str | None = None,
        letter_id: int | None = None,
        delivered: bool = False,
        after: int = 0,
        limit: int = 1000,
    ) -> list[WebhookLetter]:
        """
        Return events that were given up, the oldest first.
        """
        ...

    async def event(self, letter: WebhookLetter) -> AuditRecord:
        """
        Return the event of a letter.
        """
        ...

    async def deliver(self, letter: WebhookLetter) -> None:
        """
        Write that a replay was accepted.
        """
        ...


class Subscriptions:
    """
    The subscriptions.

    Args:
        store: Where they are kept.
        attempt: Sends one event.
        allow_private: Whether addresses may be private or of this machine, and without TLS.
    """

    def __init__(self, store: SubscriptionStore, attempt: Attempt, *, allow_private: bool) -> None:
        self.store = store
        self._attempt = attempt
        self._allow_private = allow_private

    async def add(
        self,
        organization_id: str,
        url: str,
        *,
        secret: str | None,
        types: list[str] | None,
        verdicts: list[str] | None,
        account_ids: list[str] | None,
        created_by: str,
        from_start: bool,
    ) -> NewWebhook:
        """
        Subscribe an address to the audit events of an organization.

        Args:
            organization_id: Whose events.
            url: Where they are sent to.
            secret: Key of the signatures; None for a new one.
            types: Types of events that are wanted; none for all, as for the two below.
            verdicts: What they come to.
            account_ids: What they are about.
            created_by: Who asks for it.
            from_start: Whether events that were there before are sent, too.

        Raises:
            UsageError: Nothing may be sent there, the secret is of another form, or there is no such organization; the
                place is ``URL``, ``secret`` or ``--organization``.
        """
        webhook = NewWebhook(
            organization_id=organization_id,
            webhook_id=f"wh_{secrets.token_hex(8)}",
            url=check_url(url, allow_private=self._allow_private),
            secret=new_secret() if secret is None else _checked(secret),
            types=tuple(types) if types else None,
            verdicts=tuple(verdicts) if verdicts else None,
            account_ids=tuple(account_ids) if account_ids else None,
            created_by=created_by,
            from_start=from_start,
        )
        await self.store.create(webhook)
        return webhook

    async def find(self, webhook_id: str, organizations: Organizations = None) -> Webhook | None:
        """
        Return a subscription, if it is one of these organizations.
        """
        found = await self.store.webhooks(organizations, webhook_id=webhook_id)
        return found[0] if found else None

    async def test(self, webhook: Webhook) -> Answer:
        """
        Send an event of a type of its own now, once.
        """
        event = AuditRecord(
            organization_id=webhook.organization_id,
            revision=0,
            part=1,
            parts=1,
            event_id=f"test-{secrets.token_hex(8)}",
            type=TEST_TYPE,
            account_id=None,
            time=datetime.now(UTC),
            verdict=None,
            data={"organization_id": webhook.organization_id, "webhook_id": webhook.webhook_id},
        )
        return await self._attempt(webhook, partial(self.store.sign, webhook), event)

    async def replay(self, webhook: Webhook, letter: WebhookLetter) -> Answer:
        """
        Send an event that was given up once more, with the id that it had.
        """
        event = await self.store.event(letter)
        answer = await self._attempt(webhook, partial(self.store.sign, webhook), event)
        if answer.accepted:
            await self.store.deliver(letter)
        return answer


def _checked(secret: str) -> str:
    try:
        return check_secret(secret)
    except UsageError as error:
        raise UsageError(error.reason, place="secret") from None
