"""
Webhooks: who is told of audit events by HTTP, and what they did not accept.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from starlette.exceptions import HTTPException

from rooftree.access.caller import Role
from rooftree.api.endpoint import WHOLE_NUMBER, Asked, Endpoint, Flag, OrganizationQuery, PageQuery, Part
from rooftree.api.query import decode_number, encode_cursor
from rooftree.contracts.administration import CreatedWebhook, Webhook, WebhookAttempt, WebhookLetter
from rooftree.contracts.fields import AccountId, Text, storable
from rooftree.contracts.resources.envelopes import Page
from rooftree.errors import InputError, UsageError
from rooftree.webhooks import subscriptions as kept
from rooftree.webhooks.documents import attempt_answer, webhook_answer, webhook_letter_answer

__all__ = ["ENDPOINTS"]


class WebhookQuery(OrganizationQuery):
    """
    Which webhook is meant.
    """

    webhook_id: Part


class WebhookLettersQuery(PageQuery):
    """
    Which letters of a webhook are meant.
    """

    webhook_id: Part
    delivered: Flag = Field(False, description="Also those that a replay has brought home.")


class WebhookLetterQuery(WebhookQuery):
    """
    Which letter of a webhook is meant.
    """

    letter: Annotated[int, Field(ge=1, le=2**62), WHOLE_NUMBER]


class WebhookBody(BaseModel):
    """
    Who wants to be told of what.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", strict=True, frozen=True)

    url: Annotated[str, StringConstraints(min_length=1, max_length=2048), AfterValidator(storable)] = Field(
        description="Where events are sent to: a public address that is reached by TLS."
    )
    secret: Annotated[str, StringConstraints(max_length=128)] | None = Field(
        None, description="Key of the signatures, `whsec_…`; left out, a new one is made."
    )
    types: Annotated[list[Text], Field(max_length=100)] | None = Field(
        None, description="Only events of these types; left out or empty, all, as for the two below."
    )
    verdicts: Annotated[list[Literal["tightened", "loosened", "mixed"]], Field(max_length=3)] | None = None
    account_ids: Annotated[list[AccountId], Field(max_length=1000)] | None = None
    from_start: bool = Field(False, description="Whether events that were there before are sent, too.")


async def list_webhooks(asked: Asked[OrganizationQuery, None]) -> Page[Webhook]:
    """
    List the webhooks of an organization.
    """
    found = await asked.backing.subscriptions.store.webhooks(frozenset({asked.organization_id}))
    return Page[Webhook](items=[webhook_answer(webhook) for webhook in found], next=None)


async def create_webhook(asked: Asked[OrganizationQuery, WebhookBody]) -> CreatedWebhook:
    """
    Subscribe an address.
    """
    body = asked.body
    try:
        made = await asked.backing.subscriptions.add(
            asked.organization_id,
            body.url,
            secret=body.secret,
            types=body.types,
            verdicts=list(body.verdicts or ()),
            account_ids=body.account_ids,
            created_by=asked.caller.name,
            from_start=body.from_start,
        )
    except UsageError as error:
        if error.place.startswith("ROOFTREE_"):
            raise
        raise InputError(error.reason, place=error.place.lower()) from None
    # Not the address: it may hold a secret.
    asked.note(f"{made.webhook_id} of {made.organization_id}")
    return CreatedWebhook(webhook=made.webhook_id, organization_id=made.organization_id, secret=made.secret)


async def show_webhook(asked: Asked[WebhookQuery, None]) -> Webhook:
    """
    Return one webhook.
    """
    return webhook_answer(await _webhook(asked))


async def remove_webhook(asked: Asked[WebhookQuery, None]) -> Webhook:
    """
    End a subscription.
    """
    webhook = await _webhook(asked)
    await asked.backing.subscriptions.store.remove(webhook)
    return webhook_answer(webhook)


async def test_webhook(asked: Asked[WebhookQuery, None]) -> WebhookAttempt:
    """
    Try it.
    """
    return attempt_answer(await asked.backing.subscriptions.test(await _webhook(asked)))


async def enable_webhook(asked: Asked[WebhookQuery, None]) -> Webhook:
    """
    Go on with a subscription.
    """
    await asked.backing.subscriptions.store.enable(await _webhook(asked))
    return webhook_answer(await _webhook(asked))


