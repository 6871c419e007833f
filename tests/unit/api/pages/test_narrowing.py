"""
How a chain narrows an account, level by level.
"""

from __future__ import annotations

from tests.generators.telling import ACCOUNT, FULL_ACCESS_ID, MANAGEMENT, ORGANIZATION, OU, ROOT, SCP, deny
from tests.generators.telling import snapshot_document as document

from rooftree.api.pages.addresses import Addresses
from rooftree.api.pages.narrowing import Step, narrow
from rooftree.inquiry.sources import MemorySource, load_organization
from rooftree.organization.snapshot_reader import parse_snapshot

REGIONS = {
    "Version": "2012-10-17",
    "Statement": {
        "Sid": "Regions",
        "Effect": "Deny",
        "NotAction": "iam:*",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}},
    },
}


def narrowed(account_id: str) -> list[Step] | None:
    """
    Narrow an account of an organization that denies Amazon Q at its root and other regions in a unit.
    """
    told = document()
    policies = [("p-closeamazq", "CloseQ", deny("q:*"), ROOT), ("p-regionsgu1", "Regions", REGIONS, OU)]
    told["policies"] = [
        {"id": identifier, "name": name, "type": SCP, "content": content} for identifier, name, content, _ in policies
    ]
    hanging = [{"policy_id": identifier, "target_id": target} for identifier, _, _, target in policies]
    told["attachments"] = [*told["attachments"], *hanging]  # type: ignore[misc]
    source = MemorySource(load_organization(parse_snapshot(told)))
    account = next(one for one in source.standings() if one.account_id == account_id)
    steps = narrow(source.chains_of([account]), account, source.known_names(), Addresses(ORGANIZATION))
    return None if steps is None else list(steps)


def test_each_level_keeps_what_the_one_above_takes_away_and_takes_more() -> None:
    """
    Amazon Q is denied from the root on; the unit restricts the rest to a region; the account itself adds nothing.
    """
    steps = narrowed(ACCOUNT)
    assert steps is not None
    root, unit, own = ({part.name: part.count for part in step.layers.parts} for step in steps)

    assert ["Root", "Workloads", "shop-prod"] == [step.name for step in steps]
    assert root["denied"] > 0
    assert root["region"] == 0
    assert unit["denied"] == root["denied"]
    assert unit["region"] > unit["allowed"] > 0
    assert own == unit


def test_each_policy_says_what_it_takes_away_by_itself() -> None:
    """
    What AWS hangs everywhere takes nothing, and says nothing.
    """
    steps = narrowed(ACCOUNT)
    assert steps is not None
    told = {taking.name: taking.words for step in steps for taking in step.takings}
    denied = steps[0].layers.parts[-1].count

    assert (f"denies {denied} actions outright",) == told["CloseQ"]
    assert 1 == len(told["Regions"])
    assert told["Regions"][0].endswith("actions: denied when aws:RequestedRegion is not eu-west-1")
    assert () == told["FullAWSAccess"]
    assert {FULL_ACCESS_ID, "p-closeamazq"} == {taking.policy_id for taking in steps[0].takings}


def test_the_picture_of_a_level_goes_on_where_that_above_ends() -> None:
    """
    A flow begins with the widths at which the one before it ends.
    """
    steps = narrowed(ACCOUNT)
    assert steps is not None

    assert 'class="allowed-flow" d="M0.0 0H1000.0L' in steps[0].flow
    assert 'class="denied-flow" d="M1000.0 0H1000.0L' in steps[0].flow
    ends = steps[0].flow.partition('class="allowed-flow" d="M0.0 0H1000.0L')[2].partition(" ")[0]
    assert f'class="allowed-flow" d="M0.0 0H{ends}L' in steps[1].flow


def test_the_management_account_is_not_narrowed() -> None:
    """
    Service control policies do not bind it.
    """
    assert narrowed(MANAGEMENT) is None
