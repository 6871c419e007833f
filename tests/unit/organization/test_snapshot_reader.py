from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.generators.telling import DENY_LEAVING, FULL_ACCESS_ID, POLICY, ROOT, SCP, snapshot_document

from rooftree.errors import SnapshotError
from rooftree.organization.snapshot import SnapshotAttachment, SnapshotPolicy
from rooftree.organization.snapshot_reader import parse_snapshot

Document = dict[str, Any]


@pytest.mark.parametrize("wrap", [dict, json.dumps, lambda document: json.dumps(document).encode()])
def test_a_snapshot_is_read_as_an_object_or_as_text(wrap: Callable[[Document], Document | str | bytes]) -> None:
    """Files, events and memory hold the same."""
    assert parse_snapshot(snapshot_document()) == parse_snapshot(wrap(snapshot_document()))


def test_policies_are_read_as_objects_or_as_their_json_text() -> None:
    """AWS returns the content as text; people write objects."""
    document: Document = snapshot_document()
    document["policies"][0]["content"] = json.dumps(document["policies"][0]["content"], indent=2)
    assert (SnapshotPolicy(POLICY, "DenyLeaving", SCP, DENY_LEAVING),) == parse_snapshot(document).policies


def test_policies_that_do_not_authorize_are_kept_without_content() -> None:
    """A tag policy is written in another language."""
    document: Document = snapshot_document()
    document["policies"].append({"id": "p-tagging00", "type": "TAG_POLICY", "content": {"tags": {}}})
    document["attachments"].append({"policy_id": "p-tagging00", "target_id": ROOT})
    snapshot = parse_snapshot(document)
    assert SnapshotPolicy("p-tagging00", "p-tagging00", "TAG_POLICY", None) == snapshot.policies[-1]


def test_builtin_policies_need_not_be_listed() -> None:
    """They can be attached as they are."""
    assert SnapshotAttachment(FULL_ACCESS_ID, ROOT) in parse_snapshot(snapshot_document()).attachments


def test_fields_that_are_not_known_are_passed_over() -> None:
    """AWS adds fields, and so may whoever writes snapshots."""
    document: Document = snapshot_document()
    document["taken_by"] = "someone"
    document["accounts"][0]["joined_method"] = "CREATED"
    assert parse_snapshot(snapshot_document()) == parse_snapshot(document)


@pytest.mark.parametrize("partition", [None, "aws", "aws-us-gov"])
def test_the_partition_is_told_or_is_not(partition: str | None) -> None:
    """What is left out is not taken for told."""
    document: Document = snapshot_document()
    document["organization"]["partition"] = partition
    assert partition == parse_snapshot(document).partition
    assert ("partition" in parse_snapshot(document).organization) is (partition is not None)


def _set(*path: str | int, value: object) -> Callable[[Document], None]:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


def _delete(*path: str | int) -> Callable[[Document], None]:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        del document[path[-1]]

    return change


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_delete("organization"), "organization: is missing"),
        (_delete("accounts"), "accounts: is missing"),
        (_set("organization", value=[]), "organization: expected an object"),
        (_delete("organization", "management_account_id"), "organization.management_account_id: is missing"),
        (
            _set("organization", "feature_set", value="SOME"),
            "organization.feature_set: expected `ALL` or `CONSOLIDATED_BILLING`, found `SOME`",
        ),
        (
            _set("organization", "partition", value="govcloud"),
            (
                "organization.partition: expected `aws`, `aws-cn`, `aws-eusc`, `aws-iso`, `aws-iso-b`, `aws-iso-e`,"
                " `aws-iso-f` or `aws-us-gov`, found `govcloud`"
            ),
        ),
        (
            _set("organization", "partition", value=""),
            "organization.partition: expected 1 to 1024 characters other than NUL",
        ),
        (_set("root", "id", value="root"), "root.id: expected an id like `r-ab12`, found `root`"),
        (_set("root", "policy_types", value="x"), "root.policy_types: expected a list"),
        (_set("accounts", 1, "id", value=222222222222), "accounts[1].id: expected text"),
        (_set("accounts", 1, "name", value=""), "accounts[1].name: expected 1 to 1024 characters other than NUL"),
        (_set("accounts", 1, "name", value="a\0"), "accounts[1].name: expected 1 to 1024 characters other than NUL"),
        (_set("accounts", 1, value="222222222222"), "accounts[1]: expected an object"),
        (_set("accounts", 1, "id", value="333333333333"), "accounts[2].id: `333333333333` is listed twice"),
        (
            _set("accounts", 1, "parent_id", value="ou-ab12-zzzzzzzz"),
            "accounts[1].parent_id: `ou-ab12-zzzzzzzz` is not in the snapshot",
        ),
        (_set("accounts", 1, "parent_id", value="r-cd34"), "accounts[1].parent_id: `r-cd34` is not in the snapshot"),
        (
            _set("organizational_units", 0, "parent_id", value="ou-ab12-aaaaaaaa"),
            "organizational_units[0].parent_id: `ou-ab12-aaaaaaaa` is its own ancestor",
        ),
        (
            _set("policies", 0, "content", value=None),
            "policies[0].content: expected a policy, as an object or as JSON text",
        ),
        (
            _set("policies", 0, "content", "Statement", 0, "Effect", value="deny"),
            "policies[0].content.Statement[0].Effect: expected `Allow` or `Deny`, found `deny`",
        ),
        (
            _set("attachments", 0, "policy_id", value="p-unknown000"),
            "attachments[0].policy_id: `p-unknown000` is not in the snapshot",
        ),
        (
            _set("attachments", 0, "target_id", value="444444444444"),
            "attachments[0].target_id: `444444444444` is not in the snapshot",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_fault_is_reported_with_its_place(spoil: Callable[[Document], None], message: str) -> None:
    """Whoever wrote the snapshot is told where it is wrong and what was expected."""
    document = copy.deepcopy(snapshot_document())
    spoil(document)
    with pytest.raises(SnapshotError) as caught:
        parse_snapshot(document)
    assert message == str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1, "a": 2}', b"\xff"])
def test_what_is_no_json_object_is_no_snapshot(text: str | bytes) -> None:
    """Text that two readers could understand differently is refused."""
    with pytest.raises(SnapshotError):
        parse_snapshot(text)
