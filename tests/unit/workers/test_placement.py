"""
Events of AWS on their way through the projector: which organization each is of, and what becomes of the others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.cloudtrail_cases import CASES
from tests.generators.telling import ACCOUNT, MANAGEMENT, ORGANIZATION, OU, POLICY, at, snapshot_document
from tests.unit.workers.fakes import PARTITION, MemoryStore, record

from rooftree.organization.timestamps import format_time
from rooftree.ports.change_log import Batch
from rooftree.ports.letters import DeadLetter
from rooftree.workers.planning import Plan, Planner

BY_NAME = {case.name: case.record for case in CASES}
ATTACHED = BY_NAME["attach-policy"]
OTHER = "o-otherorganization"


def snapshot(organization_id: str = ORGANIZATION, second: int = 0) -> bytes:
    """
    The small organization, or another one with the same accounts.
    """
    document = snapshot_document()
    document["organization"] = {"id": organization_id, "management_account_id": MANAGEMENT, "feature_set": "ALL"}
    return json.dumps(
        {
            "specversion": "1.0",
            "id": f"snapshot-{organization_id}",
            "source": "test",
            "type": "rooftree.organization.snapshot.v1",
            "time": format_time(at(second)),
            "data": document,
        }
    ).encode()


def encoded(content: Mapping[str, Any]) -> bytes:
    """
    An event as bytes.
    """
    return json.dumps(content).encode()


async def planned(*values: bytes, key: bytes | None = b"any", store: MemoryStore | None = None) -> Plan:
    """
    The plan of a batch, which is committed.
    """
    store = store or MemoryStore()
    records = tuple(record(store.offset + index, value, key=key) for index, value in enumerate(values))
    planner = Planner(store, cache_size=8, max_rows=10_000)
    plan = await planner.plan(Batch(PARTITION, store.offset, store.offset + len(records), records))
    await store.commit(plan.commit)
    return plan


def letters(plan: Plan) -> list[tuple[str, str]]:
    """
    The organization and the reason of each dead letter.
    """
    return [(letter.organization_id, letter.reason) for letter in plan.commit.letters]


def causes(plan: Plan) -> list[str]:
    """
    The events behind the audit events.
    """
    return [
        event.cause_event_id for each in plan.commit.organizations for patch in each.patches for event in patch.audit
    ]


@pytest.mark.parametrize("key", [b"any", None, ORGANIZATION.encode()])
@pytest.mark.parametrize("at_once", [True, False])
async def test_the_account_tells_the_organization(*, key: bytes | None, at_once: bool) -> None:
    """
    Whether the organization is in the store or in the same batch; the audit event names the event and the actor.
    """
    store = MemoryStore()
    if not at_once:
        await planned(snapshot(), store=store)
    plan = await planned(*([snapshot()] if at_once else []), encoded(ATTACHED), key=key, store=store)

    assert [ATTACHED["detail"]["eventID"]] == causes(plan)
    (event,) = plan.commit.organizations[0].patches[-1].audit
    assert event.data["cause"] == {
        "event_id": ATTACHED["detail"]["eventID"],
        "event_type": "rooftree.policy.attached.v1",
        "time": "2026-01-05T08:10:00Z",
        "actor": f"arn:aws:sts::{MANAGEMENT}:assumed-role/Admin/alice",
        "summary": "DenyLeaving attached to Workloads",
        "names": {POLICY: "DenyLeaving", OU: "Workloads"},
    }


async def test_both_roads_have_one_effect() -> None:
    """
    EventBridge, the trail, and the trail again within a log file.
    """
    bare = ATTACHED["detail"]
    plan = await planned(snapshot(), encoded(ATTACHED), encoded(bare), encoded({"Records": [bare, bare]}))

    assert [bare["eventID"]] == causes(plan)
    assert (4, 2, 0) == (plan.records, plan.repeated, plan.ignored)
    assert 2 == len(plan.commit.organizations[0].seen)


async def test_what_cannot_be_placed_is_a_dead_letter() -> None:
    """
    An account of nobody, of several, or one that the key contradicts.
    """
    nobody = await planned(encoded(ATTACHED))
    several = await planned(snapshot(), snapshot(OTHER), encoded(ATTACHED))
    contradiction = await planned(snapshot(), encoded(ATTACHED), key=OTHER.encode())

    [(organization, reason)] = letters(nobody)
    assert ("", True) == (organization, reason.startswith(f"account `{MANAGEMENT}` is in no organization"))
    [(organization, reason)] = letters(several)
    assert ("", f"account `{MANAGEMENT}` is in several organizations: `{ORGANIZATION}`, `{OTHER}`") == (
        organization,
        reason,
    )
    [(organization, reason)] = letters(contradiction)
    assert ("", f"the key says `{OTHER}`, but account `{MANAGEMENT}` is in `{ORGANIZATION}`") == (organization, reason)


async def test_the_key_tells_where_nothing_else_does() -> None:
    """
    Whoever sends records by organization knows what they are of.
    """
    plan = await planned(encoded(ATTACHED), key=ORGANIZATION.encode())

    assert [] == letters(plan)
    assert [ORGANIZATION] == [each.organization_id for each in plan.commit.organizations]


async def test_an_account_that_has_left_is_still_known() -> None:
    """
    The management account may have told before the account does.
    """
    removed, left = BY_NAME["remove-account"], BY_NAME["leave-organization"]
    plan = await planned(snapshot(), encoded(removed), encoded(left))

    assert [] == letters(plan)
    assert 3 == len(plan.commit.organizations[0].seen)


async def test_what_is_wrong_marks_the_organization() -> None:
    """
    With the place in the event; what stands beside it in a log file is taken in.
    """
    wrong = {**ATTACHED["detail"], "eventID": "wrong", "requestParameters": {"policyId": POLICY, "targetId": "nowhere"}}
    plan = await planned(snapshot(), encoded({"Records": [wrong, ATTACHED["detail"]]}))

    letter: DeadLetter = plan.commit.letters[0]
    assert (ORGANIZATION, "Records[0].requestParameters.targetId") == (letter.organization_id, letter.place)
    assert ATTACHED["detail"]["eventID"] in causes(plan)
    assert not plan.commit.organizations[0].patches[-1].position.complete


async def test_what_changes_nothing_is_passed_over() -> None:
    """
    Failures and other services, of whatever account; nothing is written but the offset.
    """
    plan = await planned(encoded(BY_NAME["attach-policy-failed"]), encoded(BY_NAME["other-service"]))

    assert (2, 0, ()) == (plan.ignored, plan.repeated, plan.commit.organizations)
    assert [] == letters(plan)


async def test_changes_of_principals_are_of_the_account_they_happened_in() -> None:
    """
    And what is not told of them is asked for, without a mark on the organization.
    """
    put, elided = BY_NAME["iam-put-role-policy"], BY_NAME["iam-put-role-policy-elided"]
    store = MemoryStore()
    plan = await planned(snapshot(), encoded(put), encoded(elided), store=store)
    view = (await store.load_view(ORGANIZATION)).view

    assert view.principals.directory.find(ACCOUNT, "role", "deploy") is not None
    [asked] = [one for patch in plan.commit.organizations[0].patches for one in patch.rereads.open]
    assert ("principal", f"{ACCOUNT}/role/deploy") == asked.request.key
    assert view.position.complete


async def test_the_whole_corpus_goes_through() -> None:
    """
    One record after the other, in one batch; each leaves its trace or none.
    """
    plan = await planned(snapshot(), *(encoded(case.record) for case in CASES), key=ORGANIZATION.encode())
    expected = {case.detail["eventID"] for case in CASES if case.expected is not None or case.rereads}

    assert [] == letters(plan)
    assert expected == {one.event_id for one in plan.commit.organizations[0].seen if one.source != "test"}
    assert len(CASES) - len(expected) == plan.ignored
    assert OU in {fact.subject for patch in plan.commit.organizations[0].patches for fact in patch.facts}
