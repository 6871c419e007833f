from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.generators.telling import (
    ACCOUNT,
    DENY_LEAVING,
    DENY_STOPPING,
    FULL_ACCESS_ID,
    MANAGEMENT,
    ORGANIZATION,
    OTHER_ACCOUNT,
    OTHER_OU,
    OU,
    POLICY,
    ROOT,
    SCP,
    at,
    change,
    deny,
    snapshot_document,
    snapshot_taken,
)

from rooftree.organization.changes import (
    AccountClosed,
    AccountCreated,
    AccountMoved,
    AccountRemoved,
    AccountUpdated,
    Change,
    OuCreated,
    OuDeleted,
    OuRenamed,
    PolicyAttached,
    PolicyCreated,
    PolicyDetached,
    PolicyTypeDisabled,
    PolicyTypeEnabled,
    PolicyUpdated,
    SnapshotTaken,
)
from rooftree.organization.export import take_snapshot
from rooftree.organization.snapshot_reader import parse_snapshot
from rooftree.policy.document import canonical_text
from rooftree.view.audit import seal
from rooftree.view.patch import GENESIS, Departure, Patch, Position
from rooftree.view.projection import OrganizationView

DENY_TWICE: Any = deny("organizations:LeaveOrganization")


def small(*changes: Change) -> OrganizationView:
    """The view of the small organization, after some changes."""
    view = OrganizationView.load(ORGANIZATION)
    for one in (change(1, snapshot_taken()), *changes):
        view.apply(one)
    return view


def told(patch: Patch) -> dict[str, str | None]:
    """The verdict on each account that a patch tells of."""
    return {event.account_id or "": event.verdict for event in patch.audit}


def test_an_audit_event_says_what_the_contract_says() -> None:
    """Every field has its place, and nothing else is there."""
    view = small()
    patch = view.apply(change(2, PolicyAttached(POLICY, OU), event_id="attached"))
    (event,) = patch.audit
    data: Any = dict(event.data)
    (decision,) = data.pop("changes")
    assert {"previous": GENESIS, "this": event.data["chain_hash"]["this"]} == data.pop("chain_hash")  # type: ignore[index]
    assert {
        "organization_id": ORGANIZATION,
        "account_id": ACCOUNT,
        "account_name": "shop-prod",
        "path": [ROOT, OU, ACCOUNT],
        "cause": {
            "event_id": "attached",
            "event_type": "rooftree.policy.attached.v1",
            "time": "2026-01-05T08:00:02Z",
            "actor": "arn:aws:iam::111111111111:user/alice",
            "summary": "DenyLeaving attached to Workloads",
            "names": {POLICY: "DenyLeaving", OU: "Workloads"},
        },
        "verdict": "tightened",
        "probes": [],
        "organization_revision": 1,
        "complete": True,
    } == data
    assert ("denied", "allow", "explicit_deny") == (decision["direction"], decision["before"], decision["after"])
    assert "organizations:LeaveOrganization" == decision["witness"]["action"]
    assert (POLICY, OU) == (decision["statements"][0]["policy_id"], decision["statements"][0]["target_id"])
    assert ("rooftree.decision.changed.v1", at(2), ACCOUNT) == (event.type, event.time, event.key)


def test_an_attachment_at_the_root_is_one_revision_with_a_part_an_account() -> None:
    """Accounts come in the order of their ids; the management account is not limited and not told of."""
    patch = small().apply(change(2, PolicyAttached(POLICY, ROOT)))
    parts = [(event.account_id, event.revision, event.part, event.parts) for event in patch.audit]
    assert [(ACCOUNT, 1, 1, 2), (OTHER_ACCOUNT, 1, 2, 2)] == parts


def test_each_event_seals_the_one_before() -> None:
    """The hash chain runs through the parts of a revision and on to the next."""
    view = small()
    events = [
        *view.apply(change(2, PolicyAttached(POLICY, ROOT))).audit,
        *view.apply(change(3, PolicyDetached(POLICY, ROOT))).audit,
    ]
    previous = GENESIS
    for event in events:
        this = seal(previous, event.data)
        assert {"previous": previous, "this": this} == event.data["chain_hash"]
        previous = this
    assert (2, previous) == (view.position.revision, view.position.chain_hash)