async def list_letters(asked: Asked[WebhookLettersQuery, None]) -> Page[WebhookLetter]:
    """
    List the letters of a webhook.
    """
    query = asked.parameters
    webhook = await _find(asked, query.webhook_id)
    found = await asked.backing.subscriptions.store.letters(
        frozenset({webhook.organization_id}),
        webhook_id=webhook.webhook_id,
        delivered=query.delivered,
        after=decode_number(query.cursor) if query.cursor else 0,
        limit=query.limit + 1,
    )
    more = encode_cursor([str(found[query.limit - 1].letter_id)]) if len(found) > query.limit else None
    return Page[WebhookLetter](items=[webhook_letter_answer(letter) for letter in found[: query.limit]], next=more)


async def replay_letter(asked: Asked[WebhookLetterQuery, None]) -> WebhookAttempt:
    """
    Send an event again.
    """
    webhook = await _webhook(asked)
    found = await asked.backing.subscriptions.store.letters(
        frozenset({webhook.organization_id}),
        webhook_id=webhook.webhook_id,
        letter_id=asked.parameters.letter,
        delivered=True,
    )
    if not found:
        raise HTTPException(404, f"no letter `{asked.parameters.letter}` of `{webhook.webhook_id}`")
    return attempt_answer(await asked.backing.subscriptions.replay(webhook, found[0]))


async def _webhook(asked: Asked[WebhookQuery, None]) -> kept.Webhook:
    return await _find(asked, asked.parameters.webhook_id)


async def _find(asked: Asked[OrganizationQuery, None], webhook_id: str) -> kept.Webhook:
    found = await asked.backing.subscriptions.find(webhook_id, frozenset({asked.organization_id}))
    if found is None:
        raise HTTPException(404, f"no webhook `{webhook_id}` of `{asked.organization_id}`")
    return found


ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/webhooks",
        "listWebhooks",
        "List the webhooks, with how far each was told and what is the matter",
        list_webhooks,
        answer=Page[Webhook],
        parameters=OrganizationQuery,
        role=Role.ADMIN,
    ),
    Endpoint(
        "POST",
        "/webhooks",
        "createWebhook",
        "Subscribe an address to audit events; the secret of the signatures is shown this once",
        create_webhook,
        answer=CreatedWebhook,
        parameters=OrganizationQuery,
        body=WebhookBody,
        role=Role.ADMIN,
        status=201,
    ),
    Endpoint(
        "GET",
        "/webhooks/{webhook_id}",
        "showWebhook",
        "Return a webhook",
        show_webhook,
        answer=Webhook,
        parameters=WebhookQuery,
        role=Role.ADMIN,
    ),
    Endpoint(
        "DELETE",
        "/webhooks/{webhook_id}",
        "removeWebhook",
        "End a subscription, and forget its letters; the answer is what it was",
        remove_webhook,
        answer=Webhook,
        parameters=WebhookQuery,
        role=Role.ADMIN,
    ),
    Endpoint(
        "POST",
        "/webhooks/{webhook_id}/test",
        "testWebhook",
        "Send an event of the type rooftree.webhook.test.v1 now, once, and tell what came of it",
        test_webhook,
        answer=WebhookAttempt,
        parameters=WebhookQuery,
        role=Role.ADMIN,
    ),
    Endpoint(
        "POST",
        "/webhooks/{webhook_id}/enable",
        "enableWebhook",
        "Go on with a webhook whose receiver had answered 410, or try at once what waits for its next attempt",
        enable_webhook,
        answer=Webhook,
        parameters=WebhookQuery,
        role=Role.ADMIN,
    ),
    Endpoint(
        "GET",
        "/webhooks/{webhook_id}/letters",
        "listWebhookLetters",
        "List events that were given up, the oldest first",
        list_letters,
        answer=Page[WebhookLetter],
        parameters=WebhookLettersQuery,
        role=Role.ADMIN,
    ),
    Endpoint(
        "POST",
        "/webhooks/{webhook_id}/letters/{letter}/replay",
        "replayWebhookLetter",
        "Send an event that was given up once more, with the id that it had, and tell what came of it",
        replay_letter,
        answer=WebhookAttempt,
        parameters=WebhookLetterQuery,
        role=Role.ADMIN,
    ),
)
