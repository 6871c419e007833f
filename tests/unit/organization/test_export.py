from __future__ import annotations

from dataclasses import replace

import pytest
from tests.generators.telling import (
    ACCOUNT,
    FULL_ACCESS_ID,
    ORGANIZATION,
    OU,
    POLICY,
    ROOT,
    change,
    snapshot_document,
    snapshot_taken,
)

from rooftree.errors import SnapshotError
from rooftree.organization.changes import (
    AccountMoved,
    Change,
    OuCreated,
    PolicyAttached,
    PolicyDetached,
    PolicyUpdated,
    SnapshotTaken,
)
from rooftree.organization.claims import facts_of
from rooftree.organization.export import take_snapshot
from rooftree.organization.snapshot_reader import parse_snapshot
from rooftree.organization.tree import Organization


def organization(*changes: Change) -> Organization:
    """An organization after some changes."""
    found = Organization(ORGANIZATION)
    for one in changes:
        found.merge(facts_of(one))
    return found


def test_a_snapshot_that_was_taken_in_comes_out_again() -> None:
    """Everything in it is there, in the order of ids."""
    expected = parse_snapshot(snapshot_document())
    actual = take_snapshot(organization(change(1, snapshot_taken())))
    assert set(expected.attachments) == set(actual.attachments)
    assert set(expected.organizational_units) == set(actual.organizational_units)
    assert expected.policies == actual.policies
    statuses = {account.id: account.status for account in actual.accounts}
    assert {account.id: account.status or "ACTIVE" for account in expected.accounts} == statuses


@pytest.mark.parametrize("partition", [None, "aws-us-gov"])
def test_the_partition_is_told_where_it_is_not_taken_for_granted(partition: str | None) -> None:
    """Snapshots of most organizations look as they did before partitions were known."""
    taken = replace(parse_snapshot(snapshot_document()), partition=partition or "aws")
    assert partition == take_snapshot(organization(change(1, SnapshotTaken(taken)))).partition


def test_changes_since_are_in_the_snapshot_and_what_waits_is_not() -> None:
    """An account whose place is not known and a policy that is not known are left out."""
    found = take_snapshot(
        organization(
            change(1, snapshot_taken()),
            change(2, PolicyAttached(POLICY, OU)),
            change(2, PolicyDetached(FULL_ACCESS_ID, OU)),
            change(2, PolicyAttached("p-unknown000", OU)),
            change(2, PolicyUpdated("p-untyped000", name="Untyped")),
            change(3, AccountMoved(ACCOUNT, parent_id="ou-ab12-zzzzzzzz")),
        )
    )
    assert [POLICY] == [hanging.policy_id for hanging in found.attachments if hanging.target_id == OU]
    assert [POLICY] == [policy.id for policy in found.policies]
    assert ACCOUNT not in {account.id for account in found.accounts}
    assert found == parse_snapshot(found.to_json())


@pytest.mark.parametrize(
    ("changes", "place"),
    [([], "root.id"), ([change(1, OuCreated(OU, ROOT))], "organization.management_account_id")],
    ids=["nothing", "no snapshot yet"],
)
def test_an_organization_that_is_hardly_known_has_no_snapshot(changes: list[Change], place: str) -> None:
    """Events alone do not tell which account is the management account."""
    with pytest.raises(SnapshotError) as caught:
        take_snapshot(organization(*changes))
    assert place == caught.value.place
