from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.generators.telling import (
    ACCOUNT,
    MANAGEMENT,
    ORGANIZATION,
    OTHER_ACCOUNT,
    OU,
    POLICY,
    at,
    change,
    deny,
    snapshot_taken,
)

from rooftree.contracts.audit import AuditEnvelope
from rooftree.contracts.encoding import encode_audit_event
from rooftree.contracts.principals import PrincipalSnapshotData, PrincipalUpdatedData
from rooftree.organization.changes import (
    AccountRemoved,
    Change,
    PolicyAttached,
    PolicyUpdated,
    ProbeRemoved,
    ProbeSet,
    SnapshotTaken,
)
from rooftree.organization.export import take_snapshot
from rooftree.organization.probes import Probe
from rooftree.policy.document import canonical_text
from rooftree.view.patch import Patch, ProbeState
from rooftree.view.projection import OrganizationView

ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
DEPLOY = f"arn:aws:iam::{ACCOUNT}:role/team/deploy"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/session"
LEAVE = "organizations:LeaveOrganization"
OWN = f"arn:aws:iam::{ACCOUNT}:policy/Own"
FULL_ACCESS = "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess"


def allow(*actions: str, **elements: object) -> dict[str, object]:
    """A policy that allows actions."""
    statement = {"Sid": "Allow", "Effect": "Allow", "Action": list(actions), "Resource": "*", **elements}
    return {"Version": "2012-10-17", "Statement": [statement]}


TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
}
PRINCIPALS: list[dict[str, object]] = [
    {"kind": "user", "name": "alice", "groups": ["admins"], "tags": {"team": "red"}},
    {"kind": "group", "name": "admins", "inline_policies": {"main": allow("organizations:*", "s3:*")}},
    {
        "kind": "role",
        "name": "deploy",
        "path": "/team/",
        "inline_policies": {"main": allow("s3:*", Condition={"ArnLike": {"aws:PrincipalArn": DEPLOY}})},
        "attached_policies": [OWN],
        "trust_policy": TRUST,
    },
]


def principals(second: int, *told: Mapping[str, object]) -> Change:
    """The principals of the account."""
    data = {"organization_id": ORGANIZATION, "account_id": ACCOUNT, "principals": [*told] or PRINCIPALS}
    return change(second, PrincipalSnapshotData.model_validate(data).to_change())


def updated(second: int, **told: object) -> Change:
    """A change about a principal or a policy."""
    data = {"organization_id": ORGANIZATION, "account_id": ACCOUNT, **told}
    return change(second, PrincipalUpdatedData.model_validate(data).to_change())


def probe(principal: str = ALICE, action: str = LEAVE, *, expect: str = "allow", **told: Any) -> Probe:
    """A probe."""
    context = tuple((key, (value,)) for key, value in told.get("context", {}).items())
    return Probe(told.get("name", "probe"), principal, action, told.get("resource", "*"), context, expect)


def watched(*changes: Change) -> OrganizationView:
    """The view of the small organization with principals, after some changes."""
    view = OrganizationView.load(ORGANIZATION)
    for one in (change(1, snapshot_taken()), principals(2), *changes):
        view.apply(one)
    return view


def states(patch: Patch) -> dict[str, tuple[str, bool | None]]:
    """How the probes in a patch are decided."""
    return {state.probe.name: (state.finding.decision, state.as_expected) for state in patch.probes.states}


def found(one: Probe, *changes: Change) -> ProbeState:
    """What a probe comes to."""
    (state,) = watched(*changes).apply(change(50, ProbeSet(one))).probes.states
    return state


def test_a_probe_is_decided_by_the_arn_that_it_names() -> None:
    """It does not matter whether the partition of the organization is known."""
    arns = {name: f"arn:aws-us-gov:iam::{ACCOUNT}:role/{name}" for name in ("Admin", "Other")}
    only_admin = deny(LEAVE)
    only_admin["Statement"][0]["Condition"] = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws-us-gov:iam::*:role/Admin"}}  # type: ignore[index]
    roles = (
        {"kind": "role", "name": name, "arn": arn, "inline_policies": {"main": allow("*")}}
        for name, arn in arns.items()
    )
    view = watched(principals(3, *roles), change(4, PolicyUpdated(POLICY, content=canonical_text(only_admin))))
    for name, arn in arns.items():
        view.apply(change(5, ProbeSet(probe(arn, name=name)), event_id=name))
    assert {"Other": ("explicit_deny", False)} == states(view.apply(change(6, PolicyAttached(POLICY, OU))))
    told = SnapshotTaken(replace(take_snapshot(view.organization), partition="aws-us-gov"))
    assert {} == states(view.apply(change(7, told)))