@pytest.mark.parametrize(
    ("data", "edited"),
    [
        (PolicyUpdated(POLICY, content=DENY_LEAVING), "the same text"),
        (PolicyUpdated(POLICY, name="Stay"), "another name"),
        (PolicyUpdated(POLICY, content=canonical_text(deny("Organizations:LEAVEOrganization"))), "another spelling"),
        (
            PolicyUpdated(
                POLICY,
                content=canonical_text({"Statement": [*DENY_TWICE["Statement"], *DENY_TWICE["Statement"]]}),
            ),
            "the statement twice",
        ),
        (AccountUpdated(ACCOUNT, name="shop"), "the name of an account"),
        (AccountClosed(ACCOUNT), "a closure"),
        (OuRenamed(OU, "Work"), "the name of a unit"),
        (OuCreated("ou-ab12-cccccccc", OU, "Inner"), "a unit without accounts"),
        (PolicyCreated("p-another00", SCP, "Another", DENY_STOPPING), "a policy that hangs nowhere"),
        (PolicyAttached("p-unknown000", OU), "a policy that nobody knows"),
        (PolicyAttached(POLICY, OTHER_OU), "a policy on an empty unit"),
        (PolicyAttached(POLICY, MANAGEMENT), "a policy on the management account"),
        (PolicyTypeEnabled("RESOURCE_CONTROL_POLICY"), "another policy type"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_change_that_changes_no_decision_is_silent(data: Any, edited: str) -> None:
    """Whatever was edited, without another decision there is no audit event and no revision."""
    view = small(change(2, PolicyAttached(POLICY, OU)))
    assert ((), 1) == (view.apply(change(3, data)).audit, view.position.revision)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([PolicyAttached(POLICY, OU)], "tightened"),
        ([PolicyAttached(POLICY, OU), PolicyDetached(POLICY, OU)], "loosened"),
        ([PolicyAttached(POLICY, OU), PolicyUpdated(POLICY, content=DENY_STOPPING)], "mixed"),
        ([PolicyDetached(FULL_ACCESS_ID, ACCOUNT)], "tightened"),
        ([PolicyTypeDisabled(SCP)], None),
        ([PolicyAttached(POLICY, OU), PolicyTypeDisabled(SCP)], "loosened"),
        ([PolicyAttached(POLICY, OTHER_OU), AccountMoved(ACCOUNT, parent_id=OTHER_OU)], "tightened"),
    ],
    ids=["attach", "detach", "rewrite", "full access taken", "nothing to lift", "type disabled", "move"],
)
def test_the_last_change_has_a_verdict(changes: list[Any], expected: str | None) -> None:
    """Tightened, loosened, or both at once."""
    view = small()
    patches = [view.apply(change(2 + index, data)) for index, data in enumerate(changes)]
    assert expected == told(patches[-1]).get(ACCOUNT)


def test_a_move_there_and_back_ends_where_it_began() -> None:
    """Both ways are told, and the row is the same but for its cause."""
    view = small(change(2, PolicyAttached(POLICY, OU)))
    before = view.accounts[ACCOUNT]
    there = view.apply(change(3, AccountMoved(ACCOUNT, parent_id=OTHER_OU)))
    back = view.apply(change(4, AccountMoved(ACCOUNT, parent_id=OU)))
    assert ({ACCOUNT: "loosened"}, {ACCOUNT: "tightened"}) == (told(there), told(back))
    after = view.accounts[ACCOUNT]
    assert (before.chain_id, before.permissions_id, before.path) == (after.chain_id, after.permissions_id, after.path)
    cause: Any = back.audit[0].data["cause"]
    assert "shop-prod moved from Sandbox to Workloads" == cause["summary"]


def test_an_account_that_appears_is_not_told_of() -> None:
    """It had no decisions that could have changed; its row is written."""
    patch = small(change(2, PolicyAttached(POLICY, OU))).apply(change(3, AccountCreated("444444444444", parent_id=OU)))
    assert ((), ["444444444444"]) == (patch.audit, [row.account_id for row in patch.accounts])


def test_an_account_that_leaves_departs_without_a_word() -> None:
    """Its row ends at the time of the event."""
    patch = small().apply(change(3, AccountRemoved(ACCOUNT), event_id="removed"))
    assert ((), (Departure(ACCOUNT, at(3), "removed"),)) == (patch.audit, patch.departed)


def test_a_departure_does_not_end_a_row_before_its_start() -> None:
    """A removal that is delivered after later changes ends the row where that began."""
    view = small(change(5, PolicyAttached(POLICY, ACCOUNT)))
    assert at(5) == view.apply(change(3, AccountRemoved(ACCOUNT))).departed[0].until


def test_a_row_starts_at_its_cause_but_never_before_the_row_it_replaces() -> None:
    """Late events cannot reach behind what was already said to hold."""
    view = small(change(5, AccountUpdated(ACCOUNT, name="shop")))
    assert (at(5), at(1)) == (view.accounts[ACCOUNT].since, view.accounts[OTHER_ACCOUNT].since)
    view.apply(change(3, AccountClosed(ACCOUNT), event_id="closed"))
    row = view.accounts[ACCOUNT]
    assert (at(5), "closed", "CLOSED") == (row.since, row.cause_event_id, row.status)


def test_an_account_that_loses_its_place_is_silent_until_it_has_one_again() -> None:
    """What was told last is remembered, and compared with what holds in the new place."""
    view = small(change(2, PolicyAttached(POLICY, OU)))
    reported = view.accounts[ACCOUNT].chain_id
    lost = view.apply(change(3, AccountMoved(ACCOUNT, parent_id="ou-ab12-zzzzzzzz")))
    row = view.accounts[ACCOUNT]
    assert ((), False, None, None, (ACCOUNT,)) == (
        lost.audit,
        row.placed,
        row.chain_id,
        row.permissions_id,
        row.path,
    )
    assert reported == row.reported_chain_id
    found = view.apply(change(4, OuCreated("ou-ab12-zzzzzzzz", ROOT, "Late")))
    assert {ACCOUNT: "loosened"} == told(found)


def test_a_place_that_decides_the_same_is_found_in_silence() -> None:
    """An account whose unit was unknown for a while lost nothing."""
    view = small(change(3, AccountMoved(ACCOUNT, parent_id="ou-ab12-zzzzzzzz")))
    patch = view.apply(change(2, OuCreated("ou-ab12-zzzzzzzz", ROOT)))
    assert ((), True) == (patch.audit, view.accounts[ACCOUNT].placed)


def test_a_deleted_unit_takes_the_place_of_its_accounts() -> None:
    """The moves that emptied it are late."""
    view = small(change(2, OuDeleted(OU)))
    assert False is view.accounts[ACCOUNT].placed


def test_an_attachment_takes_effect_when_its_policy_is_told() -> None:
    """What comes in the wrong order ends as what came in the right one, with the last to come as its cause."""
    view = small(change(3, PolicyAttached("p-unknown000", OU)))
    patch = view.apply(change(2, PolicyCreated("p-unknown000", SCP, "Late", DENY_STOPPING)))
    cause: Any = patch.audit[0].data["cause"]
    assert ({ACCOUNT: "tightened"}, "Late created") == (told(patch), cause["summary"])


def test_late_news_that_others_overrule_does_nothing() -> None:
    """An attachment of before a detachment that is known already is no change."""
    view = small(change(5, PolicyDetached(POLICY, OU)))
    assert Patch(ORGANIZATION, view.position) == view.apply(change(4, PolicyAttached(POLICY, OU)))


def test_a_snapshot_tells_one_net_change_an_account() -> None:
    """Whatever was lost in between, each account is compared once."""
    view = small(change(2, PolicyAttached(POLICY, OU)))
    document: Any = snapshot_document()
    document["attachments"].append({"policy_id": POLICY, "target_id": ROOT})
    document["policies"][0]["content"] = deny("organizations:LeaveOrganization", "cloudtrail:StopLogging")
    patch = view.apply(change(9, SnapshotTaken(parse_snapshot(document))))
    assert {ACCOUNT: "tightened", OTHER_ACCOUNT: "tightened"} == told(patch)
    cause: Any = patch.audit[0].data["cause"]
    assert "found by reconciliation with a snapshot" == cause["summary"]


def test_a_snapshot_lets_accounts_depart_that_it_does_not_have() -> None:
    """The event of their removal was lost."""
    document: Any = snapshot_document()
    document["accounts"] = document["accounts"][:1]
    document["attachments"] = document["attachments"][:3]
    patch = small().apply(change(9, SnapshotTaken(parse_snapshot(document))))
    assert [ACCOUNT, OTHER_ACCOUNT] == [departure.account_id for departure in patch.departed]


def test_a_record_that_cannot_be_processed_marks_the_view() -> None:
    """The mark is an event with a revision of its own, and decisions told from then on say that they may be wrong."""
    view = small()
    patch = view.mark_incomplete(source="rooftree.changes", cause_id="0:7", time=at(3), reason="no JSON")
    (event,) = patch.audit
    assert ("rooftree.organization.incomplete.v1", 1, None, ORGANIZATION) == (
        event.type,
        event.revision,
        event.account_id,
        event.key,
    )
    assert ("no JSON", "2026-01-05T08:00:03Z", False) == (
        event.data["reason"],
        event.data["incomplete_since"],
        event.data["complete"],
    )
    assert Position(1, view.position.chain_hash, at(3), at(3), "no JSON") == patch.position
    assert False is view.apply(change(4, PolicyAttached(POLICY, OU))).audit[0].data["complete"]


def test_more_missing_records_move_the_mark_without_a_word() -> None:
    """The view was incomplete already; a snapshot must now be later than the last of them."""
    view = small()
    view.mark_incomplete(source="rooftree.changes", cause_id="0:7", time=at(3), reason="no JSON")
    patch = view.mark_incomplete(source="rooftree.changes", cause_id="0:9", time=at(8), reason="too large")
    assert ((), at(3), at(8), "no JSON") == (
        patch.audit,
        patch.position.incomplete_since,
        patch.position.incomplete_until,
        patch.position.incomplete_reason,
    )


@pytest.mark.parametrize(("second", "expected"), [(7, False), (8, False), (9, True)])
def test_only_a_snapshot_later_than_what_is_missing_makes_the_view_complete(second: int, *, expected: bool) -> None:
    """What was taken before the missing change took effect does not hold it."""
    view = small()
    view.mark_incomplete(source="rooftree.changes", cause_id="0:7", time=at(8), reason="no JSON")
    view.apply(change(second, snapshot_taken()))
    assert expected is view.position.complete


def test_completeness_is_told_after_the_decisions_that_were_found() -> None:
    """Whoever reads that the view is complete has read all that was missing."""
    view = small()
    view.mark_incomplete(source="rooftree.changes", cause_id="0:7", time=at(3), reason="no JSON")
    document: Any = snapshot_document()
    document["attachments"].append({"policy_id": POLICY, "target_id": OU})
    patch = view.apply(change(9, SnapshotTaken(parse_snapshot(document)), event_id="found"))
    assert [
        ("rooftree.decision.changed.v1", 2, False),
        ("rooftree.organization.complete.v1", 3, True),
    ] == [(event.type, event.revision, event.data["complete"]) for event in patch.audit]
    assert Position(3, patch.audit[-1].data["chain_hash"]["this"]) == view.position  # type: ignore[index]
    assert ("2026-01-05T08:00:03Z", "no JSON") == (
        patch.audit[-1].data["incomplete_since"],
        patch.audit[-1].data["reason"],
    )
    assert [2] == [row.revision for row in patch.accounts]


def test_the_same_cause_makes_the_same_event_ids_in_any_view() -> None:
    """An id depends on the cause and the account, not on the revision or on what came before."""
    attached = change(2, PolicyAttached(POLICY, OU))
    one = small().apply(attached)
    other = small(change(2, PolicyAttached(POLICY, OTHER_ACCOUNT))).apply(attached)
    assert [event.event_id for event in one.audit] == [event.event_id for event in other.audit]
    assert [1, 2] == [one.audit[0].revision, other.audit[0].revision]


def test_one_event_has_different_ids_for_different_accounts() -> None:
    """Parts of one revision are events of their own."""
    patch = small().apply(change(2, PolicyAttached(POLICY, ROOT)))
    assert 2 == len({event.event_id for event in patch.audit})


def test_a_policy_that_names_an_account_binds_that_account_alone() -> None:
    """Accounts of one chain differ where the policy asks for their id."""
    content = deny("s3:*")
    content["Statement"][0]["Condition"] = {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}  # type: ignore[index]
    view = small(
        change(2, AccountCreated("444444444444", parent_id=OU)),
        change(3, PolicyUpdated(POLICY, content=canonical_text(content))),
    )
    assert {ACCOUNT: "tightened"} == told(view.apply(change(4, PolicyAttached(POLICY, OU))))


def test_a_policy_that_names_a_path_binds_whoever_moves_there() -> None:
    """Where the account is enters its decisions by what its requests carry."""
    content = deny("s3:*")
    content["Statement"][0]["Condition"] = {  # type: ignore[index]
        "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORGANIZATION}/{ROOT}/{OTHER_OU}/*"}
    }
    view = small(
        change(2, PolicyUpdated(POLICY, content=canonical_text(content))), change(3, PolicyAttached(POLICY, ROOT))
    )
    assert 0 == view.position.revision
    assert {ACCOUNT: "tightened"} == told(view.apply(change(4, AccountMoved(ACCOUNT, parent_id=OTHER_OU))))


