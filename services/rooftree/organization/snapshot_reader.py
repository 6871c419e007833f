"""
Snapshots read and checked: every fault is reported with its place in the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rooftree.errors import InputError, SnapshotError, join_place
from rooftree.organization.documents import AUTHORIZING_TYPES, BUILTIN_POLICIES, accept_content
from rooftree.organization.identifiers import (
    ACCOUNT_ID,
    NODE_ID,
    ORGANIZATION_ID,
    OU_ID,
    PARENT_ID,
    POLICY_ID,
    ROOT_ID,
    is_root,
)
from rooftree.organization.snapshot import (
    FEATURE_SETS,
    Snapshot,
    SnapshotAccount,
    SnapshotAttachment,
    SnapshotPolicy,
    SnapshotUnit,
)
from rooftree.policy.partitions import PARTITIONS
from rooftree.policy.strict_json import load_json

__all__ = ["parse_snapshot"]

# Longer than any name, address or status that AWS lets through.
MAX_TEXT = 1024


def parse_snapshot(content: str | bytes | Mapping[str, object]) -> Snapshot:
    """
    Read a snapshot, given as JSON text or as the object in it.

    Fields that are not known are passed over.

    Raises:
        SnapshotError: Something is missing, misspelt, or contradicts another part; the error names the place.
    """
    try:
        document = load_json(content) if isinstance(content, str | bytes) else content
    except InputError as error:
        raise SnapshotError(error.reason, place=error.place) from error
    whole = _Part.of(document, "")
    if "accounts" not in whole.fields:
        # Of all lists this one is never empty: without it, the document is something else.
        raise SnapshotError("is missing", place="accounts")
    organization = whole.part("organization")
    root = whole.part("root")
    snapshot = Snapshot(
        organization_id=organization.id("id", ORGANIZATION_ID),
        management_account_id=organization.id("management_account_id", ACCOUNT_ID),
        feature_set=_feature_set(organization),
        root_id=root.id("id", ROOT_ID),
        policy_types=tuple(dict.fromkeys(root.texts("policy_types"))),
        organizational_units=tuple(_unit(part) for part in whole.parts("organizational_units")),
        accounts=tuple(_account(part) for part in whole.parts("accounts")),
        policies=tuple(_policy(part) for part in whole.parts("policies")),
        attachments=tuple(dict.fromkeys(_attachment(part) for part in whole.parts("attachments"))),
        partition=_partition(organization),
    )
    _check(snapshot)
    return snapshot


@dataclass(frozen=True, slots=True)
class _Part:
    fields: Mapping[str, object]
    place: str

    @classmethod
    def of(cls, value: object, place: str) -> _Part:
        if not isinstance(value, Mapping):
            raise SnapshotError("expected an object", place=place)
        return cls(value, place)

    def at(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name

    def part(self, name: str) -> _Part:
        if name not in self.fields:
            raise SnapshotError("is missing", place=self.at(name))
        return _Part.of(self.fields[name], self.at(name))

    def values(self, name: str) -> Iterator[tuple[str, object]]:
        values = self.fields.get(name, [])
        if not isinstance(values, list | tuple):
            raise SnapshotError("expected a list", place=self.at(name))
        return ((f"{self.at(name)}[{index}]", value) for index, value in enumerate(values))

    def parts(self, name: str) -> Iterator[_Part]:
        return (_Part.of(value, place) for place, value in self.values(name))

    def texts(self, name: str) -> Iterator[str]:
        return (_text(value, place) for place, value in self.values(name))

    def optional(self, name: str) -> str | None:
        value = self.fields.get(name)
        return None if value is None else _text(value, self.at(name))

    def one_of(self, name: str, known: Sequence[str]) -> str | None:
        found = self.optional(name)
        if found is not None and found not in known:
            *others, last = (f"`{one}`" for one in known)
            expected = f"{', '.join(others)} or {last}"
            raise SnapshotError(f"expected {expected}, found `{found[:64]}`", place=self.at(name))
        return found

    def text(self, name: str) -> str:
        if name not in self.fields:
            raise SnapshotError("is missing", place=self.at(name))
        return _text(self.fields[name], self.at(name))

    def id(self, name: str, pattern: str) -> str:
        text = self.text(name)
        if re.match(pattern, text) is None:
            raise SnapshotError(f"expected an id like `{_EXAMPLES[pattern]}`, found `{text[:64]}`", place=self.at(name))
        return text


_EXAMPLES = {
    ORGANIZATION_ID: "o-exampleorg",
    ACCOUNT_ID: "222222222222",
    ROOT_ID: "r-ab12",
    OU_ID: "ou-ab12-aaaaaaaa",
    PARENT_ID: "r-ab12` or `ou-ab12-aaaaaaaa",
    POLICY_ID: "p-examplepol",
    NODE_ID: "r-ab12`, `ou-ab12-aaaaaaaa` or `222222222222",
}


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise SnapshotError("expected text", place=place)
    if not value or len(value) > MAX_TEXT or "\0" in value:
        raise SnapshotError(f"expected 1 to {MAX_TEXT} characters other than NUL", place=place)
    return value


def _feature_set(organization: _Part) -> str:
    return organization.one_of("feature_set", FEATURE_SETS) or FEATURE_SETS[0]


def _partition(organization: _Part) -> str | None:
    return organization.one_of("partition", tuple(PARTITIONS))


def _unit(part: _Part) -> SnapshotUnit:
    return SnapshotUnit(part.id("id", OU_ID), part.text("name"), part.id("parent_id", PARENT_ID))


def _account(part: _Part) -> SnapshotAccount:
    return SnapshotAccount(
        id=part.id("id", ACCOUNT_ID),
        name=part.optional("name"),
        email=part.optional("email"),
        parent_id=part.id("parent_id", PARENT_ID),
        status=part.optional("status"),
    )


def _policy(part: _Part) -> SnapshotPolicy:
    policy_id = part.id("id", POLICY_ID)
    policy_type = part.text("type")
    content = part.fields.get("content")
    return SnapshotPolicy(
        id=policy_id,
        name=part.optional("name") or policy_id,
        type=policy_type,
        content=_content(content, policy_type, part.at("content")),
    )


def _content(content: object, policy_type: str, place: str) -> str | None:
    kind = AUTHORIZING_TYPES.get(policy_type)
    if kind is None:
        return None
    if not isinstance(content, str | Mapping):
        raise SnapshotError("expected a policy, as an object or as JSON text", place=place)
    try:
        return accept_content(content, kind)
    except InputError as error:
        raise SnapshotError(error.reason, place=join_place(place, error.place)) from error


def _attachment(part: _Part) -> SnapshotAttachment:
    return SnapshotAttachment(part.id("policy_id", POLICY_ID), part.id("target_id", NODE_ID))


def _check(snapshot: Snapshot) -> None:
    units = {unit.id: unit.parent_id for unit in snapshot.organizational_units}
    _check_unique("organizational_units", (unit.id for unit in snapshot.organizational_units))
    _check_unique("accounts", (account.id for account in snapshot.accounts))
    _check_unique("policies", (policy.id for policy in snapshot.policies))
    parents = {snapshot.root_id, *units}
    _check_known(
        "organizational_units", "parent_id", (unit.parent_id for unit in snapshot.organizational_units), parents
    )
    _check_known("accounts", "parent_id", (account.parent_id for account in snapshot.accounts), parents)
    _check_rooted(units)
    policies = {policy.id for policy in snapshot.policies} | BUILTIN_POLICIES.keys()
    nodes = parents | {account.id for account in snapshot.accounts} | {snapshot.management_account_id}
    _check_known("attachments", "policy_id", (hanging.policy_id for hanging in snapshot.attachments), policies)
    _check_known("attachments", "target_id", (hanging.target_id for hanging in snapshot.attachments), nodes)


def _check_unique(name: str, ids: Iterable[str]) -> None:
    seen = set()
    for index, found in enumerate(ids):
        if found in seen:
            raise SnapshotError(f"`{found}` is listed twice", place=f"{name}[{index}].id")
        seen.add(found)


def _check_known(name: str, field: str, ids: Iterable[str], known: set[str]) -> None:
    for index, found in enumerate(ids):
        if found not in known:
            raise SnapshotError(f"`{found}` is not in the snapshot", place=f"{name}[{index}].{field}")


def _check_rooted(parents: Mapping[str, str]) -> None:
    """
    Check that every organizational unit hangs below the root, not in a circle.
    """
    rooted: set[str] = set()
    for index, unit_id in enumerate(parents):
        climb: list[str] = []
        current = unit_id
        while not is_root(current) and current not in rooted:
            if current in climb:
                raise SnapshotError(
                    f"`{current}` is its own ancestor", place=f"organizational_units[{index}].parent_id"
                )
            climb.append(current)
            current = parents[current]
        rooted.update(climb)
