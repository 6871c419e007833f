from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.generators.telling import (
    ACCOUNT,
    MANAGEMENT,
    ORGANIZATION,
    OTHER_OU,
    OU,
    POLICY,
    ROOT,
    change,
    deny,
    snapshot_taken,
)

from rooftree.contracts.audit import AuditEnvelope
from rooftree.contracts.encoding import encode_audit_event
from rooftree.contracts.principals import PrincipalDeletedData, PrincipalSnapshotData, PrincipalUpdatedData
from rooftree.organization.changes import (
    AccountMoved,
    Change,
    PolicyAttached,
    PolicyCreated,
    PolicyDetached,
    PolicyTypeEnabled,
    PolicyUpdated,
    SnapshotTaken,
)
from rooftree.organization.export import take_snapshot
from rooftree.organization.identifiers import RESOURCE_CONTROL_POLICY
from rooftree.policy.document import canonical_text
from rooftree.view.patch import Patch
from rooftree.view.projection import OrganizationView

Told = dict[str, Any]


def allow(actions: object, resources: object = "*", **elements: object) -> Told:
    """A policy that allows actions."""
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources, **elements}
    return {"Version": "2012-10-17", "Statement": [statement]}


def role(name: str, document: Told | None = None, **told: object) -> Told:
    """A role with one policy."""
    return {"kind": "role", "name": name, "inline_policies": {"main": document} if document else {}, **told}


def arn(name: str, kind: str = "role") -> str:
    """The ARN of a principal of the account."""
    return f"arn:aws:iam::{ACCOUNT}:{kind}/{name}"


def snapshot(second: int, *principals: Told, policies: tuple[Told, ...] = (), account: str = ACCOUNT) -> Change:
    """All principals of an account."""
    data = {"organization_id": ORGANIZATION, "account_id": account, "principals": [*principals]}
    return change(second, PrincipalSnapshotData.model_validate({**data, "managed_policies": [*policies]}).to_change())


def updated(second: int, **told: object) -> Change:
    """A change about a principal or a policy of the account."""
    data = {"organization_id": ORGANIZATION, "account_id": ACCOUNT, **told}
    return change(second, PrincipalUpdatedData.model_validate(data).to_change())


def deleted(second: int, **told: object) -> Change:
    """A principal or a policy of the account is gone."""
    data = {"organization_id": ORGANIZATION, "account_id": ACCOUNT, **told}
    return change(second, PrincipalDeletedData.model_validate(data).to_change())


def view_of(*changes: Change, denial: Told | None = None) -> OrganizationView:
    """The view of the small organization, whose policy denies something."""
    view = OrganizationView.load(ORGANIZATION)
    written = PolicyUpdated(POLICY, content=canonical_text(denial or deny("s3:GetObject")))
    for one in (change(1, snapshot_taken()), change(2, written), *changes):
        view.apply(one)
    return view


def data_of(patch: Patch, index: int = 0) -> Any:
    """The data of one audit event, held to its contract."""
    return AuditEnvelope.model_validate_json(encode_audit_event(patch.audit[index])).data


def touched(patch: Patch) -> dict[str, str]:
    """Each principal that is touched, with what becomes of it."""
    return {name: group.verdict for group in data_of(patch).principals.touched for name in group.arns}


def counts(patch: Patch) -> tuple[int, int, int]:
    """How many principals are touched, untouched and unknown."""
    impact = data_of(patch).principals
    return impact.touched_count, impact.untouched_count, impact.unknown_count


def attached(view: OrganizationView, target: str = OU) -> Patch:
    """What happens when the policy is attached."""
    return view.apply(change(50, PolicyAttached(POLICY, target)))


def test_only_those_who_were_allowed_lose_something() -> None:
    """Each has a request that was allowed and is denied now; the others are counted."""
    view = view_of(
        snapshot(
            3,
            role("reader", allow("s3:Get*", "arn:aws:s3:::shop/*")),
            role("writer", allow("s3:Put*")),
            role("idle"),
            {"kind": "group", "name": "admins", "inline_policies": {"main": allow("*")}},
            {"kind": "user", "name": "alice", "groups": ["admins"]},
        )
    )
    patch = attached(view)
    assert {arn("reader"): "tightened", arn("alice", "user"): "tightened"} == touched(patch)
    assert (2, 2, 0) == counts(patch)
    groups = {name: group.changes for group in data_of(patch).principals.touched for name in group.arns}
    (reader,) = groups[arn("reader")]
    assert ("denied", "allow", "explicit_deny") == (reader.direction, reader.before, reader.after)
    assert ("s3:GetObject", "arn:aws:s3:::shop/") == (reader.witness.action, reader.witness.resource[:18])