@pytest.mark.parametrize(
    ("one", "decision"),
    [
        (probe(), "allow"),
        (probe(action="ec2:RunInstances"), "implicit_deny"),
        (probe(action="organizations:DescribePolicy", resource=FULL_ACCESS), "allow"),
        (probe(SESSION, "s3:GetObject"), "unknown"),
        (probe(DEPLOY, "s3:GetObject"), "unknown"),
        (probe(f"arn:aws:iam::{ACCOUNT}:role/deploy", "s3:GetObject"), "implicit_deny"),
        (probe(f"arn:aws:iam::{ACCOUNT}:user/bob"), "implicit_deny"),
        (probe(f"arn:aws:iam::{OTHER_ACCOUNT}:user/bob"), "unknown"),
        (probe(f"arn:aws:iam::{ACCOUNT}:root"), "allow"),
        (probe(f"arn:aws:iam::{MANAGEMENT}:root"), "allow"),
        (probe("ec2.amazonaws.com", "sts:AssumeRole", resource=DEPLOY), "allow"),
        (probe("lambda.amazonaws.com", "sts:AssumeRole", resource=DEPLOY), "implicit_deny"),
        (probe("ec2.amazonaws.com", "s3:GetObject", resource="arn:aws:s3:::b/k"), "unknown"),
        (probe("arn:aws:iam::555555555555:user/x", "sts:AssumeRole", resource=DEPLOY), "implicit_deny"),
    ],
)
def test_a_probe_is_decided_under_all_that_the_view_knows(one: Probe, decision: str) -> None:
    """What hangs on policies that nobody has told is said to be unknown; what cannot be allowed in any case is denied."""
    assert decision == found(one).finding.decision


def test_what_is_known_in_part_may_be_enough() -> None:
    """A deny is a deny, whatever the policies say that are not known."""
    policy = canonical_text(deny("s3:*"))
    state = found(
        probe(SESSION, "s3:GetObject", expect="deny"),
        change(3, PolicyUpdated(POLICY, content=policy)),
        change(4, PolicyAttached(POLICY, OU)),
    )
    assert ("explicit_deny", True) == (state.finding.decision, state.as_expected)
    assert [("service_control", OU, POLICY)] == [
        (reason["policy_type"], reason["target"], reason["policy"]) for reason in state.finding.decided_by
    ]


def test_the_keys_of_the_principal_are_known() -> None:
    """Tags and the ARN of a session's role come from the view."""
    tagged = allow("s3:*", Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}})
    own = {"arn": OWN, "default_version": "v1", "versions": {"v1": allow("iam:*")}}
    view = watched(
        updated(3, principal={"kind": "user", "name": "alice", "inline_policies": {"tagged": tagged}}),
        updated(4, principal={"kind": "group", "name": "admins", "inline_policies": {"main": None}}),
        updated(5, managed_policy=own),
    )
    view.apply(change(6, ProbeSet(probe(action="s3:GetObject", name="tags"))))
    patch = view.apply(change(7, ProbeSet(probe(SESSION, "s3:GetObject", name="arn"))))
    assert {"arn": ("allow", True)} == states(patch)
    patch = view.apply(updated(8, principal={"kind": "user", "name": "alice", "tags": {"team": "blue"}}))
    assert {"tags": ("implicit_deny", False)} == states(patch)


