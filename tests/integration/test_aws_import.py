"""
An organization read from AWS: all of it, whatever happens on the way, and no more than is allowed.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.amazon import Amazon
from tests.estate import Estate, told
from tests.integration.service import command, running, stored

from rooftree.aws.limits import RATES
from rooftree.aws.permissions import account_policy, organization_policy
from rooftree.bootstrap.reading import open_reader
from rooftree.bootstrap.workers import open_aws
from rooftree.errors import RefusedCallError
from rooftree.organization.export import take_snapshot
from rooftree.organization.tree import Organization
from rooftree.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]


@pytest.fixture
def estate(amazon: Amazon) -> Estate:
    """
    Build an organization of a few accounts.
    """
    built = Estate(amazon, Random(7))
    built.build(units=4, accounts=12, policies=4)
    return built


def aws_settings(amazon: Amazon) -> Settings:
    """
    Return settings that lead to AWS.
    """
    return Settings(aws_endpoint_url=amazon.url, aws_region=amazon.region, aws_rate_share=1000)


def left_in(folder: Path) -> list[Path]:
    """
    Return the journals in a folder.
    """
    return list(folder.glob("aws-*"))


async def walked(amazon: Amazon) -> dict[str, Any]:
    """
    Return what a walk tells.
    """
    return told((await open_aws(aws_settings(amazon)).read_organization()).snapshot)


@pytest.mark.parametrize(
    "ways",
    [
        {},
        {"empty_pages": True},
        {"page_size": 3},
        {"paths": True},
        {"paths": True, "empty_pages": True, "page_size": 2},
    ],
    ids=["as moto", "empty pages", "small pages", "paths", "all of it"],
)
async def test_a_walk_tells_all_that_aws_has(estate: Estate, ways: dict[str, Any]) -> None:
    """
    Whatever the pages look like, and whether or not accounts tell their paths, the organization is the same.
    """
    for name, value in ways.items():
        setattr(estate.amazon.spoiler, name, value)

    assert estate.truth() == await walked(estate.amazon)


async def test_a_walk_tells_in_which_partition_the_organization_is(amazon: Amazon) -> None:
    """
    It stands in the ARN of the organization, whatever endpoint was asked.
    """
    elsewhere = replace(amazon, region="us-gov-west-1")
    built = Estate(elsewhere, Random(7))
    built.build(units=2, accounts=3, policies=2)

    found = await open_aws(aws_settings(elsewhere)).read_organization()

    assert built.truth() == told(found.snapshot)
    assert "aws-us-gov" == found.snapshot.partition


async def test_where_paths_are_told_no_node_is_asked_for_its_accounts(estate: Estate) -> None:
    """
    One list of accounts tells where each of them stands.
    """
    estate.amazon.spoiler.paths = True

    await walked(estate.amazon)

    assert "ListAccountsForParent" not in estate.amazon.spoiler.made


async def test_throttling_and_faults_of_aws_are_survived(estate: Estate) -> None:
    """
    Calls that come too often, collide or meet a fault are made again, and nothing is missing in the end.
    """
    estate.amazon.spoiler.faults = {
        "ListAccounts": [(400, "TooManyRequestsException")] * 4,
        "DescribePolicy": [(500, "ServiceException"), (503, "ServiceUnavailable"), (400, "ThrottlingException")],
        "DescribeOrganization": [(400, "ConcurrentModificationException")],
        "ListTargetsForPolicy": [(500, "InternalFailure")] * 4,
    }

    assert estate.truth() == await walked(estate.amazon)
    assert not any(estate.amazon.spoiler.faults.values())


async def test_what_is_not_allowed_is_named(estate: Estate) -> None:
    """
    A refusal is no fault of a server: it is not tried again, and the call is named.
    """
    estate.amazon.spoiler.faults = {"ListPolicies": [(400, "AccessDeniedException")]}

    with pytest.raises(RefusedCallError, match="ListPolicies: AccessDeniedException"):
        await walked(estate.amazon)


async def test_an_interrupted_walk_goes_on_where_it_stopped(estate: Estate, tmp_path: Path) -> None:
    """
    What was answered is not asked again, and the moment that the walk speaks of stays that of its beginning.
    """
    spoiler = estate.amazon.spoiler
    organization = open_aws(aws_settings(estate.amazon))

    def interrupt(done: int, _expected: int) -> None:
        if done == 9:
            raise InterruptedError

    first = organization.journal(tmp_path, max_age=60)
    with pytest.raises(InterruptedError):
        await organization.read_organization(journal=first, progress=interrupt)
    first.close()
    [file] = left_in(tmp_path)
    assert 0o600 == file.stat().st_mode & 0o777
    with file.open("a") as torn:
        torn.write('{"call": "torn')

    # Calls that were under way in threads are still those of the first walk.
    await asyncio.sleep(1)
    spoiler.made.clear()
    second = organization.journal(tmp_path, max_age=60)
    kept = second.remembered
    found = await organization.read_organization(journal=second)
    second.finish()

    assert 9 <= kept == second.remembered - spoiler.made.total()
    assert not {"DescribeOrganization", "ListRoots", "ListAccounts"} & spoiler.made.keys()
    assert first.began == second.began == found.began
    assert estate.truth() == told(found.snapshot)
    assert [] == left_in(tmp_path)


async def test_an_old_walk_is_not_gone_on_with(estate: Estate, tmp_path: Path) -> None:
    """
    What was read too long ago counts for nothing, nor does what somebody else has read.
    """
    organization = open_aws(aws_settings(estate.amazon))
    journal = organization.journal(tmp_path, max_age=60)
    await organization.read_organization(journal=journal)
    journal.close()

    old = organization.journal(tmp_path, max_age=0)
    assert 0 == old.remembered
    old.close()


async def test_an_organization_is_imported(estate: Estate, settings: Settings, tmp_path: Path) -> None:
    """
    The view has what AWS has, as of a moment before it was read.
    """
    before = datetime.now(UTC)
    async with running(settings):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ROOFTREE_AWS_ENDPOINT_URL", estate.amazon.url)
            patch.setenv("ROOFTREE_AWS_RATE_SHARE", "1000")
            outcome = await command(settings, "import", "aws", "--data-dir", tmp_path, "--json")
    assert (0, "") == (outcome.status, outcome.err)
    document = json.loads(outcome.out)

    assert document["applied"]
    moment = datetime.fromisoformat(document["time"])
    assert before - timedelta(seconds=62) < moment < datetime.now(UTC) - timedelta(seconds=59)
    assert estate.truth() == await viewed(settings, estate)
    assert [] == left_in(tmp_path)


async def test_principals_of_some_accounts_are_imported(estate: Estate, settings: Settings, tmp_path: Path) -> None:
    """
    An account whose role cannot be assumed is named, and the rest goes on.
    """
    closed, *opened = list(estate.accounts)[:4]
    estate.amazon.spoiler.closed_accounts = {closed}
    chosen = [part for account in (closed, *opened) for part in ("--account", account)]
    async with running(settings):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ROOFTREE_AWS_ENDPOINT_URL", estate.amazon.url)
            patch.setenv("ROOFTREE_AWS_RATE_SHARE", "1000")
            outcome = await command(settings, "import", "aws", "--iam", *chosen, "--data-dir", tmp_path, "--json")
    rows = await stored(settings, "select account_id, name from rooftree.principals order by account_id")

    assert 1 == outcome.status
    assert [closed] == list(json.loads(outcome.out)["refused"])
    assert f"{closed}: AWS: AssumeRole: AccessDenied" in outcome.err
    assert sorted(opened) == [row["account_id"] for row in rows]
    assert {"OrganizationAccountAccessRole"} == {row["name"] for row in rows}


async def test_what_is_needed_of_aws_is_what_is_called(estate: Estate) -> None:
    """
    The calls that a walk, single objects and principals make are those that the printed policy allows, no more and no less.
    """
    organization = open_aws(aws_settings(estate.amazon))
    policy, account, unit = estate.policies[0], next(iter(estate.accounts)), estate.units[0]
    await organization.read_organization()
    asked = ("account", account), ("ou", unit), ("policy", policy), ("attachments", unit), ("targets", policy)
    await organization.read_objects([*asked, ("organization", estate.organization_id)])
    await organization.principals(account)

    # It needs no permission: whoever has credentials may ask whose they are.
    made = set(estate.amazon.spoiler.made) - {"GetCallerIdentity"}
    assert made == actions(organization_policy(iam_role_name="OrganizationAccountAccessRole"))
    assert {"GetAccountAuthorizationDetails"} == actions(account_policy())
    assert made <= RATES.keys()


def actions(policy: dict[str, Any]) -> set[str]:
    """
    Return the calls that a policy allows.
    """
    return {action.partition(":")[2] for statement in policy["Statement"] for action in statement["Action"]}


async def test_objects_that_are_not_there_are_told_as_such(estate: Estate) -> None:
    """
    Of what AWS says does not exist, that is what was seen; of its attachments nothing is.
    """
    organization = open_aws(aws_settings(estate.amazon))
    missing = ("account", "999999999999"), ("ou", "ou-ab12-aaaaaaaa"), ("policy", "p-aaaaaaaa")

    seen = await organization.read_objects([*missing, ("attachments", "999999999999"), ("targets", "p-aaaaaaaa")])

    assert {"999999999999": None} == seen.accounts
    assert {"ou-ab12-aaaaaaaa": None} == seen.units
    assert {"p-aaaaaaaa": None} == seen.policies
    assert ({}, {}, None, False) == (seen.attached, seen.targets, seen.policy_types, seen.whole)


async def viewed(settings: Settings, estate: Estate) -> dict[str, Any]:
    """
    Return what the stored facts come to.
    """
    async with open_reader(settings) as reader:
        facts = await reader.facts(estate.organization_id)
    return told(take_snapshot(Organization(estate.organization_id, facts)))
