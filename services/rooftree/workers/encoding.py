"""
What is to be sent for a change, as rows of the outbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rooftree.contracts import PERMISSIONS_TYPE, encode_audit_event, encode_permissions
from rooftree.ports import OutboxRow, RecordKind
from rooftree.view.patch import AccountState, Patch, PermissionState

__all__ = ["outbox_rows", "state_rows"]


def outbox_rows(organization_id: str, patches: Sequence[Patch]) -> tuple[OutboxRow, ...]:
    """
    Return every audit event of *patches*, then the last state of each account that they touch.
    """
    states: dict[str, AccountState | None] = {}
    for patch in patches:
        states.update((departure.account_id, None) for departure in patch.departed)
        states.update((account.account_id, account) for account in patch.accounts)
    position = patches[-1].position
    return (
        *_audit_rows(patches),
        *_tombstones([account_id for account_id, state in states.items() if state is None], position.revision),
        *state_rows(
            organization_id,
            [state for state in states.values() if state is not None],
            {state.permissions_id: state for patch in patches for state in patch.permission_sets}.values(),
            complete=position.complete,
        ),
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
    revisions = {account.account_id: account.revision for account in accounts}
    return tuple(
        OutboxRow(
            event_id=f"{account_id}@{revisions[account_id]}",
            kind=RecordKind.PERMISSIONS,
            key=account_id,
            type=PERMISSIONS_TYPE,
            payload=payload,
            revision=revisions[account_id],
        )
        for account_id, payload in encode_permissions(organization_id, accounts, permission_sets, complete=complete)
    )


def _audit_rows(patches: Iterable[Patch]) -> Iterable[OutboxRow]:
    for patch in patches:
        for event in patch.audit:
            yield OutboxRow(
                event_id=event.event_id,
                kind=RecordKind.AUDIT,
                key=event.key,
                type=event.type,
                payload=encode_audit_event(event),
                revision=event.revision,
            )


def _tombstones(account_ids: Iterable[str], revision: int) -> Iterable[OutboxRow]:
    for account_id in account_ids:
        yield OutboxRow(
            f"{account_id}@{revision}", RecordKind.PERMISSIONS, account_id, PERMISSIONS_TYPE, None, revision
        )
