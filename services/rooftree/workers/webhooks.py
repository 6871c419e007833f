"""
The worker that tells subscribers of audit events.

INVARIANT: of one subscription, an event is sent after all before it were accepted or given up. What was accepted and
could not be written down is sent again, with the same id.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from contextlib import suppress
from typing import Final, Protocol

import orjson

from rooftree.errors import UnavailableError
from rooftree.inquiry.documents import audit_document
from rooftree.reading.reader import AuditRecord
from rooftree.telemetry.logs import Action, log
from rooftree.telemetry.metrics import Metrics
from rooftree.telemetry.spans import TRACEPARENT, current_traceparent, telling
from rooftree.webhooks.schedule import Answer, Verdict, next_step
from rooftree.webhooks.signing import Sign, signed_headers, signing_with
from rooftree.webhooks.subscriptions import Webhook, WebhookStore, Work
from rooftree.workers.pauses import pause, persistently

__all__ = ["Sends", "WebhookSender", "attempt"]

AT_A_TIME: Final = 16
"""Subscriptions that are served side by side: one that is slow keeps no other back."""

TURN: Final = 20
"""Events of one subscription before others that wait have their turn."""


class Sends(Protocol):
    """
    What makes one attempt.
    """

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """
        Return what came of it; nothing is raised.
        """
        ...


async def attempt(sender: Sends, webhook: Webhook, sign: Sign, event: AuditRecord) -> Answer:
    """
    Send one event, signed, as the CloudEvent that stands on the audit topic.
    """
    body = orjson.dumps(audit_document(event))
    with telling(webhook.webhook_id, event.event_id, event.traceparent) as answered:
        traceparent = current_traceparent()
        headers = {
            "content-type": "application/cloudevents+json; charset=utf-8",
            "user-agent": "rooftree",
            **({} if traceparent is None else {TRACEPARENT: traceparent}),
            **await signed_headers(sign, message_id=event.event_id, timestamp=int(time.time()), body=body),
        }
        answer = await sender.send(webhook.url, body, headers)
        answered(answer.status, answer.accepted)
    return answer


class WebhookSender:
    """
    Sends to all subscriptions that have something to be sent.

    Args:
        store: Where they are kept.
        sender: Makes one attempt.
        timeout: Seconds that one attempt takes at most.
        poll_interval: Seconds between looks for work.
        retry_max_delay: Longest pause while the database is away.
    """

    def __init__(
        self,
        store: WebhookStore,
        sender: Sends,
        *,
        timeout: float,
        poll_interval: float = 1,
        retry_max_delay: float = 15,
    ) -> None:
        self._store = store
        self._sender = sender
        # Long enough for one attempt and what is written after it; the lease is taken anew after each.
        self._lease_seconds = timeout + 30
        self._poll_interval = poll_interval
        self._retry_max_delay = retry_max_delay
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """
        Work until *stop* is set; attempts in hand are ended then, and made again by whoever is next.
        """
        try:
            while not stop.is_set():
                with suppress(UnavailableError):  # which it raises only when it is to stop
                    async for turn in persistently("webhooks", stop, longest=self._retry_max_delay):
                        with turn:
                            started = await self._start()
                    if not started:
                        await pause(self._poll_interval, stop)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _start(self) -> int:
        room = AT_A_TIME - len(self._tasks)
        if room <= 0:
            await asyncio.wait(self._tasks, timeout=self._poll_interval, return_when=asyncio.FIRST_COMPLETED)
            return 1
        claimed = await self._store.claim(lease=secrets.token_hex(8), seconds=self._lease_seconds, limit=room)
        for work in claimed:
            task = asyncio.create_task(self._serve(work))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return len(claimed)

    async def _serve(self, work: Work) -> None:
        try:
            if await self._turn(work):
                await self._store.release(work)
        except UnavailableError as error:
            # The lease runs out, and somebody goes on from what was written last.
            Metrics.failures.labels(Action.SERVER_AWAY.value).inc()
            log().warning(Action.SERVER_AWAY, worker="webhooks", reason=str(error))
        except asyncio.CancelledError:
            with suppress(UnavailableError):
                await asyncio.shield(self._store.release(work))
            raise

    async def _turn(self, work: Work) -> bool:
        """
        Send the next events of a subscription; returns whether it is still ours at the end.
        """
        position = (work.webhook.revision, work.webhook.part)
        attempts = work.webhook.attempts
        for event in await self._store.events(work.webhook, after=position, limit=TURN):
            if work.webhook.wants(event):
                if not await self._tell(work, event, attempts + 1):
                    return False
            elif not await self._store.advance(work, event.position, delivered=False, seconds=self._lease_seconds):
                return False
            attempts = 0
        return True

    async def _tell(self, work: Work, event: AuditRecord, attempts: int) -> bool:
        """
        Send one event; returns whether the next may be sent.
        """
        answer = await attempt(self._sender, work.webhook, signing_with(work.secret), event)
        step = next_step(answer, attempts=attempts, jitter=random.random())  # noqa: S311  # spreads, hides nothing
        Metrics.webhooks.labels(step.verdict.value).inc()
        if step.verdict is Verdict.ACCEPTED:
            return await self._store.advance(work, event.position, delivered=True, seconds=self._lease_seconds)
        # Neither the address nor the answer: both may hold secrets.
        log().warning(
            Action.WEBHOOK_NOT_ACCEPTED,
            organization=work.webhook.organization_id,
            webhook=work.webhook.webhook_id,
            event_id=event.event_id,
            attempt=attempts,
            verdict=step.verdict.value,
            reason=answer.reason,
        )
        if step.verdict is Verdict.GIVEN_UP:
            return await self._store.give_up(
                work, event, attempts=attempts, reason=answer.reason, seconds=self._lease_seconds
            )
        if step.verdict is Verdict.GONE:
            await self._store.disable(work, reason="its receiver answered 410 Gone")
        else:
            await self._store.postpone(work, attempts=attempts, pause=step.pause, reason=answer.reason)
        return False
