from __future__ import annotations

import pytest
from tests.generators.telling import (
    ACCOUNT,
    DENY_LEAVING,
    FULL_ACCESS_ID,
    ORGANIZATION,
    OU,
    POLICY,
    ROOT,
    SCP,
    change,
    snapshot_taken,
)

from rooftree.organization.changes import (
    AccountClosed,
    AccountCreated,
    AccountMoved,
    AccountRemoved,
    AccountUpdated,
    ChangeData,
    OuCreated,
    OuDeleted,
    OuRenamed,
    PolicyAttached,
    PolicyCreated,
    PolicyDeleted,
    PolicyDetached,
    PolicyTypeDisabled,
    PolicyTypeEnabled,
    PolicyUpdated,
)
from rooftree.organization.claims import facts_of
from rooftree.organization.facts import Rank

SAID, IMPLIED = Rank.EXPLICIT, Rank.IMPLIED


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            AccountCreated(ACCOUNT, name="shop", email="shop@example.com", parent_id=OU, status="ACTIVE"),
            {
                ("account", ACCOUNT, "present", True, SAID),
                ("account", ACCOUNT, "name", "shop", SAID),
                ("account", ACCOUNT, "email", "shop@example.com", SAID),
                ("account", ACCOUNT, "status", "ACTIVE", SAID),
                ("account", ACCOUNT, "parent_id", OU, SAID),
                ("attachment", ACCOUNT, FULL_ACCESS_ID, True, IMPLIED),
            },
        ),
        (
            AccountCreated(ACCOUNT),
            {
                ("account", ACCOUNT, "present", True, SAID),
                ("account", ACCOUNT, "parent_id", None, IMPLIED),
                ("attachment", ACCOUNT, FULL_ACCESS_ID, True, IMPLIED),
            },
        ),
        (
            AccountUpdated(ACCOUNT, name="shop"),
            {("account", ACCOUNT, "observed", True, SAID), ("account", ACCOUNT, "name", "shop", SAID)},
        ),
        (
            AccountMoved(ACCOUNT, parent_id=ROOT),
            {
                ("account", ACCOUNT, "observed", True, SAID),
                ("account", ACCOUNT, "parent_id", ROOT, SAID),
                ("organization", ORGANIZATION, "root_id", ROOT, IMPLIED),
            },
        ),
        (
            AccountClosed(ACCOUNT),
            {("account", ACCOUNT, "observed", True, SAID), ("account", ACCOUNT, "status", "CLOSED", SAID)},
        ),
        (
            AccountClosed(ACCOUNT, status="SUSPENDED"),
            {("account", ACCOUNT, "observed", True, SAID), ("account", ACCOUNT, "status", "SUSPENDED", SAID)},
        ),
        (
            AccountRemoved(ACCOUNT),
            {("account", ACCOUNT, "present", False, SAID), ("account", ACCOUNT, "removed_at", True, IMPLIED)},
        ),
        (
            OuCreated(OU, ROOT, "Workloads"),
            {
                ("ou", OU, "present", True, SAID),
                ("ou", OU, "name", "Workloads", SAID),
                ("ou", OU, "parent_id", ROOT, SAID),
                ("organization", ORGANIZATION, "root_id", ROOT, IMPLIED),
                ("attachment", OU, FULL_ACCESS_ID, True, IMPLIED),
            },
        ),
        (OuRenamed(OU, "Work"), {("ou", OU, "observed", True, SAID), ("ou", OU, "name", "Work", SAID)}),
        (OuDeleted(OU), {("ou", OU, "present", False, SAID), ("ou", OU, "removed_at", True, IMPLIED)}),
        (
            PolicyCreated(POLICY, SCP, "DenyLeaving", DENY_LEAVING),
            {
                ("policy", POLICY, "present", True, SAID),
                ("policy", POLICY, "type", SCP, SAID),
                ("policy", POLICY, "name", "DenyLeaving", SAID),
                ("policy", POLICY, "content", DENY_LEAVING, SAID),
            },
        ),
        (
            PolicyUpdated(POLICY, name="Deny"),
            {("policy", POLICY, "present", True, IMPLIED), ("policy", POLICY, "name", "Deny", SAID)},
        ),
        (PolicyDeleted(POLICY), {("policy", POLICY, "present", False, SAID)}),
        (PolicyAttached(POLICY, OU), {("attachment", OU, POLICY, True, SAID)}),
        (
            PolicyDetached(POLICY, ROOT),
            {
                ("attachment", ROOT, POLICY, False, SAID),
                ("organization", ORGANIZATION, "root_id", ROOT, IMPLIED),
            },
        ),
        (
            PolicyTypeEnabled(SCP),
            {("policy_type", SCP, "enabled", True, SAID), ("policy_type", SCP, "enabled_at", True, IMPLIED)},
        ),
        (
            PolicyTypeDisabled(SCP),
            {("policy_type", SCP, "enabled", False, SAID), ("policy_type", SCP, "disabled_at", True, IMPLIED)},
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, set) else "",
)
def test_a_change_states_what_it_says_and_what_follows(data: ChangeData, expected: set[object]) -> None:
    """Each type of change becomes facts; what AWS does without an event is implied."""
    facts = facts_of(change(1, data))
    assert expected == {(fact.kind, fact.subject, fact.attribute, fact.value, fact.version.rank) for fact in facts}


def test_a_change_states_at_most_one_fact_a_register() -> None:
    """Merging has nothing to decide within one change."""
    facts = facts_of(change(1, snapshot_taken()))
    assert len(facts) == len({fact.key for fact in facts})


def test_all_facts_of_a_snapshot_are_implied() -> None:
    """Any event of the same moment counts more than a snapshot."""
    assert {Rank.IMPLIED} == {fact.version.rank for fact in facts_of(change(1, snapshot_taken()))}
