from __future__ import annotations

import json
from typing import Any

import pytest
from tests.generators.telling import (
    ACCOUNT,
    DENY_LEAVING,
    ORGANIZATION,
    OU,
    POLICY,
    ROOT,
    SCP,
    at,
    deny,
    snapshot_document,
    snapshot_taken,
)

from rooftree.contracts import MAX_CHANGE_BYTES, decode_change
from rooftree.errors import ChangeError
from rooftree.organization.changes import (
    AccountClosed,
    AccountCreated,
    AccountMoved,
    AccountRemoved,
    AccountUpdated,
    Change,
    ChangeData,
    ChangeType,
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

RCP = "RESOURCE_CONTROL_POLICY"
RCP_CONTENT = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"},
}
RCP_TEXT = '{"Statement":[{"Action":["s3:*"],"Effect":"Deny","Principal":"*","Resource":["*"]}],"Version":"2012-10-17"}'


def envelope(kind: str = "ou.deleted", data: object = None, **fields: object) -> dict[str, Any]:
    """An event with the given data and fields."""
    return {
        "specversion": "1.0",
        "id": "event-1",
        "source": "urn:test",
        "type": f"rooftree.{kind}.v1",
        "time": "2026-01-05T08:00:03Z",
        "data": {"organization_id": ORGANIZATION, "ou_id": OU} if data is None else data,
        **fields,
    }


def decode(event: object, *, key: bytes | None = None) -> Change:
    """Decode an event given as an object."""
    return decode_change(json.dumps(event).encode(), key=key)


def refusal(value: bytes | dict[str, Any], *, key: bytes | None = None) -> ChangeError:
    """The error that decoding ends in."""
    with pytest.raises(ChangeError) as caught:
        decode_change(value if isinstance(value, bytes) else json.dumps(value).encode(), key=key)
    return caught.value


def test_an_event_becomes_a_change() -> None:
    """Every field of the envelope finds its place."""
    event = envelope(sequence="0007", actor="arn:aws:iam::111111111111:user/alice", subject="passed over")
    assert Change(
        event_id="event-1",
        source="urn:test",
        type=ChangeType.OU_DELETED,
        time=at(3),
        sequence="0007",
        organization_id=ORGANIZATION,
        actor="arn:aws:iam::111111111111:user/alice",
        data=OuDeleted(OU),
    ) == decode(event)


def test_the_actor_in_the_data_counts_more_than_the_one_in_the_envelope() -> None:
    """The data is what the source said; attributes of the envelope may be added on the way."""
    data = {"organization_id": ORGANIZATION, "ou_id": OU, "actor": "arn:data"}
    assert "arn:data" == decode(envelope(data=data, actor="arn:envelope")).actor


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        (
            "account.created",
            {"account_id": ACCOUNT, "name": "shop", "email": "a@example.com", "parent_id": OU, "status": "ACTIVE"},
            AccountCreated(ACCOUNT, "shop", "a@example.com", OU, "ACTIVE"),
        ),
        ("account.created", {"account_id": ACCOUNT, "name": None}, AccountCreated(ACCOUNT)),
        ("account.updated", {"account_id": ACCOUNT, "name": "shop"}, AccountUpdated(ACCOUNT, "shop")),
        ("account.moved", {"account_id": ACCOUNT, "parent_id": ROOT}, AccountMoved(ACCOUNT, parent_id=ROOT)),
        ("account.closed", {"account_id": ACCOUNT}, AccountClosed(ACCOUNT)),
        ("account.removed", {"account_id": ACCOUNT}, AccountRemoved(ACCOUNT)),
        ("ou.created", {"ou_id": OU, "name": "Work", "parent_id": ROOT}, OuCreated(OU, ROOT, "Work")),
        ("ou.renamed", {"ou_id": OU, "name": "Work"}, OuRenamed(OU, "Work")),
        ("ou.deleted", {"ou_id": OU, "name": "passed over"}, OuDeleted(OU)),
        (
            "policy.created",
            {
                "policy_id": POLICY,
                "policy_type": SCP,
                "name": "Deny",
                "content": deny("organizations:LeaveOrganization"),
            },
            PolicyCreated(POLICY, SCP, "Deny", DENY_LEAVING),
        ),
        (
            "policy.created",
            {"policy_id": POLICY, "policy_type": RCP, "content": json.dumps(RCP_CONTENT)},
            PolicyCreated(POLICY, RCP, None, RCP_TEXT),
        ),
        (
            "policy.created",
            {"policy_id": POLICY, "policy_type": "TAG_POLICY", "content": {"tags": {}}},
            PolicyCreated(POLICY, "TAG_POLICY"),
        ),
        ("policy.updated", {"policy_id": POLICY, "name": "Stay"}, PolicyUpdated(POLICY, name="Stay")),
        (
            "policy.updated",
            {"policy_id": POLICY, "content": json.dumps(deny("organizations:LeaveOrganization"))},
            PolicyUpdated(POLICY, content=DENY_LEAVING),
        ),
        ("policy.updated", {"policy_id": POLICY, "content": RCP_CONTENT}, PolicyUpdated(POLICY, content=RCP_TEXT)),
        ("policy.updated", {"policy_id": POLICY, "content": {"tags": {}}}, PolicyUpdated(POLICY)),
        (
            "policy.updated",
            {"policy_id": POLICY, "policy_type": "TAG_POLICY", "content": {"Statement": 1}},
            PolicyUpdated(POLICY, "TAG_POLICY"),
        ),
        ("policy.deleted", {"policy_id": POLICY}, PolicyDeleted(POLICY)),
        ("policy.attached", {"policy_id": POLICY, "target_id": ROOT}, PolicyAttached(POLICY, ROOT)),
        ("policy.detached", {"policy_id": POLICY, "target_id": ACCOUNT}, PolicyDetached(POLICY, ACCOUNT)),
        ("policy_type.enabled", {"policy_type": SCP}, PolicyTypeEnabled(SCP)),
        ("policy_type.disabled", {"policy_type": SCP}, PolicyTypeDisabled(SCP)),
    ],
)
def test_the_data_of_each_type_is_read(kind: str, data: dict[str, object], expected: ChangeData) -> None:
    """Fields that a type does not know are passed over, and null is the same as absent."""
    assert expected == decode(envelope(kind, {"organization_id": ORGANIZATION, "new_field": {}, **data})).data


