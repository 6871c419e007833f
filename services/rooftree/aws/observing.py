"""
Some objects of an organization, read by API.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from rooftree.aws.calls import Calls, together
from rooftree.aws.objects import read_account, read_attached, read_policy, read_targets, read_unit
from rooftree.errors import InputError, SnapshotError, join_place
from rooftree.organization.documents import AUTHORIZING_TYPES, accept_content
from rooftree.organization.observation import Observation
from rooftree.organization.rereads import RereadKind
from rooftree.organization.snapshot import SnapshotAccount, SnapshotPolicy, SnapshotUnit

__all__ = ["observe_objects"]


async def observe_objects(calls: Calls, objects: Iterable[tuple[str, str]]) -> Observation:
    """
    Read objects, each given by a `RereadKind` and its id; kinds of principals are passed over.

    Raises:
        RefusedCallError: A permission is missing.
        SnapshotError: A policy cannot be understood; the place begins with ``AWS``.
        UnavailableError: AWS does not answer.
    """
    accounts: dict[str, SnapshotAccount | None] = {}
    units: dict[str, SnapshotUnit | None] = {}
    policies: dict[str, SnapshotPolicy | None] = {}
    attached: dict[str, frozenset[str]] = {}
    targets: dict[str, frozenset[str]] = {}
    types: list[frozenset[str]] = []

    async def read(kind: str, object_id: str) -> None:
        match kind:
            case RereadKind.ACCOUNT:
                accounts[object_id] = _account(await read_account(calls, object_id))
            case RereadKind.OU:
                units[object_id] = _unit(await read_unit(calls, object_id))
            case RereadKind.POLICY:
                policies[object_id] = _policy(await read_policy(calls, object_id))
            case RereadKind.ATTACHMENTS:
                # Of a node that is not there nothing is said: whether it is there is another question.
                attached.update(_known(object_id, await read_attached(calls, object_id)))
            case RereadKind.TARGETS:
                targets.update(_known(object_id, await read_targets(calls, object_id)))
            case RereadKind.ORGANIZATION:
                types.append(await _enabled(calls))

    started = datetime.now(UTC)
    await together(read(kind, object_id) for kind, object_id in dict.fromkeys(objects))
    return Observation(
        calls.began or started,
        policy_types=types[0] if types else None,
        units=units,
        accounts=accounts,
        policies=policies,
        attached=attached,
        targets=targets,
    )


def _known(object_id: str, found: frozenset[str] | None) -> dict[str, frozenset[str]]:
    return {} if found is None else {object_id: found}


def _account(fields: Mapping[str, Any] | None) -> SnapshotAccount | None:
    if fields is None:
        return None
    return SnapshotAccount(
        fields["id"], fields.get("name"), fields.get("email"), fields["parent_id"], fields.get("status")
    )


def _unit(fields: Mapping[str, Any] | None) -> SnapshotUnit | None:
    return None if fields is None else SnapshotUnit(fields["id"], fields["name"], fields["parent_id"])


def _policy(fields: Mapping[str, Any] | None) -> SnapshotPolicy | None:
    if fields is None:
        return None
    kind = AUTHORIZING_TYPES.get(fields["type"])
    try:
        content = None if kind is None else accept_content(fields["content"], kind)
    except InputError as error:
        raise SnapshotError(error.reason, place=f"AWS: {join_place(fields['id'], error.place)}") from error
    return SnapshotPolicy(fields["id"], fields["name"], fields["type"], content)


async def _enabled(calls: Calls) -> frozenset[str]:
    roots = await calls.entries("ListRoots", "Roots")
    return frozenset(kind["Type"] for root in roots for kind in root["PolicyTypes"] if kind["Status"] == "ENABLED")
