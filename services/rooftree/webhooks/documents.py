"""
Subscriptions, letters and attempts as commands and the API tell them.
"""

from __future__ import annotations

from datetime import datetime

from rooftree.contracts import administration as contract
from rooftree.organization.timestamps import format_time
from rooftree.webhooks.schedule import Answer
from rooftree.webhooks.subscriptions import Webhook, WebhookLetter

__all__ = ["attempt_answer", "webhook_answer", "webhook_letter_answer"]


def webhook_answer(webhook: Webhook) -> contract.Webhook:
    """
    Return a subscription without its secret.
    """
    return contract.Webhook(
        webhook=webhook.webhook_id,
        organization_id=webhook.organization_id,
        url=webhook.url,
        types=_listed(webhook.types),
        verdicts=_listed(webhook.verdicts),
        account_ids=_listed(webhook.account_ids),
        created_at=format_time(webhook.created_at),
        created_by=webhook.created_by,
        disabled_at=_time(webhook.disabled_at),
        disabled_reason=webhook.disabled_reason,
        revision=webhook.revision,
        part=webhook.part,
        attempts=webhook.attempts,
        next_attempt_at=format_time(webhook.next_attempt_at),
        delivered_at=_time(webhook.delivered_at),
        last_error=webhook.last_error,
        given_up=webhook.waiting,
    )


def webhook_letter_answer(letter: WebhookLetter) -> contract.WebhookLetter:
    """
    Return an event that was given up.
    """
    return contract.WebhookLetter(
        letter=letter.letter_id,
        organization_id=letter.organization_id,
        webhook=letter.webhook_id,
        event_id=letter.event_id,
        revision=letter.revision,
        part=letter.part,
        attempts=letter.attempts,
        reason=letter.reason,
        given_up_at=format_time(letter.given_up_at),
        delivered_at=_time(letter.delivered_at),
    )


def attempt_answer(answer: Answer) -> contract.WebhookAttempt:
    """
    Return what came of an attempt.
    """
    return contract.WebhookAttempt(accepted=answer.accepted, status=answer.status, reason=answer.reason or None)


def _listed(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)
