"""
What must hold after any disturbance.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from aiokafka import ConsumerRecord
from tests.integration.service import fresh_database, ids, read_topic, running, settled, stored, view_of

from rooftree.settings import Assignment, Settings
from rooftree.view.audit import seal

__all__ = ["chain_faults", "first_deliveries", "nothing_is_wrong", "orphans", "same_as_undisturbed"]

# Rows that belong to nothing, or lack what they speak of, by the name of what is wrong.
ORPHANS: Mapping[str, str] = {
    "account without permissions": """
        select account_id from rooftree.account as a
        where permissions_id is not null and not exists (
            select from rooftree.permission_set as p
            where p.organization_id = a.organization_id and p.permissions_id = a.permissions_id
        )
    """,
    "account without chain": """
        select account_id from rooftree.account as a
        where chain_id is not null and not exists (
            select from rooftree.chain as c where c.organization_id = a.organization_id and c.chain_id = a.chain_id
        )
    """,
    "account without organization": """
        select account_id from rooftree.account where organization_id not in (
            select organization_id from rooftree.organization
        )
    """,
    "account without its open row of history": """
        select account_id from rooftree.account as a
        where not exists (
            select from rooftree.account_history as h
            where h.organization_id = a.organization_id and h.account_id = a.account_id and h.valid_to is null
        )
    """,
    "open row of history without account": """
        select account_id from rooftree.account_history as h
        where valid_to is null and not exists (
            select from rooftree.account as a
            where a.organization_id = h.organization_id and a.account_id = h.account_id
        )
    """,
    "history without permissions": """
        select account_id from rooftree.account_history as h
        where permissions_id is not null and not exists (
            select from rooftree.permission_set as p
            where p.organization_id = h.organization_id and p.permissions_id = h.permissions_id
        )
    """,
    "chain without document": """
        select c.chain_id
        from rooftree.chain as c
        cross join jsonb_path_query(c.levels, '$[*].policies[*]') as policy
        where not exists (
            select from rooftree.policy_document as d
            where d.organization_id = c.organization_id and d.digest = policy ->> 'digest'
        )
    """,
    "audit event without its change": """
        select event_id from rooftree.audit_event as a
        where type = 'rooftree.decision.changed.v1' and not exists (
            select from rooftree.seen_event as s
            where s.organization_id = a.organization_id and s.event_id = a.cause_event_id
        )
    """,
    "audit event behind its organization": """
        select event_id from rooftree.audit_event as a
        join rooftree.organization as o using (organization_id)
        where a.revision > o.revision
    """,
    "organization of whose outbox not all is sent": "select organization_id from rooftree.outbox_waiting",
    "letter of a change that was in order": "select reason from rooftree.dead_letter",
}


async def orphans(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """
    Return the rows that are not in order, by what is wrong with them.
    """
    found = {name: await stored(settings, statement) for name, statement in ORPHANS.items()}
    return {name: rows for name, rows in found.items() if rows}


def chain_faults(events: Iterable[Mapping[str, Any]]) -> list[str]:
    """
    Return the audit events, out of all in their order, that are not sealed to the one before.
    """
    chains: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for event in events:
        chains[event["organization_id"]].append(event)
    faults = []
    for chain in chains.values():
        for before, event in pairwise([None, *chain]):
            assert event is not None
            hashes = event["data"]["chain_hash"]
            wrong = hashes["this"] != seal(hashes["previous"], event["data"])
            loose = before is not None and before["data"]["chain_hash"]["this"] != hashes["previous"]
            if wrong or loose:
                faults.append(event["event_id"])
    return faults


def first_deliveries(records: Sequence[ConsumerRecord]) -> list[tuple[str, str, int]]:
    """
    Return key, revision and part of the events on a topic, without repetitions, key by key in the order in which they
    came.
    """
    known: set[str] = set()
    found: defaultdict[str, list[tuple[str, str, int]]] = defaultdict(list)
    for record, event_id in zip(records, ids(records), strict=True):
        if event_id not in known:
            known.add(event_id)
            event = json.loads(record.value)
            key = f"{event['source']} {(record.key or b'').decode()}"
            found[key].append((key, event["sequence"], event["part"]))
    return [delivery for key in sorted(found) for delivery in found[key]]


async def same_as_undisturbed(settings: Settings, *, records: int | None = None) -> None:
    """
    Fail unless everything is as if one worker had processed the log without any disturbance.
    """
    delivered = len(await read_topic(settings, settings.changes_topic)) if records is None else records
    alone = settings.model_copy(update={"partition_assignment": Assignment.ALL, "batch_max_records": 500})
    async with fresh_database(alone) as undisturbed:
        async with running(undisturbed, relay=False):
            await settled(undisturbed, records=delivered, relayed=False, seconds=60)
        expected = await view_of(undisturbed)
    actual = await view_of(settings)

    assert expected == actual
    await nothing_is_wrong(settings, actual)


async def nothing_is_wrong(settings: Settings, view: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """
    Fail unless every audit event was sent as it is written, in order, the chains are whole, the compacted topic has
    the last state of each account, and no row is orphaned.
    """
    sent = await read_topic(settings, settings.audit_topic)
    states = {record.key: record.value for record in await read_topic(settings, settings.permissions_topic)}
    told = {key.decode(): json.loads(value)["data"] for key, value in states.items() if key and value is not None}

    assert {} == await orphans(settings)
    assert [] == chain_faults(view["audit"])
    assert {row["event_id"] for row in view["audit"]} == set(ids(sent))
    assert len(view["audit"]) == len({record.value for record in sent})
    assert first_deliveries(sent) == sorted(first_deliveries(sent))
    assert {row["account_id"]: row["permissions_id"] for row in view["accounts"]} == {
        account_id: data["permissions_id"] for account_id, data in told.items()
    }
