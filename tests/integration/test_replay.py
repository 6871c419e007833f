"""
Dead letters that are processed after all: what was missed is there, and the mark goes with the last of them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaProducer
from tests.integration.service import (
    ORGANIZATION,
    command,
    event,
    ids,
    publish,
    read_topic,
    running,
    settled,
    snapshot,
    stored,
    view_of,
)

from rooftree.bootstrap.commands import open_letters
from rooftree.organization.timestamps import format_time
from rooftree.settings import Settings

pytestmark = pytest.mark.integration

OTHER = "o-otherorg1234"
# A change that could not be read by the version that met it: the test parks it by hand, as that version would have.
ATTACHED = event(
    "attach", "policy.attached", "2026-01-02T00:00:00Z", policy_id="p-denyregions", target_id="ou-ab12-aaaaaaaa"
)
RENAMED = event("rename", "ou.renamed", "2026-01-03T00:00:00Z", ou_id="ou-ab12-aaaaaaaa", name="Production")
BROKEN = event("broken", "ou.renamed", "2026-01-04T00:00:00Z", ou_id="ou-ab12-aaaaaaaa", name=7)


async def parked(settings: Settings, *values: bytes) -> list[int]:
    """
    Bring in the organization, and have these changes parked by a version that could not read them.
    """
    await publish(settings, snapshot(), *(b'{"unreadable": %d}' % number for number in range(len(values))))
    async with running(settings):
        await settled(settings, records=1 + len(values))
    rows = await stored(settings, "select letter_id from rooftree.dead_letter order by letter_id")
    letters = [row["letter_id"] for row in rows]
    for letter, value in zip(letters, values, strict=True):
        await stored(settings, "update rooftree.dead_letter set value = $2 where letter_id = $1", letter, value)
    return letters


async def told_types(settings: Settings) -> Sequence[str]:
    """
    Return the types of the audit events of the organization, in their order.
    """
    rows = await stored(settings, "select type from rooftree.audit_event order by revision, part")
    return [row["type"].split(".")[2] for row in rows]


async def test_what_is_replayed_is_as_if_it_had_been_read_at_once(settings: Settings) -> None:
    """
    The decision change is told with the time and the cause of the change itself, then that nothing is missing.
    """
    letters = await parked(settings, ATTACHED)
    async with running(settings):
        outcome = await command(settings, "dead-letter", "replay", *letters, "--json")
        await settled(settings, records=3)

    [letter] = outcome.json["letters"]
    [row] = await stored(settings, "select * from rooftree.account_permissions where account_id = '222222222222'")
    audit = [json.loads(record.value) for record in await read_topic(settings, settings.audit_topic)]

    assert (0, "replayed", 2) == (outcome.status, letter["resolution"], letter["attempts"])
    assert ("attach", True) == (row["cause_event_id"], row["complete"])
    assert ["changed", "changed", "complete", "incomplete"] == sorted(each["type"].split(".")[2] for each in audit)
    assert ["incomplete", "changed", "changed", "complete"] == await told_types(settings)


async def test_the_mark_goes_with_the_last_letter(settings: Settings) -> None:
    """
    One of two leaves the organization incomplete; the second makes it complete, in whatever order.
    """
    first, second = await parked(settings, ATTACHED, RENAMED)
    async with running(settings):
        assert 0 == (await command(settings, "dead-letter", "replay", second)).status
        [between] = await stored(settings, "select incomplete_since from rooftree.organization")
        assert 0 == (await command(settings, "dead-letter", "replay", first)).status
        await settled(settings, records=5)

    [after] = await stored(settings, "select incomplete_since, incomplete_until from rooftree.organization")

    assert between["incomplete_since"] is not None
    assert (None, None) == (after["incomplete_since"], after["incomplete_until"])


async def test_a_letter_that_fails_again_waits_and_says_so(settings: Settings) -> None:
    """
    The command exits with 1, the letter counts its attempts, no second letter is made and the mark stays.
    """
    await publish(settings, snapshot(), BROKEN)
    async with running(settings):
        await settled(settings, records=2)
        outcome = await command(settings, "dead-letter", "replay", "--all", "--json")
        await settled(settings, records=3)

    [letter] = outcome.json["letters"]
    [organization] = await stored(settings, "select incomplete_since from rooftree.organization")

    assert (1, None, 2, "data.name") == (
        outcome.status,
        letter["resolution"],
        letter["attempts"],
        letter["place"],
    )
    assert 1 == len(await stored(settings, "select from rooftree.dead_letter"))
    assert organization["incomplete_since"] is not None
    assert ["incomplete"] == await told_types(settings)


async def test_replaying_twice_does_nothing_more(settings: Settings) -> None:
    """
    A letter that was processed is not sent again, and its bytes, sent by anyone, change nothing.
    """
    letters = await parked(settings, ATTACHED)
    async with running(settings):
        await command(settings, "dead-letter", "replay", *letters)
        await settled(settings, records=3)
        before = await view_of(settings)
        again = await command(settings, "dead-letter", "replay", *letters)
        await publish(settings, ATTACHED)
        await settled(settings, records=4)

    assert (0, True) == (again.status, "processed" in again.out)
    assert before == await view_of(settings)


async def test_a_header_alone_clears_no_mark(settings: Settings) -> None:
    """
    Whoever names a letter but sends other bytes has sent an ordinary change.
    """
    await parked(settings, ATTACHED)
    [letter] = await stored(settings, "select log_id, topic, partition_id, record_offset from rooftree.dead_letter")
    name = "/".join([ORGANIZATION, *(str(part) for part in letter.values())])
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
    await producer.start()
    header = ("rooftree-letter", name.encode())
    await producer.send_and_wait(settings.changes_topic, RENAMED, key=ORGANIZATION.encode(), headers=[header])
    await producer.stop()
    async with running(settings):
        await settled(settings, records=3)

    [row] = await stored(
        settings,
        "select incomplete_since, resolved_at, attempts from rooftree.organization join rooftree.dead_letter using (organization_id)",
    )

    assert (True, None, 1) == (row["incomplete_since"] is not None, row["resolved_at"], row["attempts"])


async def test_a_copy_of_the_record_on_the_dead_letter_topic_is_a_replay(settings: Settings) -> None:
    """
    Any tool that copies records with their headers back to the topic of changes will do.
    """
    await publish(settings, snapshot(), BROKEN)
    async with running(settings):
        await settled(settings, records=2)
        [record] = await read_topic(settings, settings.dead_letter_topic)
        producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
        await producer.start()
        await producer.send_and_wait(settings.changes_topic, record.value, key=record.key, headers=list(record.headers))
        await producer.stop()
        await settled(settings, records=3)

    [letter] = await stored(settings, "select attempts from rooftree.dead_letter")

    assert 2 == letter["attempts"]


async def test_a_snapshot_resolves_what_waits(settings: Settings) -> None:
    """
    It tells anew what the letters could have said, also those of its own batch; later letters wait.
    """
    later = event("later", "ou.renamed", "2026-02-01T00:00:00Z", ou_id="ou-ab12-aaaaaaaa", name=8)
    await publish(settings, snapshot(), BROKEN, snapshot("again", "2026-01-20T00:00:00Z"), later)
    async with running(settings):
        await settled(settings, records=4)

    letters = await stored(settings, "select resolution from rooftree.dead_letter order by letter_id")
    listed = await command(settings, "dead-letter", "list", "--json")
    every = await command(settings, "dead-letter", "list", "--resolved", "--json")
    async with open_letters(settings) as reader:
        latest, waiting = await reader.latest(ORGANIZATION, limit=10), await reader.count_waiting(ORGANIZATION)

    assert ["snapshot", None] == [letter["resolution"] for letter in letters]
    assert [["data.name"], ["data.name", "data.name"]] == [
        [letter["place"] for letter in outcome.json] for outcome in (listed, every)
    ]
    assert ([True, False], 1) == ([letter.waits for letter in latest], waiting)


async def test_letters_of_nobody_are_replayed_too(settings: Settings) -> None:
    """
    A record that names no organization marks none, and is processed once it can be.
    """
    await publish(settings, snapshot())
    await publish(settings, b"\xffnothing", key="nobody")
    async with running(settings):
        await settled(settings, records=2)
        await stored(settings, "update rooftree.dead_letter set value = $1", ATTACHED)
        outcome = await command(settings, "dead-letter", "replay", "--all")
        await settled(settings, records=3)

    [letter] = await stored(settings, "select organization_id, resolution from rooftree.dead_letter")

    assert 0 == outcome.status
    assert ("", "replayed") == (letter["organization_id"], letter["resolution"])
    assert ["changed", "changed"] == await told_types(settings)


async def test_records_that_are_gone_keep_the_mark(settings: Settings) -> None:
    """
    No replay makes up for a loss; a snapshot does.
    """
    [letter] = await parked(settings, ATTACHED)
    await stored(settings, "update rooftree.organization set incomplete_by_loss = true, version = version + 1")
    async with running(settings):
        replayed = await command(settings, "dead-letter", "replay", letter)
        [between] = await stored(settings, "select incomplete_since from rooftree.organization")
        listed = await command(settings, "dead-letter", "list")
        # The unreadable record told no time, so what it said is as old as its arrival.
        await publish(settings, snapshot("again", format_time(datetime.now(UTC))))
        await settled(settings, records=4)

    [after] = await stored(settings, "select incomplete_since, incomplete_by_loss from rooftree.organization")

    assert 0 == replayed.status
    assert between["incomplete_since"] is not None
    assert "records are gone" in listed.err
    assert (None, False) == (after["incomplete_since"], after["incomplete_by_loss"])


async def test_what_a_letter_holds_can_be_seen_and_taken_out(settings: Settings) -> None:
    """
    Its bytes come out as they went in, beside the reason, the place and where it was read.
    """
    value = b'{"specversion": "1.0", "id": \xff'
    await publish(settings, snapshot(), value)
    async with running(settings):
        await settled(settings, records=2)
    [letter] = await stored(settings, "select letter_id from rooftree.dead_letter")
    shown = await command(settings, "dead-letter", "show", letter["letter_id"], "--json")
    words = await command(settings, "dead-letter", "show", letter["letter_id"])
    raw = await command(settings, "dead-letter", "show", letter["letter_id"], "--raw")
    missing = await command(settings, "dead-letter", "show", 10**15)

    assert base64.b64encode(value).decode() == shown.json["value"]["base64"]
    assert ("undecodable", ORGANIZATION, 1) == (
        shown.json["disposition"],
        shown.json["organization_id"],
        shown.json["offset"],
    )
    assert "\\xff" in words.out
    assert value == raw.out.encode("utf-8", "surrogateescape")
    assert (2, "rooftree: LETTER: no dead letter `1000000000000000`\n") == (missing.status, missing.err)


async def test_without_a_projector_the_command_says_what_it_waits_for(settings: Settings) -> None:
    """
    The letters are sent, nobody processes them, and the status is that of a server that is away.
    """
    letters = await parked(settings, ATTACHED)
    outcome = await command(settings, "dead-letter", "replay", *letters, "--patience", 1)

    assert 3 == outcome.status
    assert "is a projector running?" in outcome.err


async def test_audit_ids_of_marks_are_unique_and_sealed(settings: Settings) -> None:
    """
    Incomplete, complete, incomplete, complete: four events that no consumer takes for repetitions.
    """
    await parked(settings, ATTACHED)
    async with running(settings):
        await command(settings, "dead-letter", "replay", "--all")
        await publish(settings, BROKEN)
        await settled(settings, records=4)
        await stored(settings, "update rooftree.dead_letter set value = $1 where resolved_at is null", RENAMED)
        await command(settings, "dead-letter", "replay", "--all")
        await settled(settings, records=5)
    verified = await command(settings, "audit", "verify")
    records = await read_topic(settings, settings.audit_topic)
    marks = [each for each in await told_types(settings) if each != "changed"]

    assert ["incomplete", "complete", "incomplete", "complete"] == marks
    assert len(set(ids(records))) == len(records)
    assert 0 == verified.status
