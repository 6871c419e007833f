"""
What is sent by someone who means harm is refused at the door, with the place.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.generators.telling import ORGANIZATION, OU, ROOT

from rooftree.contracts import MAX_CHANGE_BYTES, decode_change
from rooftree.contracts.decoding import MAX_DEPTH
from rooftree.errors import ChangeError
from rooftree.organization.documents import LENIENCE
from rooftree.policy.document import MAX_BYTES, MAX_STATEMENTS
from rooftree.policy.kinds import SIZE_QUOTAS, PolicyKind

TYPES = {PolicyKind.SERVICE_CONTROL: "SERVICE_CONTROL_POLICY", PolicyKind.RESOURCE_CONTROL: "RESOURCE_CONTROL_POLICY"}


def event(kind: str, **data: object) -> dict[str, Any]:
    """
    Return a change event.
    """
    return {
        "specversion": "1.0",
        "id": "event-1",
        "source": "urn:test",
        "type": f"rooftree.{kind}.v1",
        "time": "2026-01-05T08:00:03Z",
        "data": {"organization_id": ORGANIZATION, **data},
    }


def refusal(value: bytes | dict[str, Any]) -> ChangeError:
    """
    Return why a record is refused.
    """
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    with pytest.raises(ChangeError) as caught:
        decode_change(content)
    return caught.value


TEXTS = {
    "a key twice": (b'{"specversion": "1.0", "specversion": "1.0"}', "twice"),
    "a key twice, deep inside": (b'{"data": {"content": [{"Effect": "Deny", "Effect": "Allow"}]}}', "twice"),
    "a key twice, spelled otherwise": (b'{"time": 1, "tim\\u0065": 2}', "twice"),
    "NaN": (b'{"data": NaN}', "`NaN` is no JSON"),
    "infinity": (b'{"data": -Infinity}', "`-Infinity` is no JSON"),
    "a number without end": (b'{"data": 1e999}', "too large"),
    "an integer of a megabyte": (b'{"data": ' + b"9" * 1_000_000 + b"}", "a number of 1000000 characters"),
    "half of a pair": (b'{"data": "\\ud800"}', "surrogate"),
    "half of a pair as a key": (b'{"\\udfff": 1}', "surrogate"),
    "bytes that are no text": (b'{"data": "\xed\xa0\x80"}', "no UTF-8"),
    "nested lists": (b"[" * 100_000 + b"]" * 100_000, "nested"),
    "nested objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested"),
    "nested by one too many": (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested"),
    "too many bytes": (b'{"data": "' + b" " * MAX_CHANGE_BYTES + b'"}', "expected at most"),
    "ninety thousand keys": (b"{" + b",".join(b'"%d":1' % n for n in range(90_000)) + b"}", "version"),
    "nothing but openings": (b"{" * 1_000_000, "no JSON"),
}


@pytest.mark.parametrize(("value", "reason"), TEXTS.values(), ids=TEXTS)
def test_json_that_parsers_understand_differently_is_refused(value: bytes, reason: str) -> None:
    """
    Nothing of it is looked at further.
    """
    assert reason in str(refusal(value))


IDS = {
    "SQL": "'; drop table rooftree.fact; --",
    "a path": "../../../etc/passwd",
    "a path behind an id": f"{OU}/../x",
    "a line behind an id": f"{OU}\n",
    "a NUL behind an id": f"{OU}\0",
    "a letter that looks like another": OU.replace("a", "а", 1),
    "digits of another script": "٢" * 12,
    "upper case": OU.upper(),
    "markup": "<script>alert(1)</script>",
    "a template": "{{7*7}}",
    "a percent": f"{OU}%2e%2e",
    "nothing": "",
    "more than an id": OU + "a" * 40,
    "no text": 7,
    "a list": [OU],
}


@pytest.mark.parametrize("found", IDS.values(), ids=IDS)
@pytest.mark.parametrize(
    ("kind", "field", "others"),
    [
        ("ou.deleted", "ou_id", {}),
        ("account.moved", "account_id", {"parent_id": OU}),
        ("account.moved", "parent_id", {"account_id": "222222222222"}),
        ("policy.attached", "policy_id", {"target_id": ROOT}),
        ("policy.attached", "target_id", {"policy_id": "p-examplepol"}),
        ("policy_type.enabled", "policy_type", {}),
        ("ou.deleted", "organization_id", {"ou_id": OU}),
    ],
)
def test_ids_are_ids(kind: str, field: str, others: dict[str, object], found: object) -> None:
    """
    Nothing else gets anywhere near a statement, a path or a page.
    """
    error = refusal(event(kind, **{**others, field: found}))

    assert f"data.{field}" == error.place


@pytest.mark.parametrize("kind", SIZE_QUOTAS)
def test_a_policy_may_be_larger_than_aws_lets_it_be_but_not_much(kind: PolicyKind) -> None:
    """
    The quota of AWS times the lenience is the limit, and the same for objects and for text.
    """

    def policy(size: int) -> dict[str, object]:
        statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
        if kind is PolicyKind.SERVICE_CONTROL:
            del statement["Principal"]
        empty = len(json.dumps({"Statement": {**statement, "Sid": ""}, "Version": "2012-10-17"}, separators=(",", ":")))
        # Canonical text writes lists: three pairs of brackets more.
        return {"Version": "2012-10-17", "Statement": {**statement, "Sid": "a" * (size - empty - 6)}}

    most = min(LENIENCE * SIZE_QUOTAS[kind], MAX_BYTES)

    def told(size: int, *, as_text: bool) -> dict[str, Any]:
        content: object = json.dumps(policy(size)) if as_text else policy(size)
        return event("policy.created", policy_id="p-examplepol", policy_type=TYPES[kind], content=content)

    for as_text in (True, False):
        decode_change(json.dumps(told(most, as_text=as_text)).encode())
        assert "data.content" == refusal(told(most + 1, as_text=as_text)).place


def test_a_policy_of_too_many_statements_is_refused() -> None:
    """
    They are counted before any of them is read.
    """
    content = {"Version": "2012-10-17", "Statement": [{}] * (MAX_STATEMENTS + 1)}
    error = refusal(
        event("policy.created", policy_id="p-examplepol", policy_type="SERVICE_CONTROL_POLICY", content=content)
    )

    assert f"data.content.Statement: expected at most {MAX_STATEMENTS} statements" in str(error)


def test_a_policy_nested_in_its_own_text_is_refused() -> None:
    """
    Depth counts inside of the text of a policy as well.
    """
    content = '{"Statement":' + "[" * 1_000 + "]" * 1_000 + "}"
    error = refusal(
        event("policy.created", policy_id="p-examplepol", policy_type="SERVICE_CONTROL_POLICY", content=content)
    )

    assert error.place.startswith("data.content")