def test_a_flip_stands_in_the_audit_event_of_its_account() -> None:
    """Other accounts of the same change do not speak of it."""
    view = watched(change(3, ProbeSet(probe())))
    patch = view.apply(change(4, PolicyAttached(POLICY, OU)))
    (event,) = patch.audit
    (flip,) = AuditEnvelope.model_validate_json(encode_audit_event(event)).data.probes  # type: ignore[union-attr]
    assert ("rooftree.decision.changed.v1", ACCOUNT) == (event.type, event.account_id)
    assert ("probe", "allow", "explicit_deny", False) == (flip.name, flip.before, flip.after, flip.as_expected)
    assert ["service_control"] == flip.blocked_by
    assert at(4) == patch.probes.states[0].since


def test_a_flip_without_another_change_has_an_event_of_its_own() -> None:
    """The change of a principal's own policies alters no maximum permissions."""
    view = watched(change(3, ProbeSet(probe())))
    patch = view.apply(updated(4, principal={"kind": "user", "name": "alice", "groups": {"admins": False}}))
    own, event = patch.audit
    data = AuditEnvelope.model_validate_json(encode_audit_event(event)).data
    assert ("rooftree.principal.decision.changed.v1", ACCOUNT) == (own.type, own.account_id)
    assert ("rooftree.probe.flipped.v1", ACCOUNT, None) == (event.type, event.account_id, event.verdict)
    assert ["identity"] == data.probes[0].blocked_by  # type: ignore[union-attr]
    assert (1, patch.position.chain_hash) == (patch.position.revision, data.chain_hash.this)


def test_a_probe_about_no_account_of_the_organization_is_told_of_the_organization() -> None:
    """A service that assumes a role has no account; the role's is told. An outsider's account is not ours."""
    outsider = probe("arn:aws:iam::555555555555:user/x", "sts:AssumeRole", resource=DEPLOY, expect="deny")
    view = watched(change(3, ProbeSet(outsider)))
    everybody = {"Version": "2012-10-17", "Statement": {**TRUST["Statement"], "Principal": "*"}}  # type: ignore[dict-item]
    role = {"kind": "role", "name": "deploy", "trust_policy": everybody}
    (event,) = view.apply(updated(4, principal=role)).audit
    data = AuditEnvelope.model_validate_json(encode_audit_event(event)).data
    assert (None, ORGANIZATION) == (event.account_id, event.key)
    assert ("implicit_deny", "unknown", None) == (
        data.probes[0].before,  # type: ignore[union-attr]
        data.probes[0].after,  # type: ignore[union-attr]
        data.probes[0].as_expected,  # type: ignore[union-attr]
    )


def test_what_decides_may_change_without_a_flip() -> None:
    """The row tells the new reasons, and nothing goes to the audit topic."""
    view = watched(change(3, ProbeSet(probe(action="ec2:RunInstances", expect="deny"))))
    denying = {"kind": "user", "name": "alice", "inline_policies": {"no": deny("ec2:*")}}
    patch = view.apply(updated(4, principal=denying))
    assert {"probe": ("explicit_deny", True)} == states(patch)
    assert ((), at(3)) == (patch.audit, patch.probes.states[0].since)


def test_setting_another_probe_under_a_name_is_no_flip() -> None:
    """It asks something else, so no decision has changed."""
    view = watched(change(3, ProbeSet(probe())))
    patch = view.apply(change(4, ProbeSet(probe(action="ec2:RunInstances"))))
    assert ({"probe": ("implicit_deny", False)}, ()) == (states(patch), patch.audit)


def test_a_probe_that_was_removed_is_watched_no_more() -> None:
    """Late events about it change nothing."""
    view = watched(change(3, ProbeSet(probe())))
    assert ("probe",) == view.apply(change(5, ProbeRemoved("probe"))).probes.gone
    assert Patch(ORGANIZATION, view.position) == view.apply(change(4, ProbeSet(probe(action="ec2:RunInstances"))))
    assert [] == view.apply(change(7, PolicyAttached(POLICY, OU))).audit[0].data["probes"]


def test_an_account_that_leaves_is_bound_by_nothing() -> None:
    """Its principals stay known, so its probes go on without control policies."""
    view = watched(change(3, PolicyAttached(POLICY, OU)), change(4, ProbeSet(probe())))
    (event,) = view.apply(change(5, AccountRemoved(ACCOUNT))).audit
    assert ("rooftree.probe.flipped.v1", "allow") == (event.type, event.data["probes"][0]["after"])  # type: ignore[index]