def test_a_snapshot_is_read_whole() -> None:
    """Its organization is that of the event."""
    change = decode(envelope("organization.snapshot", snapshot_document()))
    assert (ORGANIZATION, snapshot_taken()) == (change.organization_id, change.data)


def data_of(**fields: object) -> dict[str, object]:
    """Data with some fields wrong."""
    return {"organization_id": ORGANIZATION, **fields}


@pytest.mark.parametrize(
    ("event", "disposition", "message"),
    [
        (b"", "undecodable", "line 1 column 1: no JSON: expecting value"),
        (b"{", "undecodable", "line 1 column 2: no JSON: expecting property name enclosed in double quotes"),
        (b"\xff", "undecodable", "byte 0: no UTF-8 text"),
        (b"[]", "undecodable", "expected an object"),
        (b'{"id": 1, "id": 2}', "undecodable", "key `id` stands twice in one object"),
        (b'{"id": "\\ud800"}', "undecodable", "id: half of a surrogate pair, which is no character"),
        (envelope(specversion="0.3"), "unknown_schema", "specversion: expected a CloudEvent of version `1.0`"),
        ({"detail-type": "AWS API Call"}, "unknown_schema", "specversion: expected a CloudEvent of version `1.0`"),
        (envelope("ou.moved"), "unknown_schema", "type: expected the type of a change event"),
        (envelope(type=["x"]), "unknown_schema", "type: expected the type of a change event"),
        (envelope(id=""), "refused", "id: expected 1 to 1024 characters"),
        (envelope(id=7), "refused", "id: expected text"),
        (envelope(source="a\0b"), "refused", "source: expected no NUL character"),
        (envelope(sequence=7), "refused", "sequence: expected text"),
        (
            envelope(time="yesterday"),
            "refused",
            "time: expected an RFC 3339 time such as `2026-01-31T12:00:00Z`, found `yesterday`",
        ),
        (envelope(time=None), "refused", "time: expected text"),
        (envelope(datacontenttype="text/xml"), "refused", "datacontenttype: expected JSON, found `text/xml`"),
        (envelope(data=[]), "refused", "data: expected an object"),
        (envelope(data={"ou_id": OU}), "refused", "data.organization_id: is missing"),
        (
            envelope(data=data_of(ou_id="ou-1")),
            "refused",
            "data.ou_id: expected text like `^ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}$`, found `ou-1`",
        ),
        (envelope("account.moved", data_of(account_id=ACCOUNT)), "refused", "data.parent_id: is missing"),
        (envelope("account.created", data_of(account_id=222222222222)), "refused", "data.account_id: expected text"),
        (
            envelope("account.updated", data_of(account_id=ACCOUNT, name="")),
            "refused",
            "data.name: expected 1 to 1024 characters",
        ),
        (
            envelope("policy.created", data_of(policy_id=POLICY, policy_type=SCP)),
            "refused",
            "data.content: expected a policy, as an object or as JSON text",
        ),
        (
            envelope("policy.created", data_of(policy_id=POLICY, policy_type=SCP, content="{")),
            "refused",
            "data.content, line 1 column 2: no JSON: expecting property name enclosed in double quotes",
        ),
        (
            envelope("policy.updated", data_of(policy_id=POLICY, content={"Statement": [{"Effect": "deny"}]})),
            "refused",
            "data.content.Statement[0].Effect: expected `Allow` or `Deny`, found `deny`",
        ),
        (
            envelope("policy.updated", data_of(policy_id=POLICY, content=["x"])),
            "refused",
            "data.content: expected a policy, as an object or as JSON text",
        ),
        (
            envelope("organization.snapshot", {**snapshot_document(), "root": {"id": "r-ab1"}}),
            "refused",
            "data.root.id: expected text like `^r-[0-9a-z]{4,32}$`, found `r-ab1`",
        ),
        (
            envelope("organization.snapshot", {**snapshot_document(), "attachments": {}}),
            "refused",
            "data.attachments: expected a list",
        ),
        (
            envelope("organization.snapshot", {**snapshot_document(), "root": {"id": "r-cd34"}}),
            "refused",
            "data.organizational_units[0].parent_id: `r-ab12` is not in the snapshot",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_record_that_cannot_be_read_is_refused_with_its_place(
    event: bytes | dict[str, Any], disposition: str, message: str
) -> None:
    """The disposition tells what kind of fault it is; the message tells where, and what was expected."""
    error = refusal(event)
    assert (disposition, message) == (error.disposition, str(error))


def test_a_record_that_is_too_large_is_refused_before_it_is_looked_at() -> None:
    """What it holds does not matter; the key may still tell whose it was."""
    error = refusal(b"\xff" * (MAX_CHANGE_BYTES + 1), key=ORGANIZATION.encode())
    assert ("too_large", ORGANIZATION) == (error.disposition, error.organization_id)


def test_a_record_that_nests_too_deep_is_refused() -> None:
    """However deep, it costs no more than reading it."""
    assert "undecodable" == refusal(b"[" * 500_000).disposition


@pytest.mark.parametrize(
    ("event", "key", "expected"),
    [
        (b"{", None, None),
        (b"{", ORGANIZATION.encode(), ORGANIZATION),
        (b"{", b"222222222222", None),
        (b"{", b"\xff", None),
        (envelope(time=None), b"o-otherorg00", ORGANIZATION),
        (envelope("organization.snapshot", {"organization": {"id": ORGANIZATION}}), None, ORGANIZATION),
        (envelope(data={"organization_id": "nonsense"}), b"o-otherorg00", "o-otherorg00"),
        (envelope(data={"organization_id": 7, "organization": 7}), None, None),
        (envelope("unknown"), None, ORGANIZATION),
    ],
)
def test_the_organization_that_misses_the_change_is_told_as_far_as_possible(
    event: bytes | dict[str, Any], key: bytes | None, expected: str | None
) -> None:
    """The data tells it, else the key, if they hold what looks like an organization at all."""
    assert expected == refusal(event, key=key).organization_id


def test_the_time_of_a_refused_change_is_told_if_it_can_be_read() -> None:
    """A snapshot that is later makes up for the change."""
    assert (at(3), None) == (refusal(envelope(id=7)).time, refusal(envelope(time="x")).time)


def test_the_key_of_a_good_record_does_not_matter() -> None:
    """Other producers may have their reasons; any order of delivery ends in the same state."""
    assert ORGANIZATION == decode(envelope(), key=b"222222222222").organization_id


def test_a_byte_order_mark_and_a_content_type_with_parameters_are_taken() -> None:
    """Both are common, and neither changes what is said."""
    event = json.dumps(envelope(datacontenttype="application/cloudevents+json; charset=utf-8")).encode("utf-8-sig")
    assert OuDeleted(OU) == decode_change(event).data
