"""
What cannot be processed is kept, said, and marked, and nothing else waits for it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from random import Random

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
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

from rooftree.settings import Settings

pytestmark = pytest.mark.integration

OTHER = "o-otherorg1234"
ATTACHED = event(
    "attach",
    "policy.attached",
    "2026-01-02T00:00:00Z",
    policy_id="p-denyregions",
    target_id="ou-ab12-aaaaaaaa",
)
BROKEN = event(
    "broken",
    "policy.updated",
    "2026-01-03T00:00:00Z",
    policy_id="p-denyregions",
    content={"Statement": [{"Effect": "Maybe"}]},
)


async def test_a_refused_change_keeps_its_bytes_and_says_why(settings: Settings) -> None:
    """
    The record on the dead-letter topic is the original, with headers that name reason, place and origin.
    """
    await publish(settings, snapshot(), BROKEN)
    async with running(settings):
        await settled(settings, records=2)

    [record] = await read_topic(settings, settings.dead_letter_topic)
    headers = {name: value.decode() for name, value in record.headers}

    assert (ORGANIZATION.encode(), BROKEN) == (record.key, record.value)
    assert {
        "rooftree-topic": settings.changes_topic,
        "rooftree-offset": "1",
        "rooftree-disposition": "refused",
        "rooftree-organization": ORGANIZATION,
    }.items() <= headers.items()
    assert "Effect" in headers["rooftree-place"]
    assert headers["rooftree-reason"]


async def test_the_organization_it_names_is_incomplete_everywhere(settings: Settings) -> None:
    """
    View, later audit events, the states of accounts and an event of its own all say that something is missing.
    """
    await publish(settings, snapshot(), BROKEN, ATTACHED)
    async with running(settings):
        await settled(settings, records=3)

    audit = [json.loads(record.value) for record in await read_topic(settings, settings.audit_topic)]
    [incomplete] = [each for each in audit if each["type"] == "rooftree.organization.incomplete.v1"]
    changed = [each for each in audit if each["type"] == "rooftree.decision.changed.v1"]
    rows = await stored(settings, "select complete from rooftree.account_permissions")
    states = {record.key: json.loads(record.value) for record in await read_topic(settings, settings.permissions_topic)}

    assert ORGANIZATION == incomplete["subject"]
    assert [False, False] == [each["data"]["complete"] for each in changed]
    assert [False, False, False] == [row["complete"] for row in rows]
    assert [False, False, False] == [state["data"]["complete"] for state in states.values()]


async def test_a_later_snapshot_makes_the_view_complete_again(settings: Settings) -> None:
    """
    Once the whole truth is told anew, the mark goes, every state says so, and an event tells.
    """
    await publish(settings, snapshot(), BROKEN)
    async with running(settings):
        await settled(settings, records=2)
        await publish(settings, snapshot("again", "2026-01-04T00:00:00Z"))
        await settled(settings, records=3)

    [organization] = await stored(settings, "select incomplete_since from rooftree.organization")
    audit = [json.loads(record.value) for record in await read_topic(settings, settings.audit_topic)]
    states = {record.key: json.loads(record.value) for record in await read_topic(settings, settings.permissions_topic)}

    assert organization["incomplete_since"] is None
    assert ["rooftree.organization.incomplete.v1", "rooftree.organization.complete.v1"] == [
        each["type"] for each in sorted(audit, key=lambda each: each["sequence"])
    ]
    assert {True} == {state["data"]["complete"] for state in states.values()}


async def test_other_organizations_go_on(settings: Settings) -> None:
    """
    A mark is about one organization alone.
    """
    await publish(settings, snapshot(), BROKEN)
    await publish(settings, snapshot(organization=OTHER), key=OTHER)
    async with running(settings):
        await settled(settings, records=3)

    rows = await stored(settings, "select organization_id, incomplete_since from rooftree.organization order by 1")

    assert [(ORGANIZATION, False), (OTHER, True)] == [
        (row["organization_id"], row["incomplete_since"] is None) for row in rows
    ]


@pytest.mark.parametrize(
    ("value", "key", "disposition", "organization"),
    [
        pytest.param(b"\xff\x00 no text", "nobody", "undecodable", "", id="bytes of nobody"),
        pytest.param(b"{", ORGANIZATION, "undecodable", ORGANIZATION, id="broken JSON, the key tells"),
        pytest.param(
            event("x", "account.vanished", "2026-01-01T00:00:00Z"),
            "nobody",
            "unknown_schema",
            ORGANIZATION,
            id="unknown type",
        ),
        pytest.param(
            b'{"data": "' + b"x" * 1_100_000 + b'"}',
            ORGANIZATION,
            "too_large",
            ORGANIZATION,
            id="more than a change may be",
        ),
        pytest.param(
            event("x", "account.created", "2026-01-01T00:00:00Z", account_id="222222222222", name="a\x00b"),
            ORGANIZATION,
            "refused",
            ORGANIZATION,
            id="what PostgreSQL does not take",
        ),
        pytest.param(
            event(
                "".join(map(chr, Random(1).choices(range(0x4E00, 0x9FFF), k=1000))),
                "ou.renamed",
                "2026-01-01T00:00:00Z",
                ou_id="ou-ab12-aaaaaaaa",
                name="a",
            ),
            ORGANIZATION,
            "fault",
            ORGANIZATION,
            id="what no index takes",
        ),
    ],
)
async def test_nothing_that_is_sent_stops_the_service(
    settings: Settings, value: bytes, key: str, disposition: str, organization: str
) -> None:
    """
    Whatever arrives is parked under its disposition, and what comes before and after it is processed.
    """
    await publish(settings, snapshot())
    await publish(settings, value, key=key)
    await publish(settings, ATTACHED)
    async with running(settings):
        await settled(settings, records=3)

    letters = await stored(settings, "select disposition, organization_id, value from rooftree.dead_letter")
    [account] = await stored(settings, "select cause_event_id from rooftree.account where account_id = '222222222222'")
    sent = await read_topic(settings, settings.dead_letter_topic)

    assert [(disposition, organization, value)] == [tuple(letter.values()) for letter in letters]
    assert "attach" == account["cause_event_id"]
    assert [value] == [record.value for record in sent]


async def test_headers_of_any_name_are_kept(settings: Settings) -> None:
    """
    A name that no text column takes stops nothing, and arrives on the dead-letter topic as it was.
    """
    headers = (("a\x00b", b"\xff"), ("ü", b""))
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
    await producer.start()
    await producer.send_and_wait(settings.changes_topic, b"bad", key=None, headers=list(headers))
    await producer.stop()
    async with running(settings):
        await settled(settings, records=1)

    [record] = await read_topic(settings, settings.dead_letter_topic)

    assert headers == record.headers[:2]
    assert (None, b"bad") == (record.key, record.value)


class RawName(str):
    """
    A name of a header that becomes bytes which are no UTF-8.
    """

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """
        Return the bytes.
        """
        return str.encode(self, "latin-1")


async def send_raw(settings: Settings, values: Sequence[bytes], *, name: str, codec: int = 0) -> None:
    """
    Send one batch of records to the first partition, the second of them with a header of this name.
    """
    builder = _DefaultRecordBatchBuilderPy(
        magic=2,
        compression_type=codec,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=10**6,
    )
    for offset, value in enumerate(values):
        headers = [(RawName(name), b"x")] if offset == 1 else []
        builder.append(offset, int(time.time() * 1000), ORGANIZATION.encode(), value, headers)
    place = TopicPartition(settings.changes_topic, 0)
    client = AIOKafkaClient(bootstrap_servers=settings.kafka_bootstrap)
    await client.bootstrap()
    await client.set_topics([place.topic])
    topics = [(place.topic, [(place.partition, bytes(builder.build()))])]

    async def is_taken() -> bool:
        # A leader that was elected just now may not know it yet.
        request = ProduceRequest(None, -1, 10_000, topics)
        response = await client.send(client.cluster.leader_for_partition(place), request)
        [(_, [(_, error_code, *_)])] = response.topics
        return error_code == 0

    try:
        await eventually(is_taken)
    finally:
        await client.close()


@pytest.mark.parametrize("codec", [0, 1], ids=["plain", "gzip"])
async def test_a_header_name_that_is_no_text_stops_nothing(settings: Settings, codec: int) -> None:
    """
    The change under it is applied, what stands in the same batch and behind it too, and a letter keeps its name.
    """
    await send_raw(settings, [snapshot(), ATTACHED, b"broken"], name="a\xffb", codec=codec)
    await send_raw(settings, [b"first", b"second"], name="\xfe")
    renamed = event("later", "ou.renamed", "2026-01-05T00:00:00Z", ou_id="ou-ab12-aaaaaaaa", name="Later")
    await publish(settings, renamed)
    async with running(settings):
        await settled(settings, records=6)

    letters = await stored(
        settings, "select record_offset, value, header_names from rooftree.dead_letter order by record_offset"
    )
    [account] = await stored(settings, "select cause_event_id from rooftree.account where account_id = '222222222222'")
    sent = await read_topic(settings, settings.dead_letter_topic)

    assert [(2, b"broken", []), (3, b"first", []), (4, b"second", [b"\xfe"])] == [
        tuple(letter.values()) for letter in letters
    ]
    assert "attach" == account["cause_event_id"]
    assert 1 == len(await stored(settings, "select from rooftree.seen_event where event_id = 'later'"))
    assert [[], [], ["\\xfe"]] == [
        [name for name, _ in record.headers if not name.startswith("rooftree-")] for record in sent
    ]


async def test_a_flood_of_such_records_is_read_to_its_end(settings: Settings) -> None:
    """
    More than go into one batch of the projector, each under the same name.
    """
    cut = settings.model_copy(update={"batch_max_records": 3})
    await publish(settings, snapshot())
    for _ in range(4):
        await send_raw(settings, [b"a", b"b", b"c", b"d"], name="\xff")
    async with running(cut, relay=False):
        await settled(cut, records=17, relayed=False)

    assert 16 == len(await stored(settings, "select from rooftree.dead_letter"))
