from __future__ import annotations

from dataclasses import replace

import pytest
from tests.generators.telling import ACCOUNT, ORGANIZATION, OTHER_OU, OU, POLICY, at, change, deny, snapshot_taken

from rooftree.contracts.principals import PrincipalSnapshotData, PrincipalUpdatedData
from rooftree.organization.changes import (
    AccountMoved,
    Change,
    ChangeData,
    PolicyAttached,
    PolicyDetached,
    PrincipalDeleted,
    PrincipalUpdated,
    RereadAnswered,
    RereadAsked,
)
from rooftree.organization.rereads import RereadRequest
from rooftree.view.projection import OrganizationView

ASKED = RereadRequest("policy", POLICY, "its content was not told", doubtful=True)


def told(second: int, data: ChangeData, event_id: str, *, sequence: str = "1") -> Change:
    """
    A change as AWS tells it.
    """
    return replace(change(second, data, event_id=event_id), sequence=sequence, by_the_second=True)


def seen(*changes: Change) -> OrganizationView:
    """
    The view after changes.
    """
    view = OrganizationView.load(ORGANIZATION)
    for one in (change(1, snapshot_taken()), *changes):
        view.apply(one)
    return view


def open_after(*changes: Change) -> dict[tuple[str, str], bool]:
    """
    What is to be read anew after changes, and whether it is doubtful.
    """
    view = OrganizationView.load(ORGANIZATION)
    found: dict[tuple[str, str], bool] = {}
    for one in (change(1, snapshot_taken()), *changes):
        patch = view.apply(one)
        found = {key: doubtful for key, doubtful in found.items() if key not in patch.rereads.gone}
        found.update({reread.request.key: reread.request.doubtful for reread in patch.rereads.open})
    return found


def test_what_is_asked_for_makes_the_view_incomplete_if_decisions_may_be_wrong() -> None:
    """
    A name that is not known does not.
    """
    name = RereadRequest("account", ACCOUNT, "its name is masked", doubtful=False)
    view = seen(change(2, RereadAsked((name,))))
    assert view.position.complete

    patch = view.apply(told(3, RereadAsked((ASKED,)), "asked"))

    assert view.in_doubt
    assert [ASKED] == [one.request for one in patch.rereads.open]
    assert ["rooftree.organization.incomplete.v1"] == [event.type for event in patch.audit]
    cause = patch.audit[0].data["cause"]
    assert isinstance(cause, dict)
    assert ("asked", "2026-01-05T08:00:03Z", "arn:aws:iam::111111111111:user/alice") == (
        cause["event_id"],
        cause["time"],
        cause["actor"],
    )
    assert at(4) > (view.position.incomplete_until or at(9)) > at(3) == view.position.incomplete_since
    assert "policy p-examplepol is to be read again: its content was not told" == view.position.incomplete_reason


@pytest.mark.parametrize(("second", "answered"), [(3, False), (4, True)])
def test_only_what_is_read_after_the_second_of_the_event_answers(second: int, *, answered: bool) -> None:
    """
    The event may have happened at the end of its second.
    """
    view = seen(told(3, RereadAsked((ASKED,)), "asked"))
    patch = view.apply(change(second, RereadAnswered("policy", POLICY)))

    assert answered == (not view.in_doubt)
    assert ((("policy", POLICY),) if answered else ()) == patch.rereads.gone


def test_a_later_request_stays_open() -> None:
    """
    An answer is only as late as what was read.
    """
    view = seen(told(3, RereadAsked((ASKED,)), "a"), told(8, RereadAsked((ASKED,)), "b"))
    view.apply(change(5, RereadAnswered("policy", POLICY)))

    assert view.in_doubt


def test_snapshots_answer_what_they_name() -> None:
    """
    One of the organization all but principals, and one of an account's principals these.
    """
    principal = RereadRequest("principal", f"{ACCOUNT}/role/deploy", "why", doubtful=False)
    asked = told(3, RereadAsked((ASKED, principal)), "asked")
    data = {"organization_id": ORGANIZATION, "account_id": ACCOUNT, "principals": []}
    principals = change(6, PrincipalSnapshotData.model_validate(data).to_change())

    assert {principal.key: False} == open_after(asked, change(5, snapshot_taken()))
    assert {ASKED.key: True} == open_after(asked, principals)
    assert seen(asked, change(5, snapshot_taken())).position.complete


