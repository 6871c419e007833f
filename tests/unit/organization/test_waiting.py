from __future__ import annotations

from tests.generators.telling import (
    ACCOUNT,
    DENY_STOPPING,
    ORGANIZATION,
    OU,
    SCP,
    at,
    change,
    snapshot_taken,
)

from rooftree.organization.changes import (
    AccountMoved,
    AccountUpdated,
    OuCreated,
    PolicyAttached,
    PolicyCreated,
)
from rooftree.organization.claims import facts_of
from rooftree.organization.tree import Organization
from rooftree.organization.waiting import Waiting, waiting

UNKNOWN_OU = "ou-ab12-zzzzzzzz"
UNKNOWN_POLICY = "p-unknown000"
STRANGER = "444444444444"


def test_what_refers_to_something_unknown_waits_for_it() -> None:
    """Attachments wait for their policy, accounts for their parent, and each says since when."""
    organization = Organization(ORGANIZATION, facts_of(change(1, snapshot_taken())))
    assert [] == waiting(organization)
    for one in (
        change(2, PolicyAttached(UNKNOWN_POLICY, OU)),
        change(3, AccountMoved(ACCOUNT, parent_id=UNKNOWN_OU)),
        change(4, AccountUpdated(STRANGER, name="stranger")),
    ):
        organization.merge(facts_of(one))
    assert [
        Waiting(ACCOUNT, UNKNOWN_OU, at(3)),
        Waiting(STRANGER, "", None),
        Waiting(OU, UNKNOWN_POLICY, at(2)),
    ] == waiting(organization)


def test_what_has_arrived_is_not_waited_for() -> None:
    """Nothing waits once all is told; policies of types that do not authorize have no document to wait for."""
    organization = Organization(ORGANIZATION, facts_of(change(1, snapshot_taken())))
    for one in (
        change(2, PolicyAttached(UNKNOWN_POLICY, OU)),
        change(2, PolicyAttached("p-tagging00", OU)),
        change(3, AccountMoved(ACCOUNT, parent_id=UNKNOWN_OU)),
        change(4, OuCreated(UNKNOWN_OU, OU)),
        change(5, PolicyCreated(UNKNOWN_POLICY, SCP, None, DENY_STOPPING)),
        change(5, PolicyCreated("p-tagging00", "TAG_POLICY")),
    ):
        organization.merge(facts_of(one))
    assert [] == waiting(organization)