def only_admin(partition: str) -> str:
    """A policy that denies all to all but one role."""
    content: Any = deny("*")
    content["Statement"][0]["Condition"] = {"ArnNotLike": {"aws:PrincipalArn": f"arn:{partition}:iam::*:role/Admin"}}
    return canonical_text(content)


def in_partition(partition: str | None) -> SnapshotTaken:
    """The small organization, with its partition told and without any change of what hangs where."""
    return SnapshotTaken(replace(parse_snapshot(snapshot_document()), partition=partition))


def decision(patch: Patch) -> Any:
    """The only change of decisions that a patch tells."""
    ((change_of_decisions,),) = [event.data["changes"] for event in patch.audit]  # type: ignore[misc]
    return change_of_decisions


def test_a_change_is_told_of_principals_in_the_partition_of_the_organization() -> None:
    """The role that is spared is one of the account's, and the example is another one of them."""
    view = OrganizationView.load(ORGANIZATION)
    for one in (in_partition("aws-us-gov"), PolicyUpdated(POLICY, content=only_admin("aws-us-gov"))):
        view.apply(change(1, one))
    told_change = decision(view.apply(change(2, PolicyAttached(POLICY, OU))))
    assert f"arn:aws-us-gov:iam::{ACCOUNT}:role/Example" == told_change["witness"]["context"]["aws:PrincipalArn"]
    assert ["arn:aws-us-gov:iam::*:role/Admin"] == [line["values"][0] for line in told_change["conditions"]]
    assert () == view.apply(change(3, PolicyUpdated(POLICY, content=only_admin("*")))).audit


