from __future__ import annotations

import pytest
from tests.generators.telling import (
    ACCOUNT,
    FULL_ACCESS_ID,
    ORGANIZATION,
    OTHER_OU,
    OU,
    POLICY,
    ROOT,
    SCP,
    change,
    snapshot_document,
    snapshot_taken,
)

from rooftree.organization.changes import (
    AccountClosed,
    AccountCreated,
    AccountMoved,
    AccountRemoved,
    Change,
    OuCreated,
    OuRenamed,
    PolicyAttached,
    PolicyDetached,
    PolicyTypeDisabled,
    PolicyTypeEnabled,
    SnapshotTaken,
)
from rooftree.organization.claims import facts_of
from rooftree.organization.registers import Registers
from rooftree.organization.snapshot_reader import parse_snapshot

RCP = "RESOURCE_CONTROL_POLICY"


def told(*changes: Change) -> Registers:
    """The registers after some changes; the opposite order must come to the same."""
    registers, reversed_registers = Registers(ORGANIZATION), Registers(ORGANIZATION)
    for one in changes:
        registers.merge(facts_of(one))
    for one in reversed(changes):
        reversed_registers.merge(facts_of(one))
    assert {fact.key: fact for fact in registers} == {fact.key: fact for fact in reversed_registers}
    return registers


def hangs(registers: Registers, target_id: str, policy_id: str = POLICY) -> bool:
    """Whether a service control policy hangs on a node."""
    return registers.is_attached(target_id, policy_id, SCP)


def test_a_removal_that_comes_first_still_removes() -> None:
    """An account that was removed does not come back when its creation is delivered late."""
    registers = told(change(5, AccountRemoved(ACCOUNT)), change(1, AccountCreated(ACCOUNT, parent_id=OU)))
    assert False is registers.is_present(ACCOUNT)


def test_an_account_that_was_moved_exists() -> None:
    """Only what exists can be moved, so a lost creation does not hide the account."""
    registers = told(change(1, AccountMoved(ACCOUNT, parent_id=OU)))
    assert (registers.is_present(ACCOUNT), registers.parent(ACCOUNT)) == (True, OU)


def test_a_late_move_does_not_bring_a_removed_account_back() -> None:
    """What was seen before the removal proves nothing after it."""
    registers = told(change(5, AccountRemoved(ACCOUNT)), change(3, AccountMoved(ACCOUNT, parent_id=OU)))
    assert False is registers.is_present(ACCOUNT)


def test_a_move_after_the_removal_proves_that_the_account_is_back() -> None:
    """The creation in between is late or lost."""
    registers = told(change(5, AccountRemoved(ACCOUNT)), change(7, AccountMoved(ACCOUNT, parent_id=OU)))
    assert True is registers.is_present(ACCOUNT)


def test_an_account_that_comes_back_has_nothing_of_before() -> None:
    """Parent, status and attachments that were told before the removal are void."""
    registers = told(
        change(1, AccountCreated(ACCOUNT, parent_id=OU)),
        change(2, PolicyAttached(POLICY, ACCOUNT)),
        change(3, AccountClosed(ACCOUNT)),
        change(4, AccountRemoved(ACCOUNT)),
        change(6, AccountClosed(ACCOUNT, status="PENDING_CLOSURE")),
    )
    assert True is registers.is_present(ACCOUNT)
    assert (registers.parent(ACCOUNT), registers.status(ACCOUNT)) == (None, "PENDING_CLOSURE")
    assert False is hangs(registers, ACCOUNT)


def test_an_account_created_without_a_parent_is_at_the_root() -> None:
    """The root is the one that anything else speaks of, whenever it does."""
    registers = told(change(1, AccountCreated(ACCOUNT)), change(9, OuCreated(OU, ROOT)))
    assert registers.parent(ACCOUNT) == ROOT


def test_full_access_hangs_on_what_is_created() -> None:
    """AWS sends no event for it; a detachment afterwards counts."""
    created = change(1, AccountCreated(ACCOUNT, parent_id=OU))
    assert True is hangs(told(created), ACCOUNT, FULL_ACCESS_ID)
    detached = change(2, PolicyDetached(FULL_ACCESS_ID, ACCOUNT))
    assert False is hangs(told(created, detached), ACCOUNT, FULL_ACCESS_ID)


def test_an_explicit_detachment_of_the_same_second_beats_the_implied_attachment() -> None:
    """What follows from an event counts less than what an event says."""
    registers = told(
        change(1, AccountCreated(ACCOUNT, parent_id=OU)), change(1, PolicyDetached(FULL_ACCESS_ID, ACCOUNT))
    )
    assert False is hangs(registers, ACCOUNT, FULL_ACCESS_ID)


