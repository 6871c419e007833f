"""
From the trace of a change to that of its audit events, over the real broker and the real database.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import httpx
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from pydantic import SecretStr
from tests.integration.receiving import Receiver, receiving
from tests.integration.service import (
    ORGANIZATION,
    event,
    eventually,
    publish,
    read_topic,
    running,
    settled,
    snapshot,
    stored,
)

from rooftree.api import create_app
from rooftree.bootstrap.database import open_store
from rooftree.bootstrap.reading import open_reader
from rooftree.bootstrap.web import open_backing
from rooftree.bootstrap.webhooks import make_subscriptions
from rooftree.bootstrap.workers import make_sender, open_webhook_sender
from rooftree.settings import Settings
from rooftree.store.access import DatabaseAccess
from rooftree.store.database import Database
from rooftree.store.webhooks import DatabaseWebhooks
from rooftree.stream.client import client_options
from rooftree.telemetry.logs import Action, configure_logging, log
from rooftree.telemetry.spans import step, traced
from rooftree.webhooks.signing import new_secret, signing_with
from rooftree.workers.webhooks import attempt

pytestmark = pytest.mark.integration

TRACE = "0af7651916cd43dd8448eb211c80319c"
CHANGE = f"00-{TRACE}-b7ad6b7169203331-01"
OTHER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TOKEN = "a-token-of-sixteen-or-more"


@pytest.fixture
async def spans() -> AsyncIterator[InMemorySpanExporter]:
    """
    Spans, kept in memory.
    """
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with traced(provider):
        yield exporter
    provider.shutdown()


@dataclass(frozen=True, slots=True)
class Subscribed:
    """
    A receiver of webhooks to whom there is something to tell.
    """

    settings: Settings
    database: Database
    receiver: Receiver
    webhook_id: str


def attached(number: int, kind: str = "attached") -> bytes:
    """
    Return a change that alters what two accounts may do.
    """
    time = f"2026-01-02T00:00:{number:02d}Z"
    return event(f"change-{number}", f"policy.{kind}", time, policy_id="p-denyregions", target_id="ou-ab12-aaaaaaaa")


async def send(settings: Settings, *changes: tuple[bytes, str | None]) -> None:
    """
    Publish changes as one batch, each with its own trace.
    """
    producer = AIOKafkaProducer(**client_options(settings), enable_idempotence=settings.kafka_idempotence)
    await producer.start()
    try:
        futures = [
            await producer.send(
                settings.changes_topic,
                value,
                ORGANIZATION.encode(),
                headers=[("traceparent", traceparent.encode())] if traceparent else [],
            )
            for value, traceparent in changes
        ]
        for future in futures:
            await future
    finally:
        await producer.stop()


def named(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    """
    Return the spans of a name, in the order in which they ended.
    """
    return [span for span in exporter.get_finished_spans() if span.name == name]


def traceparents(records: Sequence[ConsumerRecord]) -> list[str | None]:
    """
    Return the header of each record that names its trace.
    """
    told = (dict(record.headers).get("traceparent") for record in records)
    return [None if value is None else value.decode() for value in told]


async def test_a_change_and_its_audit_events_are_one_trace(settings: Settings, spans: InMemorySpanExporter) -> None:
    """
    Taking, projecting, committing and sending can be followed from the header of the change to those of its events;
    what is sent again carries the same header, since it is stored.
    """

    async def is_traced() -> bool:
        return bool(named(spans, f"process {settings.changes_topic}"))

    await publish(settings, snapshot())
    async with running(settings):
        await settled(settings, records=1)
        # spans end a moment after what they stand for is stored
        await eventually(is_traced)
        spans.clear()
        await send(settings, (attached(1), CHANGE))
        await settled(settings, records=2)
        await stored(
            settings,
            """
            update rooftree.outbox_sent
            set position = (select min(position) from rooftree.outbox where aggregatetype = 'audit') - 1
            """,
        )
        await settled(settings, records=2)
    [process] = named(spans, f"process {settings.changes_topic}")
    [project], [commit] = named(spans, "project"), named(spans, "commit")
    sent = await read_topic(settings, settings.audit_topic)
    sends = [span for span in spans.get_finished_spans() if span.name.startswith("send")]
    assert process.context is not None

    assert SpanKind.CONSUMER is process.kind
    assert process.parent is not None
    assert CHANGE.split("-")[1:3] == [f"{process.parent.trace_id:032x}", f"{process.parent.span_id:016x}"]
    assert [process.context.span_id] * 2 == [span.parent.span_id for span in (project, commit) if span.parent]
    assert {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": settings.changes_topic,
        "messaging.batch.message_count": 1,
    }.items() <= dict(process.attributes or {}).items()
    assert 4 == len(sent)
    assert 2 == len({(record.value, *record.headers) for record in sent})
    assert {TRACE} == {str(header).split("-")[1] for header in traceparents(sent)}
    assert commit.context is not None
    assert {(TRACE, commit.context.span_id)} == {
        (f"{span.context.trace_id:032x}", span.parent.span_id)
        for span in sends
        if span.context and span.parent and any(link.context.span_id == commit.context.span_id for link in span.links)
    }
    assert {SpanKind.PRODUCER} == {span.kind for span in sends}


@pytest.fixture
async def subscribed(settings: Settings, spans: InMemorySpanExporter) -> AsyncIterator[Subscribed]:
    """
    Subscribe a receiver that is away at first, and make a change of the trace `TRACE`.
    """
    chosen = settings.model_copy(update={"webhook_allow_private": True, "webhook_poll_interval": 0.02})
    await publish(settings, snapshot())
    async with receiving() as receiver, open_store(chosen, "rooftree-test") as database:
        receiver.answers = [503]
        async with running(settings):
            await settled(settings, records=1)
            webhook = await make_subscriptions(chosen, database).add(
                *(ORGANIZATION, f"{receiver.url}/hook?key=hidden"),
                **dict.fromkeys(("secret", "types", "verdicts", "account_ids")),
                created_by="test",
                from_start=False,
            )
            await send(settings, (attached(1), CHANGE))
            await settled(settings, records=2)
        yield Subscribed(chosen, database, receiver, webhook.webhook_id)


async def test_webhooks_are_part_of_the_trace_of_their_event(
    subscribed: Subscribed, spans: InMemorySpanExporter
) -> None:
    """
    An attempt that fails as one that is accepted; the receiver is told of the attempt, and the trace of no secret.
    """
    receiver, stop = subscribed.receiver, asyncio.Event()

    async def is_refused() -> bool:
        return len(await stored(subscribed.settings, "select 1 from rooftree.webhook where attempts = 1")) == 1

    async def is_told() -> bool:
        return len(receiver.accepted) == 2

    async with open_webhook_sender(subscribed.settings, subscribed.database) as worker:
        task = asyncio.create_task(worker(stop))
        await eventually(is_refused)
        await stored(subscribed.settings, "update rooftree.webhook set next_attempt_at = now() returning 1 as done")
        await eventually(is_told)
        stop.set()
        await task
    attempts = named(spans, "send webhook")
    told = [dict(headers)["traceparent"].split("-") for headers, _ in receiver.requests]
    [commit] = {span.parent.span_id for span in attempts if span.parent}

    assert [[TRACE, f"{span.context.span_id:016x}"] for span in attempts if span.context] == [one[1:3] for one in told]
    assert commit in {span.context.span_id for span in named(spans, "commit") if span.context}
    assert [503, 204, 204] == [(span.attributes or {})["http.response.status_code"] for span in attempts]
    assert ["503", None, None] == [(span.attributes or {}).get("error.type") for span in attempts]
    assert [False, True, True] == [span.status.is_unset for span in attempts]
    assert {(SpanKind.PRODUCER, subscribed.webhook_id)} == {
        (span.kind, (span.attributes or {})["messaging.destination.name"]) for span in attempts
    }
    assert all("hidden" not in span.to_json() for span in attempts)


async def test_a_webhook_that_is_asked_for_is_part_of_the_request(
    subscribed: Subscribed, spans: InMemorySpanExporter
) -> None:
    """
    What is sent again is linked with its event all the same.
    """
    store = DatabaseWebhooks(subscribed.database)
    [webhook] = await store.webhooks()
    [*_, last] = await store.events(webhook, after=(0, 0), limit=9)
    with step("request"):
        answer = await attempt(make_sender(subscribed.settings), webhook, signing_with(new_secret()), last)
    [span], [request] = named(spans, "send webhook"), named(spans, "request")
    assert request.context is not None
    assert span.parent is not None

    assert 503 == answer.status
    assert request.context.span_id == span.parent.span_id
    assert [TRACE] == [f"{link.context.trace_id:032x}" for link in span.links]


async def test_several_changes_in_one_batch_are_linked(settings: Settings, spans: InMemorySpanExporter) -> None:
    """
    A batch has many causes, and belongs to the trace of none of them.
    """
    await send(settings, (snapshot(), None), (attached(1), CHANGE), (attached(2, "detached"), OTHER))
    async with running(settings):
        await settled(settings, records=3)
    [process] = named(spans, f"process {settings.changes_topic}")

    assert process.parent is None
    assert {TRACE, OTHER.split("-")[1]} == {f"{link.context.trace_id:032x}" for link in process.links}


async def test_a_header_that_names_no_trace_is_no_fault(settings: Settings, spans: InMemorySpanExporter) -> None:
    """
    Headers are anybody's.
    """
    await send(settings, (snapshot(), "no trace at all"))
    async with running(settings):
        await settled(settings, records=1)
    [process] = named(spans, f"process {settings.changes_topic}")

    assert (None, 0) == (process.parent, len(process.links))


async def test_nothing_is_told_where_nobody_asks(settings: Settings) -> None:
    """
    Without a provider records have no header, whatever the header of the change was.
    """
    await send(settings, (snapshot(), None), (attached(1), CHANGE))
    async with running(settings):
        await settled(settings, records=2)

    assert [None, None] == traceparents(await read_topic(settings, settings.audit_topic))


async def test_a_request_is_a_span_under_its_route(settings: Settings, spans: InMemorySpanExporter) -> None:
    """
    It belongs to the trace of whoever asks; probes of the process are left out.
    """
    chosen = settings.model_copy(update={"admin_token": SecretStr(TOKEN)})
    async with (
        open_store(chosen, "rooftree-test") as database,
        open_reader(chosen) as reader,
        open_backing(chosen, database) as backing,
    ):
        app = create_app(lambda _: reader, DatabaseAccess(database), chosen, backing)
        transport = httpx.ASGITransport(app=app)
        headers = {"Authorization": f"Bearer {TOKEN}", "traceparent": CHANGE}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
            answer = await client.get("/api/v1/accounts/222222222222")
            await client.get("/healthz")
    [span] = spans.get_finished_spans()
    assert span.context is not None

    assert "GET /api/v1/accounts/{account_id}" == span.name
    assert TRACE == f"{span.context.trace_id:032x}"
    assert answer.status_code == (span.attributes or {})["http.response.status_code"]


async def test_log_lines_name_the_trace(spans: InMemorySpanExporter, capsys: pytest.CaptureFixture[str]) -> None:
    """
    From a line one finds the trace, and from the trace the lines.
    """
    configure_logging(style="json")
    with step("outer"):
        log().info(Action.BATCH_COMMITTED)
    log().info(Action.BATCH_COMMITTED)
    inside, outside = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    [span] = spans.get_finished_spans()
    assert span.context is not None

    assert f"{span.context.trace_id:032x}" == inside["trace_id"]
    assert "trace_id" not in outside
