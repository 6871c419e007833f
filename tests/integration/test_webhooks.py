"""
Webhooks from the view to a real receiver, that is there, slow, away, gone, or wants something else.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.integration.receiving import Receiver, receiving
from tests.integration.service import ORGANIZATION, event, eventually, publish, running, settled, snapshot, stored

from rooftree.bootstrap.database import open_store
from rooftree.bootstrap.workers import open_webhook_sender
from rooftree.cli import main
from rooftree.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
UNIT = "ou-ab12-aaaaaaaa"


def changed(number: int) -> bytes:
    """
    Return a change that makes audit events: attached, detached, and so on.
    """
    kind = "attached" if number % 2 else "detached"
    return event(
        f"change-{number}",
        f"policy.{kind}",
        f"2026-01-02T00:00:{number:02}Z",
        policy_id="p-denyregions",
        target_id=UNIT,
    )


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """
    Run a receiver.
    """
    async with receiving() as taking:
        yield taking


@pytest.fixture
async def told(settings: Settings) -> Settings:
    """
    Bring an organization in; nothing has changed yet.
    """
    await publish(settings, snapshot())
    async with running(settings):
        await settled(settings, records=1, seconds=60)
    return settings.model_copy(
        update={"webhook_allow_private": True, "webhook_poll_interval": 0.02, "webhook_timeout": 1}
    )


Command = Callable[..., Coroutine[Any, Any, tuple[int, str]]]


@pytest.fixture
def command(told: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """
    Run a command beside the service.
    """
    monkeypatch.setenv("ROOFTREE_POSTGRES_DSN", told.postgres_dsn.get_secret_value())
    monkeypatch.setenv("ROOFTREE_WEBHOOK_ALLOW_PRIVATE", "true")

    async def run(*arguments: object) -> tuple[int, str]:
        capsys.readouterr()
        status = await asyncio.to_thread(main, [str(argument) for argument in arguments])
        return status, capsys.readouterr().out

    return run


@pytest.fixture
async def webhook(receiver: Receiver, command: Command, tmp_path: Any) -> str:
    """
    Subscribe the receiver; returns the id.
    """
    (tmp_path / "secret").write_text(SECRET)
    status, out = await command(
        *("webhook", "add", f"{receiver.url}/hook", "--organization", ORGANIZATION),
        *("--secret-file", tmp_path / "secret", "--json"),
    )
    assert 0 == status
    return str(json.loads(out)["webhook"])


async def change(settings: Settings, *numbers: int) -> None:
    """
    Let something happen; two accounts have an audit event of each change.
    """
    await publish(settings, *(changed(number) for number in numbers))
    async with running(settings):
        await settled(settings, records=1 + numbers[-1], seconds=60)


@asynccontextmanager
async def sending(settings: Settings) -> AsyncIterator[None]:
    """
    Run the worker.
    """
    stop = asyncio.Event()
    async with open_store(settings, "rooftree-test") as database, open_webhook_sender(settings, database) as worker:
        task = asyncio.create_task(worker(stop))
        try:
            yield
        finally:
            stop.set()
            await task


async def due(settings: Settings) -> None:
    """
    Let the time until the next attempt have passed.
    """
    await stored(settings, "update rooftree.webhook set next_attempt_at = now() returning 1 as done")


def expected(event_ids: list[dict[str, Any]]) -> list[str]:
    """
    Return the ids of audit events in their order.
    """
    return [str(row["event_id"]) for row in event_ids]


async def audit_ids(settings: Settings) -> list[str]:
    """
    Return the ids of all audit events in their order.
    """
    return expected(await stored(settings, "select event_id from rooftree.audit_event order by revision, part"))


async def test_events_arrive_signed_in_their_order_and_once(told: Settings, receiver: Receiver, webhook: str) -> None:
    """
    Just what stands on the audit topic, with a signature over just what is sent.
    """
    await change(told, 1, 2, 3)
    async with sending(told):
        await eventually(lambda: _true(len(receiver.accepted) >= 6))
        await asyncio.sleep(0.2)

    assert await audit_ids(told) == [one["id"] for one in receiver.accepted] == receiver.ids
    headers, body = receiver.requests[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    assert "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() == headers["webhook-signature"]
    assert "rooftree.decision.changed.v1" == json.loads(body)["type"]
    assert "tightened" == json.loads(body)["data"]["verdict"]


async def _true(value: bool) -> bool:  # noqa: FBT001  # a condition, asked again and again
    return value


async def test_what_is_not_accepted_comes_again_with_its_id_and_holds_the_others_back(
    told: Settings, receiver: Receiver, webhook: str, command: Command
) -> None:
    """
    A failure, a redirect, an answer that takes too long, and too many requests: one event, five attempts, one id.
    """
    receiver.answers = [500, 302, 3.0, 429, 204]
    await change(told, 1)
    async with sending(told):
        for attempts in (1, 2, 3, 4):

            async def tried(count: int = attempts) -> bool:
                [row] = await stored(told, "select attempts from rooftree.webhook")
                return bool(row["attempts"] == count)

            await eventually(tried)
            _, listed = await command("webhook", "list", "--json")
            await due(told)
        await eventually(lambda: _true(len(receiver.ids) >= 6))
        await eventually(lambda: _true(len(receiver.accepted) >= 2))

    first, second = await audit_ids(told)
    assert [first] * 5 + [second] == receiver.ids
    # The slow answer came to nobody: what was taken and not confirmed comes twice, and is known by its id.
    assert {first, second} == {one["id"] for one in receiver.accepted}
    [row] = json.loads(listed)
    assert (4, "answered 429") == (row["attempts"], row["last_error"])
    assert SECRET not in listed


async def test_a_receiver_that_is_gone_is_left_alone_until_it_is_wanted_again(
    told: Settings, receiver: Receiver, webhook: str, command: Command
) -> None:
    """
    410 ends the subscription; `enable` goes on where it stood, so nothing is lost.
    """
    receiver.answers = [410]
    await change(told, 1)
    async with sending(told):

        async def disabled() -> bool:
            [row] = await stored(told, "select disabled_at from rooftree.webhook")
            return row["disabled_at"] is not None

        await eventually(disabled)
        await asyncio.sleep(0.2)
        once = len(receiver.requests)
        await command("webhook", "enable", webhook)
        await eventually(lambda: _true(len(receiver.accepted) >= 2))

    assert 1 == once
    assert await audit_ids(told) == [one["id"] for one in receiver.accepted]


async def test_what_is_given_up_waits_among_the_letters_and_can_be_sent_again(
    told: Settings, receiver: Receiver, webhook: str, command: Command
) -> None:
    """
    After the last attempt the next event is sent; a replay has the id of the event that it repeats.
    """
    receiver.answers = [400, 204, 400]
    await change(told, 1)
    await stored(told, "update rooftree.webhook set attempts = 4 returning 1 as done")
    async with sending(told):
        await eventually(lambda: _true(len(receiver.accepted) >= 1))
    first, second = await audit_ids(told)
    _, listed = await command("webhook", "letters", "--json")
    [letter] = json.loads(listed)
    failed, _ = await command("webhook", "replay", letter["letter"])
    worked, _ = await command("webhook", "replay", letter["letter"])
    _, left = await command("webhook", "letters", "--json")

    assert (first, 5, "answered 400") == (letter["event_id"], letter["attempts"], letter["reason"])
    assert (1, 0) == (failed, worked)
    assert [first, second, first, first] == receiver.ids
    assert [] == json.loads(left)


async def test_a_worker_that_dies_in_an_attempt_is_not_waited_for(
    told: Settings, receiver: Receiver, webhook: str
) -> None:
    """
    Its lease is given back or runs out; the event comes again, with its id; two workers never send side by side.
    """
    receiver.answers = [5.0]
    await change(told, 1)
    async with sending(told):
        await eventually(lambda: _true(len(receiver.requests) >= 1))
    async with sending(told), sending(told):
        await eventually(lambda: _true(len(receiver.ids) >= 3))
        await asyncio.sleep(0.2)

    first, second = await audit_ids(told)
    assert [first, first, second] == receiver.ids


async def test_filters_keep_out_what_is_not_wanted(told: Settings, receiver: Receiver, command: Command) -> None:
    """
    By verdict and account; what passes comes in order, and the rest is passed over without a request.
    """
    status, _ = await command(
        *("webhook", "add", f"{receiver.url}/hook", "--organization", ORGANIZATION),
        *("--verdict", "loosened", "--account", "222222222222", "--json"),
    )
    await change(told, 1, 2, 3, 4)
    async with sending(told):

        async def told_all() -> bool:
            [row] = await stored(told, "select revision from rooftree.webhook")
            return bool(row["revision"] == 4)

        await eventually(told_all)

    assert 0 == status
    assert [("222222222222", "loosened")] * 2 == [
        (one["data"]["account_id"], one["data"]["verdict"]) for one in receiver.accepted
    ]


async def test_a_subscription_can_be_tried_and_ended(
    told: Settings, receiver: Receiver, webhook: str, command: Command
) -> None:
    """
    `test` sends an event of its own type, signed, and tells what came of it; `rm` ends everything.
    """
    receiver.answers = [204, 500]
    good, said = await command("webhook", "test", webhook)
    bad, complaint = await command("webhook", "test", webhook)
    removed, _ = await command("webhook", "rm", webhook)
    again, _ = await command("webhook", "rm", webhook)

    assert (0, 1, 0, 2) == (good, bad, removed, again)
    assert ("accepted with 204\n", "not accepted: answered 500\n") == (said, complaint)
    assert "rooftree.webhook.test.v1" == receiver.accepted[0]["type"]


async def test_nothing_is_sent_inside_unless_a_setting_allows_it(
    told: Settings, receiver: Receiver, webhook: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    An address of this machine is refused when it is given, and when a subscription has it from before.
    """
    monkeypatch.delenv("ROOFTREE_WEBHOOK_ALLOW_PRIVATE")
    plain, _ = await command("webhook", "add", f"{receiver.url}/hook", "--organization", ORGANIZATION)
    await stored(told, "update rooftree.webhook set url = replace(url, 'http://', 'https://') returning 1 as done")
    await change(told, 1)
    async with sending(told.model_copy(update={"webhook_allow_private": False})):

        async def tried() -> bool:
            [row] = await stored(told, "select attempts from rooftree.webhook")
            return bool(row["attempts"])

        await eventually(tried)
    [row] = await stored(told, "select last_error from rooftree.webhook")

    assert 2 == plain
    assert "`127.0.0.1` leads to the address `127.0.0.1`, which is not public" == row["last_error"]
    assert [] == receiver.requests
