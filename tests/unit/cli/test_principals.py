from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from tests.generators.telling import ACCOUNT, ORGANIZATION
from tests.unit.cli.conftest import Run, Write

from rooftree.contracts import decode_change
from rooftree.contracts.authorization_details import AuthorizationDetails
from rooftree.contracts.principal_events import principal_events
from rooftree.contracts.snapshot_events import encode_event
from rooftree.organization.principal_facts import AccountPrincipals, principal_facts_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
ROLES = tuple({"kind": "role", "name": f"role-{number:03}", "inline_policies": {"main": ALLOW}} for number in range(50))
POLICIES = ({"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess", "default_version": "v1", "versions": {"v1": ALLOW}},)
USER = {"UserName": "alice", "UserId": "AIDA1", "Arn": f"arn:aws:iam::{ACCOUNT}:user/alice"}


@pytest.mark.parametrize("max_bytes", [900_000, 4_000])
def test_an_account_is_told_in_as_many_records_as_it_takes(max_bytes: int) -> None:
    """All parts together say the same as one event."""
    details = AuthorizationDetails(ROLES, POLICIES)
    events = principal_events(details, NOON, organization_id=ORGANIZATION, account_id=ACCOUNT, max_bytes=max_bytes)
    known = AccountPrincipals(ACCOUNT)
    for event in events:
        assert {} == known.principals()
        assert len(encode_event(event)) <= max_bytes
        known.merge(principal_facts_of(decode_change(encode_event(event))))
    assert (max_bytes > 10_000) == (len(events) == 1)
    assert [f"role/role-{number:03}" for number in range(50)] == list(known.principals())
    assert ["arn:aws:iam::aws:policy/ReadOnlyAccess"] == list(known.policies())


def test_an_empty_account_is_told_too() -> None:
    """That there is nobody left is worth an event."""
    events = principal_events(AuthorizationDetails((), ()), NOON, organization_id=ORGANIZATION, account_id=ACCOUNT)
    assert 1 == len(events)


def test_details_that_are_wrong_are_refused_with_their_place(run: Run, write: Write) -> None:
    """One line names the file, the place in it and what was expected; nobody is connected to."""
    file = write("details.json", {"UserDetailList": [{**USER, "UserPolicyList": [{"PolicyName": "x"}]}]})

    outcome = run("import", "iam", file, ACCOUNT)

    assert (2, "", 1) == (outcome.status, outcome.out, outcome.err.count("\n"))
    assert "details.json: UserDetailList[0].UserPolicyList[0].PolicyDocument: is missing" in outcome.err


@pytest.mark.parametrize("arguments", [["shop"], ["333333333333", "more"], []])
def test_an_account_is_needed(run: Run, write: Write, arguments: list[str]) -> None:
    """Details do not tell whose they are."""
    outcome = run("import", "iam", write("details.json", {"UserDetailList": []}), *arguments)

    assert (2, "") == (outcome.status, outcome.out)


def test_without_a_broker_the_status_is_three(run: Run, write: Write) -> None:
    """Good input and no service to give it to."""
    file = write("details.json", json.dumps({"UserDetailList": [USER]}))

    outcome = run("import", "iam", file, ACCOUNT, "--organization", ORGANIZATION)

    assert (3, 1) == (outcome.status, outcome.err.count("\n"))
