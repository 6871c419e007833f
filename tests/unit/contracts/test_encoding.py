from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError
from tests.generators.policies import CONTENTS
from tests.generators.telling import (
    ACCOUNT,
    FULL_ACCESS_ID,
    ORGANIZATION,
    OTHER_ACCOUNT,
    OU,
    POLICY,
    ROOT,
    SCP,
    at,
    change,
    deny,
    snapshot_taken,
)

from rooftree.contracts import encode_audit_event, encode_permissions
from rooftree.contracts.audit import AuditEnvelope
from rooftree.contracts.permissions import PermissionsEnvelope
from rooftree.organization.changes import (
    AccountMoved,
    Change,
    PolicyAttached,
    PolicyCreated,
    PolicyDetached,
    PolicyUpdated,
)
from rooftree.policy.document import canonical_text
from rooftree.view.audit import seal
from rooftree.view.patch import Patch, PermissionState
from rooftree.view.projection import OrganizationView


def patches(*changes: Change) -> list[Patch]:
    """What each change does to the small organization."""
    view = OrganizationView.load(ORGANIZATION)
    view.apply(change(1, snapshot_taken()))
    return [view.apply(one) for one in changes]


def encoded(patch: Patch) -> list[dict[str, Any]]:
    """The audit events of a patch as consumers read them."""
    return [json.loads(encode_audit_event(event)) for event in patch.audit]


def test_an_audit_event_is_a_cloudevent_with_its_place_in_the_sequence() -> None:
    """The extensions order the events of an organization and tell how many belong together."""
    (patch,) = patches(change(2, PolicyAttached(POLICY, ROOT)))
    first, second = encoded(patch)
    data = first.pop("data")
    assert {
        "specversion": "1.0",
        "id": patch.audit[0].event_id,
        "source": f"/organizations/{ORGANIZATION}",
        "type": "rooftree.decision.changed.v1",
        "subject": ACCOUNT,
        "time": "2026-01-05T08:00:02Z",
        "datacontenttype": "application/json",
        "sequence": "00000000000000000001",
        "part": 1,
        "parts": 2,
        "partitionkey": ACCOUNT,
    } == first
    assert (data["chain_hash"]["this"], 2) == (second["data"]["chain_hash"]["previous"], second["part"])


def test_consumers_can_verify_the_seal_from_what_they_read() -> None:
    """Nothing that the seal is over is lost or altered on the way."""
    (patch,) = patches(change(2, PolicyAttached(POLICY, ROOT)))
    for event in encoded(patch):
        assert event["data"]["chain_hash"]["this"] == seal(event["data"]["chain_hash"]["previous"], event["data"])


@pytest.mark.parametrize("name", CONTENTS)
def test_audit_events_are_exactly_what_the_model_says(name: str) -> None:
    """No field is missing and none is there that the contract does not name."""
    text = canonical_text(CONTENTS[name])
    for patch in patches(
        change(2, PolicyCreated("p-another00", SCP, name, text)),
        change(3, PolicyAttached("p-another00", OU)),
        change(4, PolicyDetached(FULL_ACCESS_ID, OU)),
        change(5, PolicyUpdated("p-another00", content=canonical_text(deny("s3:*")))),
        change(6, AccountMoved(ACCOUNT, parent_id=ROOT)),
    ):
        for event in encoded(patch):
            assert event == AuditEnvelope.model_validate(event).model_dump(mode="json", exclude_unset=True)


def test_events_about_completeness_are_exactly_what_the_model_says() -> None:
    """Their key and subject is the organization."""
    view = OrganizationView.load(ORGANIZATION)
    events = encoded(view.mark_incomplete(source="rooftree.changes", cause_id="0:7", time=at(1), reason="no JSON"))
    events += encoded(view.apply(change(2, snapshot_taken())))
    assert ["rooftree.organization.incomplete.v1", "rooftree.organization.complete.v1"] == [e["type"] for e in events]
    for event in events:
        assert ORGANIZATION == event["partitionkey"] == event["subject"]
        assert event == AuditEnvelope.model_validate(event).model_dump(mode="json", exclude_unset=True)


def test_the_model_of_audit_events_takes_nothing_else() -> None:
    """A field that the contract does not name is a fault of ours."""
    (patch,) = patches(change(2, PolicyAttached(POLICY, ROOT)))
    event = encoded(patch)[0]
    event["data"]["surprise"] = True
    with pytest.raises(ValidationError):
        AuditEnvelope.model_validate(event)


def test_the_state_of_an_account_is_exactly_what_the_model_says() -> None:
    """A consumer of the compacted topic finds all of the account's row, and its permissions in short."""
    (patch,) = patches(change(2, PolicyAttached(POLICY, ROOT), event_id="attached"))
    records = dict(encode_permissions(ORGANIZATION, patch.accounts, patch.permission_sets, complete=True))
    assert [ACCOUNT, OTHER_ACCOUNT] == list(records)
    event = json.loads(records[ACCOUNT])
    assert event == PermissionsEnvelope.model_validate(event).model_dump(mode="json")
    permissions = event["data"].pop("permissions")
    assert ["organizations:LeaveOrganization"] == permissions["denied"]["actions"]["any_of"]
    assert {
        "organization_id": ORGANIZATION,
        "account_id": ACCOUNT,
        "account_name": "shop-prod",
        "status": "ACTIVE",
        "path": [ROOT, OU, ACCOUNT],
        "permissions_id": patch.accounts[0].permissions_id,
        "revision": 1,
        "complete": True,
        "since": "2026-01-05T08:00:02Z",
        "cause_event_id": "attached",
    } == event["data"]


def test_an_account_without_a_place_has_no_permissions_and_is_not_complete() -> None:
    """Consumers see that something is missing instead of a guess."""
    (patch,) = patches(change(2, AccountMoved(ACCOUNT, parent_id="ou-ab12-zzzzzzzz")))
    ((_, value),) = encode_permissions(ORGANIZATION, patch.accounts, patch.permission_sets, complete=True)
    data = json.loads(value)["data"]
    assert (None, None, False) == (data["permissions_id"], data["permissions"], data["complete"])


def test_each_account_finds_its_own_id_in_a_shared_summary() -> None:
    """The set is shared by all who have it; what names the account names each in its own record."""
    (patch,) = patches(change(2, PolicyAttached(POLICY, ROOT)))
    permissions_id = patch.accounts[0].permissions_id or ""
    shared = PermissionState(permissions_id, {"principal": "arn:aws:iam::{account}:role/admin", "services": []}, None)
    for account_id, value in encode_permissions(ORGANIZATION, patch.accounts, [shared], complete=True):
        assert {"principal": f"arn:aws:iam::{account_id}:role/admin"} == json.loads(value)["data"]["permissions"]


def test_the_same_event_always_becomes_the_same_bytes() -> None:
    """A repetition can be told by comparing."""
    (one,), (other,) = (patches(change(2, PolicyAttached(POLICY, ROOT))) for _ in range(2))
    assert [encode_audit_event(event) for event in one.audit] == [encode_audit_event(event) for event in other.audit]
    assert list(encode_permissions(ORGANIZATION, one.accounts, one.permission_sets, complete=True)) == list(
        encode_permissions(ORGANIZATION, other.accounts, other.permission_sets, complete=True)
    )
