"""
What the HTTP API answers with about webhooks, tokens and the access log.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rooftree.contracts.fields import Outbound, Time

__all__ = [
    "AccessLogEntry",
    "CreatedWebhook",
    "IssuedToken",
    "RoleName",
    "Token",
    "Webhook",
    "WebhookAttempt",
    "WebhookLetter",
]

RoleName = Literal["viewer", "auditor", "admin"]
OrganizationIds = Annotated[list[str] | None, Field(description="Null for all of them, those to come included.")]


class Webhook(Outbound):
    """
    Who is told of audit events by HTTP, how far, and what is the matter.
    """

    webhook: str
    organization_id: str
    url: str
    types: list[str] | None = Field(description="Types of events that are wanted; null for all, as for the two below.")
    verdicts: list[str] | None
    account_ids: list[str] | None
    created_at: Time
    created_by: str
    disabled_at: Time | None = Field(description="Since when nothing is sent any more; null while something is.")
    disabled_reason: str | None
    revision: int = Field(description="With `part`, the last event that was accepted, given up or not wanted.")
    part: int
    attempts: int = Field(description="How often the next event was tried.")
    next_attempt_at: Time
    delivered_at: Time | None
    last_error: str | None
    given_up: int = Field(description="Events that wait for a replay.")


class CreatedWebhook(Outbound):
    """
    A subscription that was just made, with the secret of its signatures, which is shown this once.
    """

    webhook: str
    organization_id: str
    secret: str


class WebhookAttempt(Outbound):
    """
    What came of one attempt.
    """

    accepted: bool
    status: int | None = Field(description="What the receiver answered; null if it did not.")
    reason: str | None = Field(description="Why it is not accepted, in one line.")


class WebhookLetter(Outbound):
    """
    An event that a subscriber did not accept.
    """

    letter: int
    organization_id: str
    webhook: str
    event_id: str
    revision: int
    part: int
    attempts: int
    reason: str
    given_up_at: Time
    delivered_at: Time | None = Field(description="When a replay was accepted; null while it waits.")


class _Described(Outbound):
    id: str
    name: str
    role: RoleName
    organizations: OrganizationIds
    created_by: str
    expires_at: Time | None = Field(description="Null for never.")


class IssuedToken(_Described):
    """
    A token that was just made, itself included, which is shown this once.
    """

    token: str


class Token(_Described):
    """
    A token as it is kept, without anything by which it could be used.
    """

    created_at: Time
    last_used_at: Time | None = Field(description="To the minute.")
    revoked_at: Time | None
    state: Literal["good", "expired", "revoked"]


class AccessLogEntry(Outbound):
    """
    A sign-in, a write or a refusal.
    """

    entry: int
    time: Time
    kind: str = Field(
        description="How the caller proved who they are; `unknown` for a stranger, `command` for a command line."
    )
    name: str
    identity: str = Field(description="What stays the same when the name changes.")
    role: str | None
    organizations: OrganizationIds
    address: str
    action: str = Field(description="`METHOD /path`, or a word such as `sign-in`.")
    outcome: Literal["begun", "done", "refused", "failed"]
    status: int | None
    detail: str