def test_a_partition_that_is_told_late_changes_what_was_reported_wrongly() -> None:
    """A role that was taken for nobody's was said to be denied, and is told to be allowed once it is known better."""
    view = small(
        change(2, PolicyUpdated(POLICY, content=only_admin("aws-us-gov"))), change(3, PolicyAttached(POLICY, OU))
    )
    told_change = decision(view.apply(change(4, replaced_snapshot(view))))
    assert ("allowed", "explicit_deny", "allow") == tuple(
        told_change[name] for name in ("direction", "before", "after")
    )
    assert f"arn:aws-us-gov:iam::{ACCOUNT}:role/Admin" == told_change["witness"]["context"]["aws:PrincipalArn"]


def replaced_snapshot(view: OrganizationView) -> SnapshotTaken:
    """What the view knows, with the partition told."""
    return SnapshotTaken(replace(take_snapshot(view.organization), partition="aws-us-gov"))


def test_a_partition_that_changes_no_decision_is_learnt_in_silence() -> None:
    """Every account has another chain from then on, and no event."""
    view = small(change(2, PolicyAttached(POLICY, OU)))
    patch = view.apply(change(3, replaced_snapshot(view)))
    assert () == patch.audit
    assert {"aws-us-gov"} == {chain.partition for chain in patch.chains}
    assert {ACCOUNT, OTHER_ACCOUNT, MANAGEMENT} == {row.account_id for row in patch.accounts}


