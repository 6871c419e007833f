"""
A database that is lost, and what a backup of it becomes.
"""

from __future__ import annotations

import json
import uuid

import pytest
from pydantic import SecretStr
from tests.databases import administer, database_dsn
from tests.integration.service import event, publish, read_topic, running, settled, snapshot, view_of

from rooftree.settings import Settings
from rooftree.stream.identity import topic_identity

pytestmark = pytest.mark.integration

BEFORE = (
    snapshot(),
    event("attach", "policy.attached", "2026-01-02T00:00:00Z", policy_id="p-denyregions", target_id="ou-ab12-aaaaaaaa"),
)
AFTER = (
    event("detach", "policy.detached", "2026-01-03T00:00:00Z", policy_id="p-denyregions", target_id="ou-ab12-aaaaaaaa"),
    event("watch", "account.moved", "2026-01-04T00:00:00Z", account_id="222222222222", parent_id="nowhere"),
    event("again", "policy.attached", "2026-01-05T00:00:00Z", policy_id="p-denyregions", target_id="222222222222"),
)


async def test_a_backup_catches_up_with_what_was_lost(settings: Settings) -> None:
    """
    A copy from the middle of a history ends as the database that was lost: every table, every id, every seal.
    """
    dsn = settings.postgres_dsn.get_secret_value()
    name, backup = dsn.rpartition("/")[2], f"rooftree_{uuid.uuid4().hex[:12]}"
    await publish(settings, *BEFORE)
    async with running(settings):
        await settled(settings, records=len(BEFORE))
    await administer(dsn, f'create database "{backup}" template "{name}"')
    try:
        await publish(settings, *AFTER)
        async with running(settings):
            await settled(settings, records=len(BEFORE) + len(AFTER))
        lost = await view_of(settings)
        sent = await _audit(settings)

        restored = settings.model_copy(update={"postgres_dsn": SecretStr(database_dsn(dsn, backup))})
        async with running(restored):
            await settled(restored, records=len(BEFORE) + len(AFTER))

        assert len(sent) > len(lost["accounts"])
        assert lost == await view_of(restored)
        assert sent == await _audit(restored)
    finally:
        await administer(dsn, f'drop database "{backup}" with (force)')


async def _audit(settings: Settings) -> dict[str, bytes]:
    """
    Return the audit events by id; one that was sent again must be the same bytes.
    """
    assert (await topic_identity(settings, settings.audit_topic)).partitions
    found: dict[str, bytes] = {}
    for record in await read_topic(settings, settings.audit_topic):
        assert record.value == found.setdefault(json.loads(record.value)["id"], record.value)
    return found