def test_full_access_hangs_on_what_is_known_by_a_move_alone() -> None:
    """The creation that hung it there is late or lost; to assume nothing would deny everything."""
    assert True is hangs(told(change(1, AccountMoved(ACCOUNT, parent_id=OU))), ACCOUNT, FULL_ACCESS_ID)


def test_disabling_a_policy_type_takes_everything_off() -> None:
    """Attachments of before are gone for good, those of afterwards hold."""
    registers = told(
        change(1, PolicyTypeEnabled(SCP)),
        change(2, PolicyAttached(POLICY, ROOT)),
        change(3, PolicyTypeDisabled(SCP)),
        change(4, PolicyTypeEnabled(SCP)),
        change(5, PolicyAttached(POLICY, OU)),
    )
    assert [hangs(registers, node) for node in (ROOT, OU)] == [False, True]


def test_enabling_service_control_policies_hangs_full_access_everywhere() -> None:
    """A detachment of before does not count any more, one of afterwards does."""
    registers = told(
        change(1, PolicyDetached(FULL_ACCESS_ID, ROOT)),
        change(2, OuCreated(OU, ROOT)),
        change(3, PolicyTypeEnabled(SCP)),
        change(4, PolicyDetached(FULL_ACCESS_ID, OU)),
    )
    assert [hangs(registers, node, FULL_ACCESS_ID) for node in (ROOT, OU)] == [True, False]


def test_a_snapshot_voids_what_was_told_before_and_is_not_in_it() -> None:
    """Nodes, attachments and policy types that the snapshot does not have are gone."""
    registers = told(
        change(1, OuCreated("ou-ab12-cccccccc", ROOT)),
        change(1, PolicyAttached(POLICY, OU)),
        change(1, PolicyTypeEnabled(RCP)),
        change(2, snapshot_taken()),
    )
    assert False is registers.is_present("ou-ab12-cccccccc")
    assert False is hangs(registers, OU)
    assert [registers.has_policy_type(kind) for kind in (SCP, RCP)] == [True, False]


def test_a_snapshot_leaves_alone_what_is_told_of_later_moments() -> None:
    """An event that took effect after the snapshot holds, whenever either is delivered."""
    registers = told(change(2, snapshot_taken()), change(3, PolicyAttached(POLICY, OU)))
    assert True is hangs(registers, OU)


def test_an_event_of_the_second_of_a_snapshot_counts_more() -> None:
    """The snapshot may have been taken at the beginning of that second."""
    registers = told(change(2, snapshot_taken()), change(2, AccountMoved(ACCOUNT, parent_id=OTHER_OU)))
    assert registers.parent(ACCOUNT) == OTHER_OU


def test_a_snapshot_says_what_hangs_on_a_node_even_if_full_access_does_not() -> None:
    """Nothing is implied for nodes that a snapshot states."""
    document = snapshot_document()
    document["attachments"] = []
    bare = change(2, SnapshotTaken(parse_snapshot(document)))
    assert False is hangs(told(bare), ACCOUNT, FULL_ACCESS_ID)


def test_a_parent_of_before_the_snapshot_is_void_for_an_account_that_is_not_in_it() -> None:
    """An account that is seen again after it had left is somewhere new."""
    stranger = "444444444444"
    registers = told(
        change(1, AccountCreated(stranger, parent_id=OU)),
        change(2, snapshot_taken()),
        change(3, AccountClosed(stranger)),
    )
    assert (registers.is_present(stranger), registers.parent(stranger)) == (True, None)


def test_a_renamed_unit_exists_although_its_creation_is_late() -> None:
    """Only what exists can be renamed."""
    assert True is told(change(1, OuRenamed(OU, "Workloads"))).is_present(OU)


@pytest.mark.parametrize("enabled", [True, False])
def test_full_access_of_resource_control_policies_hangs_everywhere_while_enabled(*, enabled: bool) -> None:
    """It cannot be detached."""
    kind = PolicyTypeEnabled(RCP) if enabled else PolicyTypeDisabled(RCP)
    assert enabled is told(change(1, kind)).is_attached(ACCOUNT, "p-RCPFullAWSAccess", RCP)


@pytest.mark.parametrize(("removed", "created", "expected"), [("a", "b", True), ("b", "a", False)])
def test_removal_and_return_in_one_second_are_told_apart_by_their_ids(
    removed: str, created: str, *, expected: bool
) -> None:
    """Where the source gives no sequence the event ids decide, for presence, place and attachments alike."""
    registers = told(
        change(1, AccountRemoved(ACCOUNT), event_id=removed),
        change(1, AccountCreated(ACCOUNT, parent_id=OU), event_id=created),
    )
    assert expected is registers.is_present(ACCOUNT)
    assert (OU, True) == (registers.parent(ACCOUNT), hangs(registers, ACCOUNT, FULL_ACCESS_ID))