def test_what_was_lost_is_gained_again() -> None:
    """A detachment touches the same principals the other way."""
    view = view_of(snapshot(3, role("reader", allow("s3:*")), role("writer", allow("sqs:*"))))
    attached(view)
    patch = view.apply(change(51, PolicyDetached(POLICY, OU)))
    assert {arn("reader"): "loosened"} == touched(patch)


def test_roles_that_differ_in_their_resources_alone_are_told_with_their_own() -> None:
    """What shows a loss for one of them shows it for the next, on the next one's resource."""
    names = [f"app-{number}" for number in range(5)]
    view = view_of(snapshot(3, *(role(name, allow("s3:*", f"arn:aws:s3:::{name}/*")) for name in names)))
    groups = data_of(attached(view)).principals.touched
    assert [[arn(name)] for name in names] == [group.arns for group in groups]
    assert [f"arn:aws:s3:::{name}" for name in names] == [
        group.changes[0].witness.resource.partition("/")[0] for group in groups
    ]


def test_a_boundary_limits_what_there_is_to_lose() -> None:
    """What the boundary leaves out was never allowed."""
    limit = {"arn": f"arn:aws:iam::{ACCOUNT}:policy/Limit", "default_version": "v1"}
    view = view_of(
        snapshot(
            3,
            role("free", allow("*")),
            role("bounded", allow("*"), permissions_boundary=limit["arn"]),
            role("bounded-to-it", allow("s3:*"), permissions_boundary=limit["arn"].replace("Limit", "Wide")),
            policies=(
                {**limit, "versions": {"v1": allow("ec2:*")}},
                {**limit, "arn": limit["arn"].replace("Limit", "Wide"), "versions": {"v1": allow(["s3:Get*"])}},
            ),
        )
    )
    patch = attached(view)
    assert {arn("free"): "tightened", arn("bounded-to-it"): "tightened"} == touched(patch)
    assert (2, 1, 0) == counts(patch)


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov"])
def test_principals_are_touched_by_the_arns_that_they_have(partition: str) -> None:
    """Whatever is known of the partition of the organization: here nothing is told of it, and then the right thing."""
    excepted = deny("s3:GetObject")
    excepted["Statement"][0]["Condition"] = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws-us-gov:iam::*:role/Admin"}}  # type: ignore[index]
    there = f"arn:aws-us-gov:iam::{ACCOUNT}:role"
    principals = (role(name, allow("*"), arn=f"{there}/{name}") for name in ("Admin", "Other"))
    view = view_of(snapshot(3, *principals), denial=excepted)
    whole = replace(take_snapshot(view.organization), partition=partition)
    view.apply(change(40, SnapshotTaken(whole)))
    patch = attached(view)
    assert {f"{there}/Other": "tightened"} == touched(patch)
    assert (1, 1, 0) == counts(patch)


def test_a_partition_that_is_told_late_touches_nobody_who_is_known() -> None:
    """What was reported of the account is set right; each role was decided by its own ARN all the time."""
    excepted = deny("s3:GetObject")
    excepted["Statement"][0]["Condition"] = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws-us-gov:iam::*:role/Admin"}}  # type: ignore[index]
    there = f"arn:aws-us-gov:iam::{ACCOUNT}:role"
    principals = (role(name, allow("*"), arn=f"{there}/{name}") for name in ("Admin", "Other"))
    view = view_of(snapshot(3, *principals), denial=excepted)
    attached(view)
    patch = view.apply(change(60, SnapshotTaken(replace(take_snapshot(view.organization), partition="aws-us-gov"))))
    assert "loosened" == data_of(patch).verdict
    assert ({}, (0, 2, 0)) == (touched(patch), counts(patch))


