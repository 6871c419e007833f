"""
The broker that tests run on: the embedded one, or Apache Kafka.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.kafka.broker import ApacheKafka, apache_kafka

from rooftree.embedded import embedded_broker
from rooftree.errors import UnavailableError

__all__ = ["BROKER", "KAFKA", "Broker", "own_names", "run_broker"]

BROKER = os.environ.get("ROOFTREE_TEST_BROKER", "embedded")
"""
``embedded`` or ``kafka``.
"""

KAFKA = "kafka"

if BROKER not in ("embedded", KAFKA):
    raise UnavailableError(f"ROOFTREE_TEST_BROKER: `{BROKER}` is neither embedded nor kafka")


@dataclass(frozen=True, slots=True)
class Broker:
    """
    A running broker.

    Attributes:
        bootstrap: Where it listens, ``HOST:PORT``.
        idempotence: Whether it knows idempotent producers.
        kafka: The process, if it is Apache Kafka started by the tests.
    """

    bootstrap: str
    idempotence: bool
    kafka: ApacheKafka | None = None


@asynccontextmanager
async def run_broker(folder: Path) -> AsyncIterator[Broker]:
    """
    Run a broker of the chosen kind, with nothing in it, while the context lasts.

    A machine that lacks what Apache Kafka needs ends the test run: every test would tell the same.
    """
    if BROKER != KAFKA:
        async with embedded_broker(folder) as embedded:
            yield Broker(embedded.bootstrap, idempotence=False)
        return
    try:
        async with apache_kafka(folder) as kafka:
            yield Broker(kafka.bootstrap, idempotence=True, kafka=kafka)
    except UnavailableError as error:
        pytest.exit(str(error), returncode=3)


def own_names(mark: str | None = None) -> dict[str, str]:
    """
    Return settings that name a consumer group and topics that nobody else has.
    """
    mark = mark or uuid.uuid4().hex[:8]
    topics = ("changes", "audit", "permissions", "dead-letter")
    named = {f"{topic.replace('-', '_')}_topic": f"{topic}-{mark}" for topic in topics}
    return {"consumer_group": f"projector-{mark}", **named}
