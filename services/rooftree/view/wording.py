"""
What a change was, in words.
"""

from __future__ import annotations

from rooftree.errors import ChangeError
from rooftree.organization.changes import (
    AccountClosed,
    AccountCreated,
    AccountMoved,
    AccountRemoved,
    AccountUpdated,
    Change,
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
    PrincipalChange,
    PrincipalDeleted,
    PrincipalsTaken,
    PrincipalUpdated,
    ProbeRemoved,
    ProbeSet,
    RereadAnswered,
    RereadAsked,
    SnapshotTaken,
)
from rooftree.organization.identifiers import is_account, is_root
from rooftree.organization.tree import Organization

__all__ = ["describe", "describe_refusal", "names_of"]

_REFUSALS = {
    "undecodable": "a record is no event",
    "unknown_schema": "an event is of no type that is known",
    "refused": "an event was refused",
    "too_large": "a record is too large",
}
"""By the disposition of what could not be processed."""

_VERBS: dict[type, str] = {
    AccountCreated: "created",
    AccountUpdated: "updated",
    AccountClosed: "closed",
    AccountRemoved: "removed from the organization",
    OuCreated: "created",
    OuRenamed: "renamed",
    OuDeleted: "deleted",
    PolicyCreated: "created",
    PolicyUpdated: "updated",
    PolicyDeleted: "deleted",
    PolicyTypeEnabled: "enabled",
    PolicyTypeDisabled: "disabled",
    PrincipalUpdated: "updated",
    PrincipalDeleted: "deleted",
    ProbeSet: "set",
    ProbeRemoved: "removed",
}


def describe(change: Change, organization: Organization, *, moved_from: str | None = None) -> str:
    """
    Return one line about *change*, with the names that *organization* knows after it.

    Of a moved account, *moved_from* is the parent that it had before, if that was known.
    """
    name_of = organization.name_of
    match change.data:
        case AccountMoved(account_id=account_id, parent_id=parent_id):
            origin = f" from {name_of(moved_from)}" if moved_from not in (None, parent_id) else ""
            words = f"{name_of(account_id)} moved{origin} to {name_of(parent_id or '')}"
        case AccountCreated() | AccountUpdated() | AccountClosed() | AccountRemoved() as data:
            words = f"{name_of(data.account_id)} {_VERBS[type(data)]}"
        case OuCreated() | OuRenamed() | OuDeleted() as data:
            words = f"{name_of(data.ou_id)} {_VERBS[type(data)]}"
        case PolicyCreated() | PolicyUpdated() | PolicyDeleted() as data:
            words = f"{name_of(data.policy_id)} {_VERBS[type(data)]}"
        case PolicyAttached(policy_id, target_id):
            words = f"{name_of(policy_id)} attached to {name_of(target_id)}"
        case PolicyDetached(policy_id, target_id):
            words = f"{name_of(policy_id)} detached from {name_of(target_id)}"
        case PolicyTypeEnabled() | PolicyTypeDisabled() as data:
            words = f"{data.policy_type} {_VERBS[type(data)]}"
        case SnapshotTaken():
            words = "found by reconciliation with a snapshot"
        case _ as data:
            words = _describe_other(data, organization)
    return words if change.origin is None else f"{words}, found by {change.origin}"


def names_of(change: Change, organization: Organization, *, moved_from: str | None = None) -> dict[str, str]:
    """
    Return the names of the units and policies that *change* is about, by their ids, as *organization* knows them.

    Names change, and what was said with those of its time is to be understood later.
    """
    match change.data:
        case AccountMoved(parent_id=parent_id):
            subjects = [moved_from, parent_id]
        case OuCreated(ou_id=subject) | OuRenamed(ou_id=subject) | OuDeleted(ou_id=subject):
            subjects = [subject]
        case PolicyCreated(policy_id=subject) | PolicyUpdated(policy_id=subject) | PolicyDeleted(policy_id=subject):
            subjects = [subject]
        case PolicyAttached(policy_id, target_id) | PolicyDetached(policy_id, target_id):
            subjects = [policy_id, target_id]
        case _:
            subjects = []
    named = {one: organization.name_of(one) for one in subjects if one and not is_root(one) and not is_account(one)}
    return {subject: name for subject, name in named.items() if name != subject}


def describe_refusal(error: ChangeError) -> str:
    """
    Return one line about a record that could not be processed: what became of it, where it is wrong, and why.
    """
    lead = _REFUSALS.get(error.disposition, "a record could not be processed")
    if not error.place:
        return f"{lead}: {error.reason}"
    return (
        f"{lead}: `{error.place}` {error.reason}"
        if error.reason.startswith("is ")
        else f"{lead}: {error.reason}, at `{error.place}`"
    )


def _describe_other(
    data: PrincipalChange | ProbeSet | ProbeRemoved | RereadAsked | RereadAnswered, organization: Organization
) -> str:
    if isinstance(data, RereadAsked):
        return f"{', '.join(one.object_id for one in data.requests)} to be read again"
    if isinstance(data, RereadAnswered):
        return f"{data.object_id} read again"
    if isinstance(data, ProbeSet | ProbeRemoved):
        return f"probe {data.probe.name if isinstance(data, ProbeSet) else data.name} {_VERBS[type(data)]}"
    account = organization.name_of(data.account_id)
    if isinstance(data, PrincipalsTaken):
        return f"principals of {account} found by reconciliation with a snapshot"
    kind, _, name = data.subject.partition("/")
    return f"{kind} {name.rpartition('/')[2]} {_VERBS[type(data)]} in {account}"
