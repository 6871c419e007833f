"""
What events have lost is found by asking AWS, told as events, and named.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import pytest
from tests.amazon import MANAGEMENT, Amazon
from tests.databases import as_role
from tests.estate import Call, Estate, told
from tests.generators.aws_events import Deliveries
from tests.integration.service import eventually, publish, read_topic, running, settled, stored

from rooftree.aws.organization import AwsOrganization
from rooftree.bootstrap.database import open_store
from rooftree.bootstrap.publishing import open_publisher
from rooftree.bootstrap.reading import open_reader
from rooftree.bootstrap.workers import open_aws, open_reconciler
from rooftree.contracts.snapshot_events import encode_event, snapshot_events
from rooftree.organization.export import take_snapshot
from rooftree.organization.observation import Observation
from rooftree.organization.tree import Organization
from rooftree.reading.reader import ReconciliationRecord
from rooftree.settings import Settings
from rooftree.store.reconciling import PostgresReconciliation
from rooftree.telemetry.metrics import METRICS_REGISTRY
from rooftree.workers.reconciler import Reconciler

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

# How large the organization is; 300 accounts are asked for now and then.
ACCOUNTS: Final = int(os.environ.get("ROOFTREE_TEST_ACCOUNTS", "15"))


@pytest.fixture
def estate(amazon: Amazon) -> Estate:
    """
    Build an organization.
    """
    built = Estate(amazon, Random(11))
    built.build(units=max(4, ACCOUNTS // 10), accounts=ACCOUNTS, policies=max(5, ACCOUNTS // 15))
    return built


@pytest.fixture
def chosen(settings: Settings, amazon: Amazon) -> Settings:
    """
    Settings that lead to AWS, with short waits: moto is never behind itself.
    """
    return settings.model_copy(
        update={
            "aws_endpoint_url": amazon.url,
            "aws_rate_share": 1000.0,
            "reconcile_grace": 0.01,
            "reconcile_patience": 0.1,
            "reconcile_interval": 86_400.0,
            "reread_interval": 0.1,
        }
    )


@asynccontextmanager
async def reconciling(settings: Settings) -> AsyncIterator[None]:
    """
    Run a reconciler while the context lasts.
    """
    stop = asyncio.Event()
    limited = as_role(settings, "rooftree_reconciler")
    async with open_store(limited, "rooftree-test") as database, open_reconciler(limited, database) as worker:
        task = asyncio.create_task(worker(stop))
        try:
            yield
        finally:
            stop.set()
            await task


async def rounds(settings: Settings, organization_id: str) -> list[ReconciliationRecord]:
    """
    Return the rounds so far, the latest first.
    """
    async with open_reader(settings) as reader:
        return await reader.reconciliations(organization_id)


async def one_round(settings: Settings, organization_id: str, *, seconds: float = 60) -> ReconciliationRecord:
    """
    Let a reconciler make one round more, however long ago the last one was, and return what came of it.
    """
    before = len(await rounds(settings, organization_id))
    # The clock of AWS tells seconds: what has just happened must lie behind it.
    await asyncio.sleep(1.1)
    async with reconciling(settings.model_copy(update={"reconcile_interval": 0.01})):
        async with asyncio.timeout(seconds):
            while True:
                found = await rounds(settings, organization_id)
                if len(found) > before and found[-1 - before].finished_at is not None:
                    return found[-1 - before]
                await asyncio.sleep(0.05)


async def viewed(settings: Settings, estate: Estate) -> dict[str, Any]:
    """
    Return what the stored facts come to, once all that was published is processed.
    """
    await settled(settings, records=len(await read_topic(settings, settings.changes_topic)), relayed=False)
    async with open_reader(settings) as reader:
        facts = await reader.facts(estate.organization_id)
    return told(take_snapshot(Organization(estate.organization_id, facts)))


def tell(call: Call, organization_id: str, number: int) -> bytes:
    """
    Return the event that tells a call.
    """
    asked, answer = call.parameters, call.answer
    unit = answer.get("OrganizationalUnit", {})
    kind, data = {
        "CreateAccount": lambda: (
            "account.created",
            {
                "account_id": answer["CreateAccountStatus"]["AccountId"],
                "name": asked["AccountName"],
                "email": asked["Email"],
            },
        ),
        "MoveAccount": lambda: (
            "account.moved",
            {"account_id": asked["AccountId"], "parent_id": asked["DestinationParentId"]},
        ),
        "CloseAccount": lambda: ("account.closed", {"account_id": asked["AccountId"], "status": "SUSPENDED"}),
        "RemoveAccountFromOrganization": lambda: ("account.removed", {"account_id": asked["AccountId"]}),
        "CreateOrganizationalUnit": lambda: (
            "ou.created",
            {"ou_id": unit["Id"], "name": asked["Name"], "parent_id": asked["ParentId"]},
        ),
        "UpdateOrganizationalUnit": lambda: ("ou.renamed", {"ou_id": unit["Id"], "name": asked["Name"]}),
        "DeleteOrganizationalUnit": lambda: ("ou.deleted", {"ou_id": asked["OrganizationalUnitId"]}),
        "CreatePolicy": lambda: (
            "policy.created",
            {
                "policy_id": answer["Policy"]["PolicySummary"]["Id"],
                "policy_type": asked["Type"],
                "name": asked["Name"],
                "content": asked["Content"],
            },
        ),
        "UpdatePolicy": lambda: (
            "policy.updated",
            {"policy_id": asked["PolicyId"], "policy_type": "SERVICE_CONTROL_POLICY", "content": asked["Content"]},
        ),
        "DeletePolicy": lambda: ("policy.deleted", {"policy_id": asked["PolicyId"]}),
        "AttachPolicy": lambda: (
            "policy.attached",
            {"policy_id": asked["PolicyId"], "target_id": asked["TargetId"]},
        ),
        "DetachPolicy": lambda: (
            "policy.detached",
            {"policy_id": asked["PolicyId"], "target_id": asked["TargetId"]},
        ),
    }[call.operation]()
    return json.dumps(
        {
            "specversion": "1.0",
            "id": f"call-{number}",
            "source": "test",
            "type": f"rooftree.{kind}.v1",
            "time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "data": {"organization_id": organization_id, **data},
        }
    ).encode()


def subjects(call: Call) -> set[str]:
    """
    Return the ids that a call is about, as far as differences are named by them.
    """
    asked, answer = call.parameters, call.answer
    found = [asked.get(name) for name in ("AccountId", "OrganizationalUnitId", "TargetId")]
    found += [None if "TargetId" in asked else asked.get("PolicyId")]
    found += [answer.get("CreateAccountStatus", {}).get("AccountId"), answer.get("OrganizationalUnit", {}).get("Id")]
    found += [answer.get("Policy", {}).get("PolicySummary", {}).get("Id")]
    return {each for each in found if each}


def named(record: ReconciliationRecord) -> set[str]:
    """
    Return the ids that the differences of a round name.
    """
    found = set()
    for difference in record.differences:
        data = difference["data"]
        assert isinstance(data, dict)
        found.add(str(data.get("target_id") or data.get("account_id") or data.get("ou_id") or data["policy_id"]))
    return found


def is_closure(difference: Mapping[str, object]) -> bool:
    """
    Tell whether all that a difference is about is that moto has another word for a closed account.
    """
    data = difference["data"]
    assert isinstance(data, dict)
    return data.keys() == {"organization_id", "account_id", "status"} and data["status"] == "SUSPENDED"


async def test_an_organization_that_is_not_known_is_brought_in(estate: Estate, chosen: Settings) -> None:
    """
    The first round is an import, and the next one finds nothing.
    """
    async with running(chosen):
        first = await one_round(chosen, estate.organization_id)
        assert estate.truth() == await viewed(chosen, estate)
        second = await one_round(chosen, estate.organization_id)

    assert ("done", {"rooftree.organization.snapshot.v1": 1}) == (first.result, dict(first.by_kind))
    assert ("done", 0, 0) == (second.result, second.found, second.postponed)
    assert ACCOUNTS + 1 == first.accounts


async def test_a_partition_that_is_not_known_is_brought_in(amazon: Amazon, chosen: Settings) -> None:
    """
    What was told without it is told once more as a whole, and then there is nothing more to say.
    """
    elsewhere = Estate(replace(amazon, region="us-gov-west-1"), Random(11))
    elsewhere.build(units=2, accounts=3, policies=2)
    settings = chosen.model_copy(update={"aws_region": "us-gov-west-1"})
    found = await open_aws(settings).read_organization()
    document = replace(found.snapshot, partition=None).to_json()
    unaware = snapshot_events(found.snapshot, document, found.began)
    await publish(settings, *map(encode_event, unaware), key=elsewhere.organization_id)
    async with running(settings, relay=False):
        await settled(settings, records=1, relayed=False)
        before = await stored(settings, "select value from rooftree.fact where attribute = 'partition'")
        await one_round(settings, elsewhere.organization_id)
        await settled(settings, records=2, relayed=False)
        [fact] = await stored(settings, "select value from rooftree.fact where attribute = 'partition'")
        again = await one_round(settings, elsewhere.organization_id)

    assert [] == before
    assert "aws-us-gov" == fact["value"]
    assert ({}, []) == (again.by_kind, list(again.differences))


async def test_lost_events_are_found_and_named(estate: Estate, chosen: Settings) -> None:
    """
    A tenth of a long series of events is lost, and the last ones, which deny everything; one round later the view equals AWS, and whatever it had missed is named.
    """
    random = Random(3)
    lost: list[Call] = []
    sent: list[bytes] = []

    def hear(call: Call) -> None:
        if random.random() < 0.1:
            lost.append(call)
        else:
            sent.append(tell(call, estate.organization_id, len(sent)))

    async with running(chosen):
        await one_round(chosen, estate.organization_id)
        await asyncio.sleep(1.1)
        estate.on_call = hear
        for _ in range(4 * ACCOUNTS):
            estate.change()
        estate.on_call = lost.append
        estate.deny_everything()
        random.shuffle(sent)
        await publish(chosen, *sent, key=estate.organization_id)
        assert estate.truth() != await viewed(chosen, estate)
        before = METRICS_REGISTRY.get_sample_value(
            "rooftree_reconciliation_lost_total", {"type": "rooftree.policy.attached.v1"}
        )

        record = await one_round(chosen, estate.organization_id)

        assert estate.truth() == await viewed(chosen, estate)
        again = await one_round(chosen, estate.organization_id)
        await settled(chosen, records=0)
        audit = [json.loads(one.value or b"{}") for one in await read_topic(chosen, chosen.audit_topic)]

    assert record.found > 0
    assert record.found == sum(record.by_kind.values()) == len(record.differences)
    assert named(record) <= {subject for call in lost for subject in subjects(call)}
    assert (0, 0) == (again.found, again.postponed)
    attached = record.by_kind.get("rooftree.policy.attached.v1", 0)
    after = METRICS_REGISTRY.get_sample_value(
        "rooftree_reconciliation_lost_total", {"type": "rooftree.policy.attached.v1"}
    )
    assert attached == (after or 0) - (before or 0)
    found = {str(difference["event_id"]) for difference in record.differences}
    causes = [event["data"]["cause"] for event in audit if event["data"]["cause"]["event_id"] in found]
    assert causes
    assert {"reconciliation"} == {cause["origin"] for cause in causes}
    assert all(cause["summary"].endswith(", found by reconciliation") for cause in causes)


async def test_the_end_state_is_that_of_aws(estate: Estate, chosen: Settings) -> None:
    """
    An organization is imported and changed, its events come as AWS delivers them, some twice, in disorder and a tenth not at all; what they did not tell is read anew, what they lost is found, and the view is what AWS has.
    """
    random = Random(5)
    deliveries = Deliveries(MANAGEMENT, seed="estate")
    sent: list[bytes] = []
    lost: set[str] = set()

    def hear(call: Call) -> None:
        events = deliveries.of(call.operation, call.parameters, call.answer, time=datetime.now(UTC))
        for event in events:
            if random.random() < 0.1:
                lost.update(subjects(call))
            else:
                sent.extend([json.dumps(event).encode()] * random.choice((1, 1, 1, 2)))

    async with running(chosen):
        await one_round(chosen, estate.organization_id)
        await asyncio.sleep(1.1)
        estate.on_call = hear
        for _ in range(4 * ACCOUNTS):
            estate.change()
        random.shuffle(sent)
        await publish(chosen, *sent, key=estate.organization_id)
        await viewed(chosen, estate)
        asked = {row["object_id"] for row in await stored(chosen, "select object_id from rooftree.rereads")}
        async with reconciling(chosen):
            await eventually(lambda: none_open(chosen), seconds=60)

        record = await one_round(chosen, estate.organization_id)

        assert estate.truth() == await viewed(chosen, estate)
    # CloudTrail masks the names of accounts, and tells no order within a second.
    assert asked
    assert ("done", 0) == (record.result, record.postponed)
    # AWS calls an account that was closed CLOSED, as its event tells; moto calls it SUSPENDED.
    known = [one for one in record.differences if is_closure(one)]
    assert named(replace(record, differences=[one for one in record.differences if one not in known])) <= lost | asked
    assert not await stored(chosen, "select from rooftree.dead_letter")


async def test_an_event_that_is_late_is_not_overruled(estate: Estate, chosen: Settings) -> None:
    """
    What happened after the moment that a round speaks of is the business of its event: the round leaves it alone, and the event takes effect when it comes.
    """
    sent: list[bytes] = []
    async with running(chosen):
        await one_round(chosen, estate.organization_id)
        estate.on_call = lambda call: sent.append(tell(call, estate.organization_id, len(sent)))
        slow = chosen.model_copy(update={"reconcile_grace": 3600.0})
        for _ in range(10):
            estate.change()

        record = await one_round(slow, estate.organization_id)
        assert estate.truth() != await viewed(chosen, estate)
        await publish(chosen, *sent, key=estate.organization_id)

        assert estate.truth() == await viewed(chosen, estate)
    assert 0 == record.found
    assert record.postponed > 0


class SecondLook:
    """
    AWS, with something that happens before it is asked for the second time.
    """

    def __init__(self, api: AwsOrganization, before: Callable[[], Awaitable[None]]) -> None:
        self.organization_id, self.read_organization = api.organization_id, api.read_organization
        self.principals, self._read_objects, self._before = api.principals, api.read_objects, before

    async def read_objects(self, objects: Iterable[tuple[str, str]]) -> Observation:
        """
        Let it happen, and ask.
        """
        await self._before()
        return await self._read_objects(objects)


async def test_a_difference_that_does_not_last_is_not_told(estate: Estate, chosen: Settings) -> None:
    """
    While the reconciler waits, the event arrives: nothing was lost.
    """
    sent: list[bytes] = []

    async def arrive() -> None:
        await publish(chosen, *sent, key=estate.organization_id)
        await viewed(chosen, estate)

    async with running(chosen):
        await one_round(chosen, estate.organization_id)
        estate.on_call = lambda call: sent.append(tell(call, estate.organization_id, len(sent)))
        estate.create_policy()
        await asyncio.sleep(1.1)
        async with open_store(chosen, "rooftree-test") as database, open_publisher(chosen) as publisher:
            store = PostgresReconciliation(database, chosen.postgres_dsn.get_secret_value())
            api = SecondLook(open_aws(chosen), arrive)
            reconciler = Reconciler(api, store, publisher, interval=0.01, grace=0.01, patience=0.01)
            await reconciler.round(asyncio.Event())

        assert estate.truth() == await viewed(chosen, estate)
    record = (await rounds(chosen, estate.organization_id))[0]
    assert ("done", 0, 1) == (record.result, record.found, record.postponed)


async def test_aws_may_be_away_or_refuse(estate: Estate, chosen: Settings) -> None:
    """
    A round that fails is written down with its reason, and the next one is made.
    """
    estate.amazon.spoiler.faults = {"ListAccounts": [(400, "AccessDeniedException")]}
    async with running(chosen):
        failed = await one_round(chosen, estate.organization_id)
        done = await one_round(chosen, estate.organization_id)

        assert estate.truth() == await viewed(chosen, estate)
    assert ("failed", "AWS: ListAccounts: AccessDeniedException: spoiled by the test") == (failed.result, failed.reason)
    assert "done" == done.result


async def test_an_organization_that_aws_does_not_tell_is_written_down(estate: Estate, chosen: Settings) -> None:
    """
    Where not even the organization is known, the failure is kept without one.
    """
    estate.amazon.spoiler.faults = {"DescribeOrganization": [(400, "AWSOrganizationsNotInUseException")]}

    failed = await one_round(chosen, "")

    assert "failed" == failed.result
    assert "AWSOrganizationsNotInUseException" in str(failed.reason)


async def test_what_an_event_did_not_tell_is_read(estate: Estate, chosen: Settings) -> None:
    """
    A request to read something anew is answered by what AWS says, and is gone then.
    """
    policy, account = estate.policies[0], next(iter(estate.accounts))
    estate.client.update_policy(PolicyId=policy, Content=json.dumps(estate._content()))
    asked = [("policy", policy), ("account", account), ("attachments", account), ("principals", account)]
    async with running(chosen):
        await one_round(chosen, estate.organization_id)
        estate.client.update_policy(PolicyId=policy, Content=json.dumps(estate._content()))
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        requests = [
            {
                "specversion": "1.0",
                "id": f"ask-{number}",
                "source": "test",
                "type": "rooftree.reread.asked.v1",
                "time": now,
                "data": {
                    "organization_id": estate.organization_id,
                    "kind": kind,
                    "object_id": object_id,
                    "reason": "the test wants to know",
                },
            }
            for number, (kind, object_id) in enumerate(asked)
        ]
        await publish(chosen, *(json.dumps(one).encode() for one in requests), key=estate.organization_id)
        await viewed(chosen, estate)
        assert len(asked) == len(await stored(chosen, "select * from rooftree.rereads"))
        async with reconciling(chosen):
            await eventually(lambda: none_open(chosen), seconds=30)

        assert estate.truth() == await viewed(chosen, estate)
        people = await stored(chosen, "select name from rooftree.principals where account_id = $1", account)
    assert [{"name": "OrganizationAccountAccessRole"}] == people
    rereads = [one for one in await rounds(chosen, estate.organization_id) if one.occasion == "reread"]
    assert {"done"} == {one.result for one in rereads}
    assert [{"rooftree.policy.updated.v1": 1}] == [dict(one.by_kind) for one in rereads if one.found]


async def none_open(settings: Settings) -> bool:
    """
    Tell whether nothing is to be read anew.
    """
    return not await stored(settings, "select from rooftree.rereads")
