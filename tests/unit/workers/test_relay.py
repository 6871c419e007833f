"""
The relay: order, repetition, and what is too large.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.workers.fakes import PARTITION, MemoryOutbox, MemoryPublisher, SilentNudges, record

from rooftree.errors import RecordTooLargeError, UnavailableError
from rooftree.ports.letters import DeadLetter, StoredLetter
from rooftree.ports.outbox import OutboxRow
from rooftree.ports.publishing import OutgoingRecord, RecordKind
from rooftree.telemetry.metrics import METRICS_REGISTRY
from rooftree.workers.relay import Relay


@pytest.fixture
def outbox() -> MemoryOutbox:
    """
    An outbox with nothing in it.
    """
    return MemoryOutbox()


@pytest.fixture
def publisher() -> MemoryPublisher:
    """
    A broker that takes everything.
    """
    return MemoryPublisher()


def relay_of(outbox: MemoryOutbox, publisher: MemoryPublisher) -> Relay:
    """
    Return a relay that sends two rows at a time.
    """
    return Relay(
        outbox, publisher, SilentNudges(), permissions_topic="permissions", batch_size=2, retry_max_delay=0.001
    )


def row(name: str, *, kind: RecordKind = RecordKind.AUDIT, payload: bytes | None = b"{}") -> OutboxRow:
    """
    Return a row.
    """
    return OutboxRow(name, kind, "222222222222", "a.type", payload, 1)


def letter(value: bytes = b"bad") -> StoredLetter:
    """
    Return a dead letter.
    """
    return StoredLetter(PARTITION, DeadLetter(record(7, value), "", "no JSON", "line 1", "undecodable", "E"), "1.0")


def names(records: Sequence[OutgoingRecord]) -> list[str]:
    """
    Return the ids in the headers of records.
    """
    return [dict(each.headers)["id"].decode() for each in records]


async def test_rows_of_an_organization_leave_in_their_order(outbox: MemoryOutbox, publisher: MemoryPublisher) -> None:
    """
    Also where they need several batches.
    """
    outbox.rows = {"o-a": [row(f"a{number}") for number in range(5)], "o-b": [row("b0")]}
    await relay_of(outbox, publisher).round()

    assert ["a0", "a1", "a2", "a3", "a4"] == [name for name in names(publisher.sent) if name.startswith("a")]
    assert "b0" in names(publisher.sent)
    assert [] == await outbox.pending()


async def test_the_age_of_audit_events_is_measured_when_they_have_left(
    outbox: MemoryOutbox, publisher: MemoryPublisher
) -> None:
    """
    From when their change was received; rows that tell of no change have none, and nothing is older than it is.
    """
    now = datetime.now(UTC)
    ages = (timedelta(seconds=20), timedelta(seconds=4), timedelta(seconds=-60), None)
    outbox.rows = {
        "o-a": [
            row(f"a{number}")._replace(received_at=None if age is None else now - age)
            for number, age in enumerate(ages)
        ]
    }
    before = _measured()
    await relay_of(outbox, publisher).round()
    count, total = (after - was for after, was in zip(_measured(), before, strict=True))

    assert 3 == count
    assert 24 <= total < 30


def _measured() -> tuple[float, float]:
    name = "rooftree_audit_age_seconds"
    found = [METRICS_REGISTRY.get_sample_value(f"{name}_{part}") for part in ("count", "sum")]
    return found[0] or 0.0, found[1] or 0.0


async def test_a_tombstone_is_sent_without_a_value(outbox: MemoryOutbox, publisher: MemoryPublisher) -> None:
    """
    A compacted topic forgets the key then.
    """
    outbox.rows = {"o-a": [row("gone", kind=RecordKind.PERMISSIONS, payload=None)]}
    await relay_of(outbox, publisher).round()

    assert [(RecordKind.PERMISSIONS, b"222222222222", None)] == [
        (each.kind, each.key, each.value) for each in publisher.sent
    ]


async def test_what_the_broker_did_not_confirm_is_sent_again(outbox: MemoryOutbox, publisher: MemoryPublisher) -> None:
    """
    The worker survives, and everything has left in the end.
    """
    failures = iter([UnavailableError("away"), UnavailableError("away")])
    publisher.error = lambda _: next(failures, None)
    outbox.rows = {"o-a": [row("a0"), row("a1"), row("a2")]}
    outbox.letters = [letter()]
    stop = asyncio.Event()
    stopping = asyncio.get_running_loop().call_later(0.2, stop.set)
    await relay_of(outbox, publisher).run(stop)
    stopping.cancel()

    assert ["a0", "a1", "a2"] == names([each for each in publisher.sent if each.kind is RecordKind.AUDIT])


async def test_what_was_committed_before_the_stop_is_sent(outbox: MemoryOutbox, publisher: MemoryPublisher) -> None:
    """
    A relay that is stopped looks once more.
    """
    outbox.rows = {"o-a": [row("a0")]}
    stop = asyncio.Event()
    stop.set()
    await relay_of(outbox, publisher).run(stop)

    assert ["a0"] == names(publisher.sent)


async def test_an_organization_with_a_record_too_large_waits_alone(
    outbox: MemoryOutbox, publisher: MemoryPublisher
) -> None:
    """
    Its order is kept, and the others go on.
    """
    outbox.rows = {"o-a": [row("huge", payload=b"x" * 100)], "o-b": [row("b0")]}
    publisher.error = lambda records: (
        RecordTooLargeError("too large") if any(len(each.value or b"") > 50 for each in records) else None
    )
    await relay_of(outbox, publisher).round()

    assert ["b0"] == names(publisher.sent)
    assert ["o-a"] == await outbox.pending()


async def test_what_stands_before_a_record_too_large_is_sent_once(
    outbox: MemoryOutbox, publisher: MemoryPublisher
) -> None:
    """
    While it waits for an operator, the batches before it are not sent again at every round.
    """
    outbox.rows = {"o-a": [row("a0"), row("a1"), row("huge", payload=b"x" * 100), row("a3")]}
    publisher.error = lambda records: (
        RecordTooLargeError("too large") if any(len(each.value or b"") > 50 for each in records) else None
    )
    relay = relay_of(outbox, publisher)
    await relay.round()
    await relay.round()

    assert ["a0", "a1"] == names(publisher.sent)
    assert ["huge", "a3"] == [each.event_id for each in outbox.rows["o-a"]]


async def test_a_dead_letter_keeps_its_bytes_and_says_where_it_came_from(
    outbox: MemoryOutbox, publisher: MemoryPublisher
) -> None:
    """
    Topic, partition, offset, reason and disposition are headers.
    """
    outbox.letters = [letter()]
    await relay_of(outbox, publisher).round()

    [sent] = publisher.sent

    assert (RecordKind.DEAD_LETTER, b"o-exampleorg", b"bad") == (sent.kind, sent.key, sent.value)
    assert {
        "rooftree-topic": b"changes",
        "rooftree-partition": b"0",
        "rooftree-offset": b"7",
        "rooftree-reason": b"no JSON",
        "rooftree-disposition": b"undecodable",
    }.items() <= dict(sent.headers).items()


async def test_a_dead_letter_too_large_for_the_broker_is_sent_without_its_value(
    outbox: MemoryOutbox, publisher: MemoryPublisher
) -> None:
    """
    The bytes stay in the store; the record says how many they are and what they hash to.
    """
    value = b"x" * 100
    outbox.letters = [letter(value)]
    publisher.error = lambda records: RecordTooLargeError("too large") if records[0].value else None
    await relay_of(outbox, publisher).round()

    [sent] = publisher.sent
    headers = dict(sent.headers)

    assert sent.value is None
    assert (b"100", hashlib.sha256(value).hexdigest().encode()) == (
        headers["rooftree-value-omitted"],
        headers["rooftree-value-sha256"],
    )


async def test_each_round_asks_for_states_that_the_broker_lacks(
    outbox: MemoryOutbox, publisher: MemoryPublisher
) -> None:
    """
    A broker made anew, or an organization whose completeness has changed, is found by looking.
    """
    relay = relay_of(outbox, publisher)
    await relay.round()
    await relay.round()

    assert [("log", "permissions")] * 2 == outbox.filled


async def test_a_flood_of_dead_letters_keeps_no_event_back(outbox: MemoryOutbox, publisher: MemoryPublisher) -> None:
    """
    Organizations and letters are sent in turn, some at a time.
    """
    outbox.letters = [letter(b"%d" % number) for number in range(1000)]
    outbox.rows = {"o-a": [row("a0")]}
    await relay_of(outbox, publisher).round()

    kinds = [each.kind for each in publisher.sent]

    assert 0 == kinds.index(RecordKind.AUDIT)
    assert 1000 == kinds.count(RecordKind.DEAD_LETTER)


async def test_a_flood_of_one_organization_keeps_no_other_back(
    outbox: MemoryOutbox, publisher: MemoryPublisher
) -> None:
    """
    Each gets its turn after one batch of every other.
    """
    outbox.rows = {"o-a": [row(f"a{number}") for number in range(100)], "o-b": [row("b0")]}
    await relay_of(outbox, publisher).round()

    sent = names(publisher.sent)

    assert 2 == sent.index("b0")
    assert 101 == len(sent)
