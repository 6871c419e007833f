"""
Webhooks in PostgreSQL: subscriptions, how far each has been told, and what was given up.
"""

from __future__ import annotations

from collections.abc import Sequence

from rooftree.access.caller import Organizations, listed
from rooftree.errors import UsageError
from rooftree.reading.reader import AuditRecord
from rooftree.store.database import Database, Row
from rooftree.store.queries import query
from rooftree.webhooks.subscriptions import NewWebhook, Webhook, WebhookLetter, Work

__all__ = ["DatabaseWebhooks"]


class DatabaseWebhooks:
    """
    The port of webhooks over a pool of connections, and what looks after them.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, webhook: NewWebhook) -> None:
        """
        Keep a subscription; it begins with the next event, or with the first of all.

        Raises:
            UsageError: There is no such organization.
        """
        async with self._database.connection() as connection:
            known = await connection.fetchval(query("organization_exists"), webhook.organization_id)
            if not known:
                raise UsageError(f"no organization `{webhook.organization_id}`", place="--organization")
            await connection.execute(
                query("create_webhook"),
                *(webhook.organization_id, webhook.webhook_id, webhook.url, webhook.secret),
                *(webhook.types, webhook.verdicts, webhook.account_ids, webhook.created_by, webhook.from_start),
            )

    async def webhooks(self, organizations: Organizations = None, *, webhook_id: str | None = None) -> list[Webhook]:
        """
        Return subscriptions, without their secrets.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(query("list_webhooks"), listed(organizations), webhook_id)
        return [_webhook(row) for row in rows]

    async def sign(self, webhook: Webhook, message: bytes) -> bytes:
        """
        Return the signature of a message by the key of a subscription, which stays where it is.
        """
        names = (webhook.organization_id, webhook.webhook_id)
        async with self._database.connection() as connection:
            return bytes(await connection.fetchval(query("sign_for_webhook"), *names, message))

    async def remove(self, webhook: Webhook) -> None:
        """
        Forget a subscription, with its letters.
        """
        await self._execute("remove_webhook", webhook)

    async def enable(self, webhook: Webhook) -> None:
        """
        Go on with a subscription whose receiver wanted nothing more, where it stood, at once.
        """
        await self._execute("enable_webhook", webhook)

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

        Args:
            organizations: Only of these.
            webhook_id: Only of this subscription.
            letter_id: Only this one.
            delivered: Also those that a replay has brought home.
            after: Only those behind this one.
            limit: How many at most.
        """
        values = (listed(organizations), webhook_id, delivered, letter_id, limit, after)
        async with self._database.connection() as connection:
            rows = await connection.fetch(query("list_webhook_letters"), *values)
        return [WebhookLetter(**dict(row)) for row in rows]

    async def event(self, letter: WebhookLetter) -> AuditRecord:
        """
        Return the event of a letter.
        """
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                query("webhook_event"), letter.organization_id, letter.revision, letter.part
            )
        assert row is not None  # audit events are never deleted
        return AuditRecord(**dict(row))

    async def deliver(self, letter: WebhookLetter) -> None:
        """
        Write that a replay was accepted.
        """
        async with self._database.connection() as connection:
            await connection.execute(query("deliver_webhook_letter"), letter.organization_id, letter.letter_id)

    async def claim(self, *, lease: str, seconds: float, limit: int) -> Sequence[Work]:
        """
        Return subscriptions that have something to send now, and keep other senders away from them for a while.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(query("claim_webhooks"), lease, seconds, limit)
        return [Work(_webhook(row), row["secret"], lease) for row in rows]

    async def events(self, webhook: Webhook, *, after: tuple[int, int], limit: int) -> Sequence[AuditRecord]:
        """
        Return the next events of the organization of a subscription.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(query("webhook_events"), webhook.organization_id, *after, limit)
        return [AuditRecord(**dict(row)) for row in rows]

    async def advance(self, work: Work, position: tuple[int, int], *, delivered: bool, seconds: float) -> bool:
        """
        Write that everything up to a position is done, and keep the lease for some seconds more.
        """
        return await self._held("advance_webhook", work, *position, delivered, seconds)

    async def postpone(self, work: Work, *, attempts: int, pause: float, reason: str) -> bool:
        """
        Write that the next event was not accepted, and let go until it is to be tried again.
        """
        return await self._held("postpone_webhook", work, attempts, pause, reason)

    async def give_up(self, work: Work, event: AuditRecord, *, attempts: int, reason: str, seconds: float) -> bool:
        """
        Put an event among the letters and go on behind it.
        """
        return await self._held("give_up_webhook", work, *event.position, event.event_id, attempts, reason, seconds)

    async def disable(self, work: Work, *, reason: str) -> bool:
        """
        Send nothing more to a subscriber.
        """
        return await self._held("disable_webhook", work, reason)

    async def release(self, work: Work) -> bool:
        """
        Let go of a subscription.
        """
        return await self._held("release_webhook", work)

    async def _held(self, name: str, work: Work, *values: object) -> bool:
        webhook = work.webhook
        async with self._database.connection() as connection:
            done = await connection.fetchval(
                query(name), webhook.organization_id, webhook.webhook_id, work.lease, *values
            )
        return bool(done)

    async def _execute(self, name: str, webhook: Webhook) -> None:
        async with self._database.connection() as connection:
            await connection.execute(query(name), webhook.organization_id, webhook.webhook_id)


def _webhook(row: Row) -> Webhook:
    values = {name: value for name, value in row.items() if name != "secret"}
    lists = ("types", "verdicts", "account_ids")
    return Webhook(**values | {name: None if values[name] is None else tuple(values[name]) for name in lists})
