"""
How records are written to Apache Kafka.
"""

from __future__ import annotations

import struct

import pytest
from tests.integration.service import publish, snapshot
from tests.kafka.broker import ApacheKafka

from rooftree.settings import Settings

pytestmark = pytest.mark.integration

PRODUCER_ID = struct.Struct(">43xq")
"""
Where a batch of records, as it lies on the disk, names the producer that numbers its batches; -1 for one that does not.
"""


@pytest.mark.parametrize("idempotent", [True, False])
async def test_the_broker_counts_what_an_idempotent_producer_sends(
    settings: Settings, kafka: ApacheKafka, *, idempotent: bool
) -> None:
    """
    A batch that is sent again, because its confirmation was lost, is known by its producer and number.
    """
    chosen = settings.model_copy(update={"kafka_idempotence": idempotent})
    await publish(chosen, snapshot())
    [segment] = [path for path in kafka.segments(chosen.changes_topic) if path.stat().st_size]
    [producer] = PRODUCER_ID.unpack_from(segment.read_bytes())

    assert idempotent == (producer >= 0)
