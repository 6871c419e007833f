"""
``rooftree webhook add``, ``list``, ``test``, ``enable``, ``rm``, ``letters`` and ``replay``: audit events by HTTP.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Final

import typer

from rooftree.bootstrap.commands import open_access
from rooftree.bootstrap.webhooks import open_subscriptions
from rooftree.cli.access import operator, record_command
from rooftree.cli.options import DataDir, Json, OrganizationId
from rooftree.cli.output import print_json, print_line, print_table, say
from rooftree.cli.runtime import connected_settings
from rooftree.errors import UsageError
from rooftree.organization.identifiers import is_account
from rooftree.organization.timestamps import format_time
from rooftree.webhooks.administration import Subscriptions
from rooftree.webhooks.documents import attempt_answer, webhook_answer, webhook_letter_answer
from rooftree.webhooks.schedule import Answer
from rooftree.webhooks.signing import check_secret
from rooftree.webhooks.subscriptions import NewWebhook, Webhook, WebhookLetter

__all__ = ["add_commands"]

NOT_ACCEPTED: Final = 1
VERDICTS: Final = ("tightened", "loosened", "mixed")

WebhookId = Annotated[str, typer.Argument(metavar="WEBHOOK", help="The id that `list` prints.", show_default=False)]


def add_commands(app: typer.Typer) -> None:
    """
    Add the commands of this module.
    """
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Audit events by HTTP.")
    for command in (add, enable, rm, letters, replay):
        group.command()(command)
    group.command(name="list")(list_webhooks)
    group.command(name="test")(send_test)
    app.add_typer(group, name="webhook")


def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where events are sent to.", show_default=False)],
    *,
    organization: Annotated[str, typer.Option("--organization", metavar="ID", help="Whose events.")],
    event_type: Annotated[
        list[str] | None, typer.Option("--type", metavar="TYPE", help="Only events of this type; repeatable.")
    ] = None,
    verdict: Annotated[
        list[str] | None,
        typer.Option("--verdict", metavar="VERDICT", help="Only tightened, loosened or mixed; repeatable."),
    ] = None,
    account: Annotated[
        list[str] | None, typer.Option("--account", metavar="ID", help="Only events of this account; repeatable.")
    ] = None,
    secret_file: Annotated[
        Path | None,
        typer.Option("--secret-file", metavar="FILE", help="Holds the secret, whsec_….", show_default="a new one"),
    ] = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="Also all events so far.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Subscribe an address to audit events and print the secret of its signatures, once.
    """
    for name in verdict or ():
        if name not in VERDICTS:
            raise UsageError(f"expected one of {', '.join(VERDICTS)}, found `{name}`", place="--verdict")
    for name in account or ():
        if not is_account(name):
            raise UsageError(f"expected 12 digits, found `{name}`", place="--account")
    secret = None if secret_file is None else _secret(secret_file)

    async def create() -> NewWebhook:
        settings = connected_settings(data_dir)
        async with open_subscriptions(settings) as subscriptions, open_access(settings) as access:
            webhook = await subscriptions.add(
                organization,
                url,
                secret=secret,
                types=event_type,
                verdicts=verdict,
                account_ids=account,
                created_by=operator(),
                from_start=from_start,
            )
            # Not the address: it may hold a secret.
            await record_command(access, "webhook add", f"{webhook.webhook_id} of {organization}")
            return webhook

    webhook = asyncio.run(create())
    if as_json:
        print_json({"webhook": webhook.webhook_id, "secret": webhook.secret})
    else:
        print_line(f"webhook  {webhook.webhook_id}")
        print_line(f"secret   {webhook.secret}")
        say("this is the only time that the secret is shown")