def test_principals_that_the_policy_excepts_are_untouched() -> None:
    """Equal policies and other names: each pattern for principals is held to each ARN."""
    excepted = deny("s3:GetObject")
    excepted["Statement"][0]["Condition"] = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/break-glass/*"}}  # type: ignore[index]
    view = view_of(
        snapshot(
            3,
            role("one", allow("*")),
            role("two", allow("*")),
            role("three", allow("*"), path="/break-glass/"),
            role("AWSServiceRoleForX", allow("*"), path="/aws-service-role/x.amazonaws.com/"),
        ),
        denial=excepted,
    )
    patch = attached(view)
    (group,) = data_of(patch).principals.touched
    assert ([arn("one"), arn("two")], (2, 2, 0)) == (sorted(group.arns), counts(patch))


def test_conditions_of_a_principals_own_policies_count() -> None:
    """Who may do it in one region only loses nothing in the others."""
    elsewhere = deny("s3:GetObject")
    elsewhere["Statement"][0]["Condition"] = {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}  # type: ignore[index]
    here = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    view = view_of(
        snapshot(3, role("everywhere", allow("s3:*")), role("here", allow("s3:*", Condition=here))), denial=elsewhere
    )
    assert {arn("everywhere"): "tightened"} == touched(attached(view))


@pytest.mark.parametrize("variable", ["${aws:username}", "${AWS:UserName }"])
def test_the_name_of_a_user_is_filled_in(variable: str) -> None:
    """A folder of one's own is a resource that is known; a role has no name to fill in."""
    own = allow("s3:*", f"arn:aws:s3:::home/{variable}/*")
    view = view_of(
        snapshot(3, {"kind": "user", "name": "alice", "inline_policies": {"main": own}}, role("deploy", own))
    )
    patch = attached(view)
    (group,) = data_of(patch).principals.touched
    assert ([arn("alice", "user")], (1, 1, 0)) == (group.arns, counts(patch))
    assert group.changes[0].witness.resource.startswith("arn:aws:s3:::home/alice/")


def test_a_default_stands_in_for_the_name_that_a_role_lacks() -> None:
    """As the variable says, with wildcards as plain characters."""
    own = allow("s3:*", "arn:aws:s3:::home/${aws:username, 'a*'}/*")
    view = view_of(
        snapshot(3, {"kind": "user", "name": "alice", "inline_policies": {"main": own}}, role("deploy", own))
    )
    groups = data_of(attached(view)).principals.touched
    assert {
        arn("alice", "user"): "arn:aws:s3:::home/alice",
        arn("deploy"): "arn:aws:s3:::home/a*",
    } == {group.arns[0]: group.changes[0].witness.resource.rpartition("/")[0] for group in groups}


def test_policies_that_are_not_known_are_counted_apart() -> None:
    """Nobody is said to be untouched on a guess."""
    view = view_of(snapshot(3, role("deploy", attached_policies=["arn:aws:iam::aws:policy/ReadOnlyAccess"])))
    assert (0, 0, 1) == counts(attached(view))


def test_without_principals_nothing_is_said_of_them() -> None:
    """An account of which nothing was imported, and one that has nobody, are not the same."""
    assert data_of(attached(view_of())).principals is None
    assert (0, 0, 0) == counts(attached(view_of(snapshot(3))))


def test_a_move_touches_whom_the_new_chain_binds() -> None:
    """Levels above may differ in all that they hold."""
    view = view_of(
        change(3, PolicyAttached(POLICY, OTHER_OU)),
        snapshot(4, role("reader", allow("s3:*")), role("writer", allow("sqs:*"))),
    )
    patch = view.apply(change(50, AccountMoved(ACCOUNT, parent_id=OTHER_OU)))
    assert ({arn("reader"): "tightened"}, (1, 1, 0)) == (touched(patch), counts(patch))


def test_a_change_of_a_principals_own_policies_is_told() -> None:
    """With the requests that it gains, by what, and a request that shows it."""
    view = view_of(snapshot(3, role("deploy")))
    patch = view.apply(updated(4, principal=role("deploy", allow("s3:*", "arn:aws:s3:::shop/*"))))
    data = data_of(patch)
    (told,) = data.changes
    assert ("rooftree.principal.decision.changed.v1", ACCOUNT, "loosened") == (
        patch.audit[0].type,
        patch.audit[0].account_id,
        patch.audit[0].verdict,
    )
    assert (arn("deploy"), ["s3:*"], ["arn:aws:s3:::shop/*"]) == (
        data.principal.arn,
        told.actions.any_of,
        told.resources.any_of,
    )
    assert ("implicit_deny", "allow") == (told.before, told.after)
    assert [("role/deploy:main", "identity")] == [(one.policy_id, one.target_id) for one in told.statements]
    assert "aws:PrincipalArn" not in told.witness.context


def test_what_the_account_may_not_do_no_principal_gains() -> None:
    """Its own policy allows it, and the account's ceiling does not."""
    view = view_of(change(3, PolicyAttached(POLICY, OU)), snapshot(4, role("deploy")))
    assert () == view.apply(updated(5, principal=role("deploy", allow("s3:GetObject")))).audit
    patch = view.apply(updated(6, principal=role("deploy", allow("s3:Get*"))))
    (told,) = data_of(patch).changes
    assert (["s3:Get*"], ["s3:GetObject"]) == (told.actions.any_of, told.actions.none_of)


@pytest.mark.parametrize(
    ("told", "verdicts"),
    [
        ({"permissions_boundary": "arn:aws:iam::aws:policy/Limit"}, {"deploy": "tightened"}),
        ({"attached_policies": {"arn:aws:iam::aws:policy/Limit": True}}, {}),
        ({"inline_policies": {"main": None}}, {"deploy": "tightened"}),
        ({"inline_policies": {"main": allow("s3:*", Sid="Renamed")}}, {}),
        ({"tags": {"team": "red"}, "trust_policy": None}, {}),
    ],
)
def test_every_part_of_what_a_principal_has_counts(told: Told, verdicts: dict[str, str]) -> None:
    """What alters no decision is silent."""
    limit = {"arn": "arn:aws:iam::aws:policy/Limit", "default_version": "v1", "versions": {"v1": allow("s3:Get*")}}
    view = view_of(snapshot(3, role("deploy", allow("s3:*")), policies=(limit,)))
    patch = view.apply(updated(4, principal={"kind": "role", "name": "deploy", **told}))
    assert verdicts == {event.data["principal"]["name"]: event.verdict for event in patch.audit}  # type: ignore[index]


def test_a_managed_policy_touches_all_who_have_it() -> None:
    """One event each, as the parts of one revision."""
    own = {"arn": f"arn:aws:iam::{ACCOUNT}:policy/Own"}
    view = view_of(
        snapshot(
            3,
            *(role(name, attached_policies=[own["arn"]]) for name in ("one", "two")),
            role("other", allow("s3:*")),
            policies=({**own, "default_version": "v1", "versions": {"v1": allow("s3:*"), "v2": allow("sqs:*")}},),
        )
    )
    patch = view.apply(updated(4, managed_policy={**own, "default_version": "v2"}))
    assert [("one", "mixed", 1, 1, 2), ("two", "mixed", 1, 2, 2)] == [
        (event.data["principal"]["name"], event.verdict, event.revision, event.part, event.parts)  # type: ignore[index]
        for event in patch.audit
    ]
    assert 2 == len({event.event_id for event in patch.audit})


def test_a_principal_that_comes_or_goes_is_told_once_all_are_known() -> None:
    """The first import tells nothing; whoever is new after it could do nothing before."""
    view = view_of()
    assert () == view.apply(snapshot(3, role("old", allow("s3:*")))).audit
    (event,) = view.apply(snapshot(4, role("old", allow("s3:*")), role("new", allow("sqs:*")))).audit
    assert ("new", "loosened") == (event.data["principal"]["name"], event.verdict)  # type: ignore[index]
    (event,) = view.apply(deleted(5, principal={"kind": "role", "name": "old"})).audit
    assert ("old", "tightened") == (event.data["principal"]["name"], event.verdict)  # type: ignore[index]


def test_what_was_unknown_for_a_while_is_compared_with_what_was_known_before() -> None:
    """Nothing is told on a guess, and nothing is lost."""
    managed = "arn:aws:iam::aws:policy/Managed"
    view = view_of(snapshot(3, role("deploy", allow("s3:*"))))
    added = {"kind": "role", "name": "deploy", "attached_policies": {managed: True}, "inline_policies": {"main": None}}
    patch = view.apply(updated(4, principal=added))
    assert ((), (managed,)) == (patch.audit, patch.principals.states[0].grants.missing)
    assert patch.principals.states[0].reported is not None
    text = {"arn": managed, "default_version": "v1", "versions": {"v1": allow(["s3:*", "sqs:*"])}}
    patch = view.apply(updated(5, managed_policy=text))
    (told,) = data_of(patch).changes
    assert ("loosened", ["sqs:*"]) == (patch.audit[0].verdict, told.actions.any_of)
    assert patch.principals.states[0].reported is None


def test_the_management_account_is_bound_by_nothing_but_its_own_policies() -> None:
    """Whatever hangs on the root."""
    view = view_of(change(3, PolicyAttached(POLICY, ROOT)), snapshot(4, role("deploy"), account=MANAGEMENT))
    data = {"organization_id": ORGANIZATION, "account_id": MANAGEMENT, "principal": role("deploy", allow("s3:*"))}
    (event,) = view.apply(change(5, PrincipalUpdatedData.model_validate(data).to_change())).audit
    assert (MANAGEMENT, "loosened") == (event.account_id, event.verdict)


def test_what_binds_resources_alone_is_not_told_of_principals() -> None:
    """A resource control policy is about everybody who asks for the account's resources."""
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    rcp = canonical_text({"Version": "2012-10-17", "Statement": [statement]})
    view = view_of(
        snapshot(3, role("deploy", allow("s3:*"))),
        change(4, PolicyTypeEnabled(RESOURCE_CONTROL_POLICY)),
        change(5, PolicyCreated("p-resources1", RESOURCE_CONTROL_POLICY, "Resources", rcp)),
    )
    patch = view.apply(change(6, PolicyAttached("p-resources1", OU)))
    data = data_of(patch)
    assert ("tightened", None) == (data.verdict, data.principals)