def test_another_name_of_a_policy_is_written_into_its_chains() -> None:
    """The chains keep their ids, and no row changes."""
    view = small(change(2, PolicyAttached(POLICY, OU)))
    patch = view.apply(change(3, PolicyUpdated(POLICY, name="Stay")))
    names = [policy.name for chain in patch.chains for level in chain.levels or () for policy in level.policies]
    assert ((), "Stay" in names) == (patch.accounts, True)
    assert {view.accounts[ACCOUNT].chain_id} <= {chain.chain_id for chain in patch.chains}


def test_permission_sets_are_written_once_and_named_with_every_row() -> None:
    """Verdicts come with sets that are new; a summary leaves a place for the account's id."""
    view = small()
    first = view.apply(change(2, PolicyAttached(POLICY, OU)))
    again = view.apply(change(3, AccountUpdated(ACCOUNT, name="shop")))
    (new,), (known,) = first.permission_sets, again.permission_sets
    assert new.permissions_id == known.permissions_id
    assert new.permissions == known.permissions
    assert None is known.verdicts
    assert new.verdicts is not None
    assert ("denied", "allowed") == (
        new.verdicts["organizations", "LeaveOrganization"],
        new.verdicts["cloudtrail", "StopLogging"],
    )
    assert ACCOUNT not in json.dumps(new.permissions)


def test_a_view_of_nothing_is_complete_and_empty() -> None:
    """An organization that nobody has spoken of has no rows."""
    view = OrganizationView.load(ORGANIZATION)
    assert ({}, Position(), True) == (view.accounts, view.position, view.position.complete)
