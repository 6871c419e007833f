"""
The function that takes events of AWS out of a queue and into Kafka, against a broker.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest
from tests.generators.aws_events import Deliveries
from tests.integration.service import ORGANIZATION, publish, read_topic, running, settled, snapshot

from rooftree.settings import Settings

pytestmark = pytest.mark.integration

FORWARDER = Path(__file__).parents[2] / "deploy" / "aws" / "forwarder" / "forwarder.py"
ATTACH = {"PolicyId": "p-denyregions", "TargetId": "ou-ab12-aaaaaaaa"}


@pytest.fixture
def forwarder(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """
    The function as Lambda loads it.
    """
    monkeypatch.setenv("KAFKA_BOOTSTRAP", settings.kafka_bootstrap)
    monkeypatch.setenv("KAFKA_TOPIC", settings.changes_topic)
    monkeypatch.setenv("ORGANIZATION_ID", ORGANIZATION)
    specification = importlib.util.spec_from_file_location("forwarder", FORWARDER)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    yield module
    module.forwarder().close()


def messages(*bodies: object) -> dict[str, object]:
    """
    A batch as Lambda hands it over.
    """
    return {"Records": [{"messageId": str(number), "body": json.dumps(body)} for number, body in enumerate(bodies)]}


async def test_an_event_in_the_queue_ends_as_an_audit_event(settings: Settings, forwarder: ModuleType) -> None:
    """
    Its key is the organization, and the second invocation uses the same connection.
    """
    event = Deliveries("111111111111").of("AttachPolicy", ATTACH, None, time=datetime(2026, 1, 2, tzinfo=UTC))[0]
    async with running(settings):
        await publish(settings, snapshot())
        await settled(settings, records=1)
        outcomes = [await asyncio.to_thread(forwarder.handler, messages(event), None) for _ in range(2)]
        await settled(settings, records=3)
    told = [json.loads(record.value) for record in await read_topic(settings, settings.audit_topic)]
    keys = {record.key for record in await read_topic(settings, settings.changes_topic)}

    assert [{"batchItemFailures": []}] * 2 == outcomes
    assert {ORGANIZATION.encode()} == keys
    assert [event["detail"]["eventID"]] * 2 == [each["data"]["cause"]["event_id"] for each in told]


async def test_without_a_broker_every_message_comes_again(
    forwarder: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Nothing is lost, and nothing is raised.
    """
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    outcome = await asyncio.to_thread(forwarder.handler, messages({}, {}), None)

    assert {"batchItemFailures": [{"itemIdentifier": "0"}, {"itemIdentifier": "1"}]} == outcome


async def test_a_message_that_is_too_large_comes_again_alone(settings: Settings, forwarder: ModuleType) -> None:
    """
    Those beside it in its batch are produced, and not again and again with it.
    """
    outcome = await asyncio.to_thread(forwarder.handler, messages({"n": 1}, "x" * 2_000_000, {"n": 2}), None)
    produced = [record.value for record in await read_topic(settings, settings.changes_topic)]

    assert {"batchItemFailures": [{"itemIdentifier": "1"}]} == outcome
    assert [b'{"n": 1}', b'{"n": 2}'] == produced
