"""
What is fuzzed: everything that reads bytes from outside, and what must hold of it whatever the bytes are.

A target ends, or the input has found a fault: only the errors that a reader declares may come out of it, and what it
takes in must survive being written and read again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from tests.generators.telling import ACCOUNT, POLICY, change, snapshot_taken

from rooftree.aws.events import AwsRecords, decode_record, is_relevant, place, translate
from rooftree.contracts import decode_change
from rooftree.errors import ChangeError, InputError, PolicyError, SnapshotError
from rooftree.organization.changes import Change, ChangeData, PolicyAttached, PolicyTypeEnabled, PolicyUpdated
from rooftree.organization.claims import facts_of
from rooftree.organization.documents import AUTHORIZING_TYPES, accept_content
from rooftree.organization.principal_facts import principal_facts_of
from rooftree.organization.snapshot_reader import parse_snapshot
from rooftree.organization.timestamps import format_time, parse_time
from rooftree.permissions import forget_results
from rooftree.policy.document import PolicyKind, canonical_text, parse_policy
from rooftree.policy.lint import lint_policy
from rooftree.policy.strict_json import load_json
from rooftree.view.projection import OrganizationView
from rooftree.workers.encoding import outgoing

__all__ = ["TARGETS"]

TYPES = {kind: name for name, kind in AUTHORIZING_TYPES.items()}
DISPOSITIONS = frozenset({"undecodable", "unknown_schema", "refused", "too_large"})


def read_json(data: bytes) -> None:
    """
    Read JSON; what is read can be written, and reads as the same.
    """
    try:
        value = load_json(data)
    except InputError:
        return
    assert value == load_json(json.dumps(value))


def read_change(data: bytes) -> None:
    """
    Read a change event; one that is refused says how, and one that is not states each fact once.
    """
    found = _change(data)
    if isinstance(found, ChangeError):
        assert found.disposition in DISPOSITIONS
        assert found.reason
        return
    assert found == decode_change(data)
    facts = facts_of(found)
    assert len(facts) == len({fact.key for fact in facts})


def read_aws(data: bytes) -> None:
    """
    Read events of AWS; one that is refused says why, and one that is not has one place and states each fact once.
    """
    for found in _aws_changes(data):
        if isinstance(found, ChangeError):
            assert found.reason
            assert found.disposition in DISPOSITIONS
            continue
        facts = (*facts_of(found), *principal_facts_of(found))
        assert len(facts) == len({fact.key for fact in facts})
        assert found.actor != ""


def _aws_changes(data: bytes) -> list[Change | ChangeError]:
    try:
        outcome = decode_record(data)
        records = outcome.records if isinstance(outcome, AwsRecords) else ()
        changes = [translate(record, place(record, b"o-exampleorg", ())) for record in records if is_relevant(record)]
    except ChangeError as error:
        return [error]
    return [change for change in changes if change is not None]


def _change(data: bytes) -> Change | ChangeError:
    try:
        return decode_change(data, key=data[:16])
    except ChangeError as error:
        return error


def read_policy(data: bytes) -> None:
    """
    Read a policy as each kind there is; its canonical text is the same policy.
    """
    for kind in PolicyKind:
        try:
            policy = parse_policy(data, kind)
        except PolicyError:
            continue
        text = canonical_text(data)
        assert text == canonical_text(text)
        assert policy.digest == parse_policy(text, kind).digest
    assert all(finding.message for finding in lint_policy(data))


def read_snapshot(data: bytes) -> None:
    """
    Read a snapshot; written again, it reads as the same.
    """
    try:
        snapshot = parse_snapshot(data)
    except SnapshotError:
        return
    assert snapshot == parse_snapshot(json.dumps(snapshot.to_json()))


def read_time(data: bytes) -> None:
    """
    Read a time; written again, it reads as the same.
    """
    try:
        moment = parse_time(data.decode("utf-8", "surrogateescape"))
    except InputError:
        return
    assert moment == parse_time(format_time(moment))


def apply_policy(data: bytes) -> None:
    """
    Take a policy as far as it can go: attached to an account, compared with what was before, and written as records.
    """
    for kind in (PolicyKind.SERVICE_CONTROL, PolicyKind.RESOURCE_CONTROL):
        try:
            content = accept_content(data, kind)
        except PolicyError:
            continue
        _apply(
            snapshot_taken(),
            PolicyTypeEnabled(TYPES[kind]),
            PolicyAttached(POLICY, ACCOUNT),
            PolicyUpdated(POLICY, policy_type=TYPES[kind], content=content),
        )


def _apply(*told: ChangeData) -> None:
    forget_results()
    view = OrganizationView.load("o-exampleorg")
    patches = [view.apply(change(second, data)) for second, data in enumerate(told)]
    sent = outgoing(view.organization_id, patches)
    assert all(sent.of_event(event).payload for patch in patches for event in patch.audit)
    assert len(list(sent.states)) == len(sent.states)


TARGETS: Mapping[str, Callable[[bytes], None]] = MappingProxyType(
    {
        "json": read_json,
        "aws": read_aws,
        "change": read_change,
        "policy": read_policy,
        "snapshot": read_snapshot,
        "time": read_time,
        "view": apply_policy,
    }
)
