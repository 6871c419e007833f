"""
What is to be sent for a change, as rows of the outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from rooftree.contracts import PERMISSIONS_TYPE, encode_audit_event, encode_permissions
from rooftree.ports.outbox import OutboxRow, Outgoing
from rooftree.ports.publishing import RecordKind
from rooftree.view.patch import AccountState, AuditEvent, Patch, PermissionState

__all__ = ["audit_row", "outgoing", "state_rows"]


class _Rows(Collection[OutboxRow]):
    """
    Rows that are made whenever they are gone through, and not kept: they may be many and large.
    """

    def __init__(self, count: int, make: Callable[[], Iterator[OutboxRow]]) -> None:
        self._count = count
        self._make = make

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[OutboxRow]:
        return self._make()

    def __contains__(self, row: object) -> bool:
        return any(row == each for each in self)


def outgoing(organization_id: str, patches: Sequence[Patch]) -> Outgoing:
    """
    Return what is to be sent for *patches*: their audit events, and the last state of each account that they touch.
    """
    states: dict[str, AccountState | None] = {}
    for patch in patches:
        states.update((departure.account_id, None) for departure in patch.departed)
        states.update((account.account_id, account) for account in patch.accounts)
    position = patches[-1].position
    present = [state for state in states.values() if state is not None]
    departed = [account_id for account_id, state in states.items() if state is None]
    sets = {state.permissions_id: state for patch in patches for state in patch.permission_sets}

    def make() -> Iterator[OutboxRow]:
        yield from _tombstones(departed, position.revision)
        yield from _state_rows(organization_id, present, sets.values(), complete=position.complete)

    return Outgoing(audit_row, _Rows(len(states), make))


def audit_row(event: AuditEvent) -> OutboxRow:
    """
    Return the row of an audit event.
    """
    return OutboxRow(
        event_id=event.event_id,
        kind=RecordKind.AUDIT,
        key=event.key,
        type=event.type,
        payload=encode_audit_event(event),
        revision=event.revision,
    )


def state_rows(
    organization_id: str,
    accounts: Sequence[AccountState],
    permission_sets: Iterable[PermissionState],
    *,
    complete: bool,
) -> tuple[OutboxRow, ...]:
    """
    Return a row for the state of each of *accounts*.
    """
    return tuple(_state_rows(organization_id, accounts, permission_sets, complete=complete))


def _state_rows(
    organization_id: str,
    accounts: Sequence[AccountState],
    permission_sets: Iterable[PermissionState],
    *,
    complete: bool,
) -> Iterator[OutboxRow]:
    payloads = encode_permissions(organization_id, accounts, permission_sets, complete=complete)
    for account, (account_id, payload) in zip(accounts, payloads, strict=True):
        yield OutboxRow(
            event_id=f"{account_id}@{account.revision}",
            kind=RecordKind.PERMISSIONS,
            key=account_id,
            type=PERMISSIONS_TYPE,
            payload=payload,
            revision=account.revision,
        )


def _tombstones(account_ids: Iterable[str], revision: int) -> Iterator[OutboxRow]:
    for account_id in account_ids:
        yield OutboxRow(
            f"{account_id}@{revision}", RecordKind.PERMISSIONS, account_id, PERMISSIONS_TYPE, None, revision
        )