@pytest.mark.parametrize("turned", [False, True])
def test_contradictions_within_one_second_are_read_anew(*, turned: bool) -> None:
    """
    Whichever of the two comes first.
    """
    pair = [told(3, PolicyAttached(POLICY, OU), "b"), told(3, PolicyDetached(POLICY, OU), "a")]
    moves = [
        told(3, AccountMoved(ACCOUNT, parent_id=OU), "b"),
        told(3, AccountMoved(ACCOUNT, parent_id=OTHER_OU), "a"),
    ]

    assert {("attachments", OU): True} == open_after(*(reversed(pair) if turned else pair))
    assert {("account", ACCOUNT): True} == open_after(*(reversed(moves) if turned else moves))


def test_no_contradiction_is_seen_where_there_is_none() -> None:
    """
    The same told twice, other seconds, and changes that know their order.
    """
    attached = told(3, PolicyAttached(POLICY, OU), "a")

    assert {} == open_after(attached, told(3, PolicyAttached(POLICY, OU), "b"))
    assert {} == open_after(attached, told(4, PolicyDetached(POLICY, OU), "b"))
    assert {} == open_after(attached, told(3, PolicyDetached(POLICY, OU), "b", sequence="2"))
    assert {} == open_after(attached, replace(told(3, PolicyDetached(POLICY, OU), "b"), by_the_second=False))


@pytest.mark.parametrize("turned", [False, True])
def test_a_principal_made_and_deleted_within_one_second_is_read_anew(*, turned: bool) -> None:
    """
    Names are used again, so either may have been the last.
    """
    created = told(3, PrincipalUpdated(ACCOUNT, "role/deploy", {"path": "/a/"}, created=True), "a")
    deleted = told(3, PrincipalDeleted(ACCOUNT, "role/deploy"), "b")
    put = told(3, PrincipalUpdated(ACCOUNT, "role/deploy", {"tag/a": "b"}), "c")

    pair = (created, deleted)
    assert {("principal", f"{ACCOUNT}/role/deploy"): False} == open_after(*(reversed(pair) if turned else pair))
    assert {} == open_after(created, put)
    assert {} == open_after(put, deleted)


def test_a_policy_whose_document_nobody_has_told_is_asked_for() -> None:
    """
    Once it is attached or a boundary, and as long as it is not known.
    """
    aws, own = "arn:aws:iam::aws:policy/ReadOnlyAccess", f"arn:aws:iam::{ACCOUNT}:policy/Own"
    attached = PrincipalUpdated(ACCOUNT, "role/deploy", {f"attached_policy/{aws}": True, "permissions_boundary": own})
    detached = PrincipalUpdated(ACCOUNT, "role/deploy", {f"attached_policy/{aws}": False, "permissions_boundary": None})
    data = {"organization_id": ORGANIZATION, "account_id": ACCOUNT}
    policy = {"arn": own, "default_version": "v1", "versions": {"v1": deny("s3:GetObject")}}
    known = change(2, PrincipalUpdatedData.model_validate({**data, "managed_policy": policy}).to_change())
    both = {("principal", f"{ACCOUNT}/policy/{arn}"): False for arn in (aws, own)}

    assert both == open_after(told(3, attached, "a"))
    assert {("principal", f"{ACCOUNT}/policy/{aws}"): False} == open_after(known, told(3, attached, "a"))
    assert {} == open_after(told(3, detached, "a"))
    assert {} == open_after(replace(told(3, attached, "a"), by_the_second=False))


def test_a_new_principal_has_nothing_of_one_of_the_same_name() -> None:
    """
    The event that deleted it may be lost.
    """
    data = {"organization_id": ORGANIZATION, "account_id": ACCOUNT}
    old = {"kind": "user", "name": "alice", "tags": {"team": "red"}}
    view = seen(
        change(2, PrincipalUpdatedData.model_validate({**data, "principal": old}).to_change()),
        told(3, PrincipalUpdated(ACCOUNT, "user/alice", {"path": "/new/"}, created=True), "created"),
    )
    found = view.principals.directory.find(ACCOUNT, "user", "alice")

    assert found is not None
    assert ("/new/", ()) == (found.principal.path, found.principal.tags)
