"""
Whoever sends much waits for himself, and what is sent by someone who means harm is text.
"""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaProducer
from tests.integration.service import ORGANIZATION, command, event, publish, running, settled, snapshot, stored

from rooftree.settings import Settings

pytestmark = pytest.mark.integration

OTHER = "o-otherorg1234"
FLOOD = 2_000
BATCH = 50


async def test_a_flood_in_one_partition_keeps_no_other_back(settings: Settings) -> None:
    """
    An organization of another partition gets its turn after one batch, however much waits before.
    """
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
    await producer.start()
    for number in range(FLOOD):
        value = event(f"{number}", "ou.renamed", "2026-01-01T00:00:00Z", ou_id="ou-ab12-aaaaaaaa", name="flood")
        await producer.send(settings.changes_topic, value, key=ORGANIZATION.encode(), partition=0)
    await producer.send(settings.changes_topic, snapshot(organization=OTHER), key=OTHER.encode(), partition=1)
    await producer.stop()
    cut = settings.model_copy(update={"batch_max_records": BATCH})
    async with running(cut, relay=False):
        await settled(cut, records=FLOOD + 1, relayed=False, seconds=120)

    [row] = await stored(
        settings,
        """
        select count(*) as before
        from rooftree.seen_event
        where
            organization_id = $1
            and recorded_at < (select recorded_at from rooftree.seen_event where organization_id = $2)
        """,
        ORGANIZATION,
        OTHER,
    )

    assert row["before"] <= 2 * BATCH


HOSTILE = {
    "SQL": "'); drop table rooftree.fact; --",
    "format": "%s %(x)s {0} {account} $1 ${aws:username}",
    "path": "../../../../etc/passwd",
    "markup": "<script>alert('x')</script>",
    "terminal": "\x1b[2J\x1b[31mred\x07",
    "direction": "\u202eevil\u2066",
    "backslashes": "\\\\server\\share\\x00",
    "quotes": "\"'`´’",
    "lines": "a\nb\r\nc\u2028d",
    "astral": "😀𝕏",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
async def test_names_are_text_and_nothing_else(settings: Settings, name: str) -> None:
    """
    They come out of the database as they went in, and reach no terminal as anything but what can be read.
    """
    renamed = event("rename", "account.updated", "2026-01-02T00:00:00Z", account_id="222222222222", name=name)
    await publish(settings, snapshot(), renamed)
    async with running(settings, relay=False):
        await settled(settings, records=2, relayed=False)
    [row] = await stored(settings, "select name from rooftree.account where account_id = '222222222222'")
    shown = await command(settings, "history", "222222222222")
    told = await command(settings, "account", "222222222222", "--json")

    assert (name, 0) == (row["name"], shown.status)
    assert all(sign.isprintable() or sign == "\n" for sign in shown.out)
    assert name == told.json["account_name"]
    assert told.out.isascii()


async def test_a_change_of_a_time_to_come_is_parked_until_then(settings: Settings) -> None:
    """
    The organization is marked, and a replay under the same bound is refused again.
    """
    far = event("far", "ou.renamed", "2999-01-01T00:00:00Z", ou_id="ou-ab12-aaaaaaaa", name="Evil")
    near = event("near", "ou.renamed", "2026-01-02T00:00:00Z", ou_id="ou-ab12-aaaaaaaa", name="Good")
    await publish(settings, snapshot(), far, near)
    async with running(settings, relay=False):
        await settled(settings, records=3, relayed=False)
        listed = await command(settings, "dead-letter", "list", "--json")
        replayed = await command(settings, "dead-letter", "replay", "--all")

    [fact] = await stored(
        settings, "select value from rooftree.fact where subject = 'ou-ab12-aaaaaaaa' and attribute = 'name'"
    )

    assert [("refused", "time")] == [(letter["disposition"], letter["place"]) for letter in listed.json]
    assert 1 == replayed.status
    assert "Good" == fact["value"]