def list_webhooks(*, organization: OrganizationId = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """
    List subscriptions: how far each was told, and what is the matter.
    """

    async def read() -> list[Webhook]:
        async with open_subscriptions(connected_settings(data_dir)) as subscriptions:
            return await subscriptions.store.webhooks(frozenset({organization}) if organization else None)

    found = asyncio.run(read())
    if as_json:
        print_json([webhook_answer(webhook).model_dump() for webhook in found])
    else:
        print_table(
            ("WEBHOOK", "ORGANIZATION", "URL", "REVISION", "STATE"),
            [
                (webhook.webhook_id, webhook.organization_id, webhook.url, webhook.revision, _state(webhook))
                for webhook in found
            ],
        )


def send_test(webhook: WebhookId, *, data_dir: DataDir = None, as_json: Json = False) -> None:
    """
    Send an event of the type rooftree.webhook.test.v1 now, once; exit with 1 if it is not accepted.
    """

    async def send() -> Answer:
        async with open_subscriptions(connected_settings(data_dir)) as subscriptions:
            return await subscriptions.test(await _find(subscriptions, webhook))

    answer = asyncio.run(send())
    _tell(answer, as_json=as_json)


def enable(webhook: WebhookId, *, data_dir: DataDir = None) -> None:
    """
    Go on with a subscription whose receiver had answered 410, or try at once what waits for its next attempt.
    """

    async def go_on() -> None:
        settings = connected_settings(data_dir)
        async with open_subscriptions(settings) as subscriptions, open_access(settings) as access:
            await subscriptions.store.enable(await _find(subscriptions, webhook))
            await record_command(access, "webhook enable", webhook)

    asyncio.run(go_on())
    print_line(f"{webhook} goes on")


def rm(webhook: WebhookId, *, data_dir: DataDir = None) -> None:
    """
    End a subscription; what it was not told of is not sent any more.
    """

    async def remove() -> None:
        settings = connected_settings(data_dir)
        async with open_subscriptions(settings) as subscriptions, open_access(settings) as access:
            await subscriptions.store.remove(await _find(subscriptions, webhook))
            await record_command(access, "webhook rm", webhook)

    asyncio.run(remove())
    print_line(f"removed {webhook}")


def letters(
    *,
    delivered: Annotated[bool, typer.Option("--delivered", help="Also those that a replay has brought home.")] = False,
    organization: OrganizationId = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    List events that were given up, the oldest first.
    """

    async def read() -> list[WebhookLetter]:
        async with open_subscriptions(connected_settings(data_dir)) as subscriptions:
            return await subscriptions.store.letters(
                frozenset({organization}) if organization else None, delivered=delivered
            )

    found = asyncio.run(read())
    if as_json:
        print_json([webhook_letter_answer(letter).model_dump() for letter in found])
    else:
        print_table(
            ("LETTER", "WEBHOOK", "EVENT", "ATTEMPTS", "GIVEN UP", "REASON"),
            [
                (
                    *(letter.letter_id, letter.webhook_id, letter.event_id, letter.attempts),
                    *(format_time(letter.given_up_at), letter.reason),
                )
                for letter in found
            ],
        )


def replay(
    letter: Annotated[int, typer.Argument(metavar="LETTER", min=1, help="The number that `letters` prints.")],
    *,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """
    Send an event that was given up once more, with the id that it had; exit with 1 if it is not accepted.
    """

    async def send() -> Answer:
        async with open_subscriptions(connected_settings(data_dir)) as subscriptions:
            found = await subscriptions.store.letters(letter_id=letter, delivered=True)
            if not found:
                raise UsageError(f"no letter `{letter}`", place="LETTER")
            return await subscriptions.replay(await _find(subscriptions, found[0].webhook_id), found[0])

    answer = asyncio.run(send())
    _tell(answer, as_json=as_json)


def _tell(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(attempt_answer(answer).model_dump())
    else:
        print_line(f"accepted with {answer.status}" if answer.accepted else f"not accepted: {answer.reason}")
    if not answer.accepted:
        raise typer.Exit(NOT_ACCEPTED)


def _secret(file: Path) -> str:
    try:
        return check_secret(file.read_text("utf-8").strip())
    except OSError as error:
        raise UsageError((error.strerror or "cannot be read").lower(), place=str(file)) from error
    except UsageError as error:
        raise error.within(str(file)) from None


async def _find(subscriptions: Subscriptions, webhook_id: str) -> Webhook:
    found = await subscriptions.find(webhook_id)
    if found is None:
        raise UsageError(f"no webhook `{webhook_id}`", place="WEBHOOK")
    return found


def _state(webhook: Webhook) -> str:
    letters_waiting = f"; {webhook.waiting} given up" if webhook.waiting else ""
    if webhook.disabled_at is not None:
        return f"disabled: {webhook.disabled_reason}{letters_waiting}"
    if webhook.attempts:
        when = format_time(webhook.next_attempt_at)
        return f"tried {webhook.attempts} times ({webhook.last_error}), again at {when}{letters_waiting}"
    return f"good{letters_waiting}"
