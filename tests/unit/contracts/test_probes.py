from __future__ import annotations

import json
from typing import Any

import pytest
from tests.generators.telling import ORGANIZATION

from rooftree.contracts import decode_change
from rooftree.errors import ChangeError
from rooftree.organization.changes import ProbeRemoved, ProbeSet
from rooftree.organization.probes import Probe

ALICE = "arn:aws:iam::222222222222:user/alice"
GOOD: dict[str, Any] = {"name": "no-leaving", "principal": ALICE, "action": "s3:GetObject", "expect": "deny"}


def decode(kind: str, **data: object) -> Any:
    """The data of a change event about probes."""
    event = {
        "specversion": "1.0",
        "id": "event-1",
        "source": "urn:test",
        "type": f"rooftree.probe.{kind}.v1",
        "time": "2026-01-05T08:00:03Z",
        "data": {"organization_id": ORGANIZATION, **data},
    }
    return decode_change(json.dumps(event).encode()).data


def test_a_probe_is_read_with_its_context() -> None:
    """Values are text, in the order of the keys; what is left out is about every resource."""
    expected = Probe("no-leaving", ALICE, "s3:GetObject", "*", (("a:B", ("true",)), ("a:C", ("x", "y"))), "deny")
    probe = decode("set", **GOOD, context={"a:C": ["x", "y"], "a:B": True}).probe
    assert ProbeSet(expected) == ProbeSet(probe)
    assert expected == Probe.of_text("no-leaving", probe.to_text())


def test_a_removal_names_the_probe() -> None:
    """Nothing else is needed."""
    assert ProbeRemoved("no-leaving") == decode("removed", name="no-leaving")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "no leaving"}, "data.name: expected text like"),
        ({"principal": "alice"}, "data.principal: expected the ARN of a user, role"),
        ({"action": "s3:Get*"}, "data.action: expected text like"),
        ({"resource": "bucket"}, "data.resource: expected text like"),
        ({"context": {"a:B": {}}}, "data.context.a:B: expected text, a boolean, a number or a list of those"),
        ({"context": {"a:B": "1", "A:b": "1"}}, "data.context: key `A:b` stands twice, in another case"),
        ({"resource": "arn:aws:s3:::a\0b"}, "data.resource: expected no NUL character"),
        ({"context": {"a:B": ["1", "\0"]}}, "data.context.a:B: expected no NUL character"),
        ({"expect": "explicit_deny"}, "data.expect: "),
    ],
)
def test_what_is_wrong_is_named_with_its_place(wrong: dict[str, object], message: str) -> None:
    """The place is a path into the event."""
    with pytest.raises(ChangeError) as caught:
        decode("set", **{**GOOD, **wrong})
    assert str(caught.value).startswith(message)
