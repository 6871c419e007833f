"""
The stored view, held against what its facts say: every row is worked out anew, and each deviation is named.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import TypeAlias

from rooftree import permissions as default_algebra
from rooftree.organization.chains import ChainRecord, identify_chain
from rooftree.organization.documents import read_stored
from rooftree.organization.facts import Attribute, Fact, FactKind
from rooftree.organization.survey import Placement, Survey
from rooftree.organization.timestamps import format_time
from rooftree.organization.tree import Organization
from rooftree.permissions import AccountBinding, Permissions
from rooftree.permissions.account import ACCOUNT_PLACEHOLDER
from rooftree.view.algebra import Algebra
from rooftree.view.ceilings import Ceilings
from rooftree.view.patch import AccountState

__all__ = [
    "Deviation",
    "FoundState",
    "Seen",
    "Span",
    "StoredPermissions",
    "StoredView",
    "derived_id",
    "deviations",
    "digest_of",
    "gap_starts",
]

Order: TypeAlias = tuple[datetime, int]

# What the facts say of an account; the rest of a row is about when and why it came to say so.
TOLD = ("name", "email", "status", "parent_id", "path", "placed", "chain_id", "permissions_id")


@dataclass(frozen=True, slots=True)
class Span:
    """
    A row of the history of an account, whose start is that of its state.
    """

    valid_to: datetime | None
    state: AccountState


@dataclass(frozen=True, slots=True)
class StoredPermissions:
    """
    A permission set as it is stored.

    Attributes:
        verdict: The verdict on services that are not among *services*.
        services: The verdict on each other service, and on the actions that differ from it.
    """

    permissions: Mapping[str, object]
    verdict: str
    services: Mapping[str, tuple[str, Mapping[str, str]]]

    def verdict_on(self, service: str, action: str) -> str:
        """
        Return the verdict on one action.
        """
        verdict, exceptions = self.services.get(service, (self.verdict, {}))
        return exceptions.get(action, verdict)


@dataclass(frozen=True, slots=True)
class Seen:
    """
    A change that was taken in.

    Attributes:
        time: When it took effect.
        order: What sorts changes as they were taken in.
    """

    time: datetime
    order: Order


@dataclass(frozen=True, slots=True)
class StoredView:
    """
    Everything that is stored about one organization, as of one moment.

    Attributes:
        history: The spans of each account, the earliest first.
        removals: The changes that can make an account leave: removals and snapshots.
        seen_at: Of the moments at which a gap starts, when the first change of that time was taken in.
    """

    organization_id: str
    facts: Sequence[Fact]
    accounts: Mapping[str, AccountState]
    history: Mapping[str, Sequence[Span]]
    chains: Mapping[str, ChainRecord]
    documents: Mapping[str, str]
    permission_sets: Mapping[str, StoredPermissions]
    removals: Sequence[Seen] = ()
    seen_at: Mapping[datetime, Order] | None = None


@dataclass(frozen=True, slots=True)
class Deviation:
    """
    One thing that is stored otherwise than it should be.

    Attributes:
        place: Table, key and column.
    """

    place: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.place}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class FoundState:
    """
    What a verification has found, in short.

    Attributes:
        subject: ``audit`` for the audit events, ``view`` for accounts and their history.
        position: Revision and part of the last audit event that is whole, as are all before it; of the view, the
            revision that it had at least, and 0.
        checked: How many audit events are whole; of the view, how many rows were looked at.
        faults: How many things are wrong.
        fault: The first of them, with its place; None if nothing is.
    """

    organization_id: str
    subject: str
    position: tuple[int, int]
    checked: int
    faults: int
    fault: str | None


def deviations(stored: StoredView, *, algebra: Algebra = default_algebra) -> Iterator[Deviation]:
    """
    Yield everything in which a stored view differs from what follows from its facts, and from itself.
    """
    yield from _chain_deviations(stored)
    yield from _Accounts(stored, algebra).deviations()
    for account_id in sorted({*stored.accounts, *stored.history}):
        yield from _history_deviations(stored, account_id)


def gap_starts(history: Mapping[str, Sequence[Span]]) -> set[datetime]:
    """
    Return the moments at which an account has a row no more but gets one later.
    """
    return {
        before.valid_to
        for spans in history.values()
        for before, after in pairwise(spans)
        if before.valid_to is not None and before.valid_to < after.state.since
    }


class _Accounts:
    """
    The rows of the view and of the history, and what they refer to, worked out anew.
    """

    def __init__(self, stored: StoredView, algebra: Algebra) -> None:
        self._stored = stored
        self._organization = Organization(stored.organization_id, stored.facts)
        self._survey = Survey(self._organization)
        self._algebra = algebra
        self._known = _Known(stored, algebra)
        self._checked: set[str] = set()

    def deviations(self) -> Iterator[Deviation]:
        expected = set(self._organization.accounts())
        for account_id in sorted(expected | set(self._stored.accounts)):
            row = self._stored.accounts.get(account_id)
            place = f"account {account_id}"
            if row is None:
                yield Deviation(place, "a row", "none")
            elif account_id not in expected:
                yield Deviation(place, "no row: the account is not in the organization", "one")
            else:
                yield from self._row_deviations(place, row)
        for account_id, spans in sorted(self._stored.history.items()):
            for span in spans:
                place = f"account_history {account_id} from {format_time(span.state.since)}"
                yield from self._known.deviations(place, span.state)

    def _row_deviations(self, place: str, row: AccountState) -> Iterator[Deviation]:
        placement = self._survey.placement(row.account_id)
        bound = None if placement is None else self._bound(row.account_id, placement)
        expected = self._expected(row.account_id, placement, bound[1] if bound else None)
        yield from _column_deviations(place, expected, row)
        if row.placed and row.reported_chain_id != row.chain_id:
            yield Deviation(f"{place} reported_chain_id", _shown(row.chain_id), _shown(row.reported_chain_id))
        if bound is not None:
            yield from self._set_deviations(*bound)

    def _bound(self, account_id: str, placement: Placement) -> tuple[AccountBinding, Permissions]:
        chain = placement.chain
        ceilings = Ceilings(self._stored.organization_id, [chain], self._survey.documents, self._algebra)
        binding = ceilings.binding(chain.chain_id, account_id, placement.path[:-1])
        return binding, ceilings.permissions(chain.chain_id, binding)

    def _expected(
        self, account_id: str, placement: Placement | None, permissions: Permissions | None
    ) -> Mapping[str, object]:
        registers = self._organization.registers
        return {
            "name": self._organization.name_of(account_id),
            "email": registers.text(FactKind.ACCOUNT, account_id, Attribute.EMAIL),
            "status": registers.status(account_id),
            "parent_id": registers.parent(account_id),
            "path": placement.path if placement else (account_id,),
            "placed": placement is not None,
            "chain_id": placement.chain.chain_id if placement else None,
            "permissions_id": permissions.permissions_id if permissions else None,
        }

    def _set_deviations(self, binding: AccountBinding, permissions: Permissions) -> Iterator[Deviation]:
        permissions_id = permissions.permissions_id
        if permissions_id in self._checked:
            return
        self._checked.add(permissions_id)
        stored = self._stored.permission_sets.get(permissions_id)
        place = f"permission_set {permissions_id}"
        if stored is None:
            yield Deviation(place, "a row", "none")
            return
        summary = permissions.summary(replace(binding, account_id=ACCOUNT_PLACEHOLDER))
        wrongly = list(_summary_deviations(f"{place} permissions", summary, stored.permissions))
        # Chains that decide alike share a set, which is worded as the first of them was written.
        if wrongly and not self._known.has_summary(permissions_id, stored.permissions, binding):
            yield from wrongly
        wrong = [
            Deviation(f"{place} {service}:{action}", verdict, stored.verdict_on(service, action))
            for (service, action), verdict in permissions.verdicts().items()
            if stored.verdict_on(service, action) != verdict
        ]
        yield from wrong[:1]


class _Known:
    """
    What is stored about chains and permission sets, as rows refer to it.
    """

    def __init__(self, stored: StoredView, algebra: Algebra) -> None:
        self._stored = stored
        documents = {digest: document for digest, text in stored.documents.items() if (document := read_stored(text))}
        self._whole = {
            chain_id
            for chain_id, chain in stored.chains.items()
            if all(policy.digest in documents for policy in chain.policies)
        }
        chains = [stored.chains[chain_id] for chain_id in self._whole]
        self._ceilings = Ceilings(stored.organization_id, chains, documents, algebra)

    def has_summary(self, permissions_id: str, summary: Mapping[str, object], account: AccountBinding) -> bool:
        """
        Tell whether some chain that comes to these permissions is summarized so.
        """
        anybody = replace(account, account_id=ACCOUNT_PLACEHOLDER)
        for chain_id in sorted(self._whole):
            permissions = self._ceilings.reported_permissions(chain_id, account)
            if permissions.permissions_id == permissions_id:
                found = permissions.summary(anybody)
                if not any(_summary_deviations("", found, summary)):
                    return True
        return False

    def deviations(self, place: str, row: AccountState) -> Iterator[Deviation]:
        """
        Yield what is wrong with the chain and the permission set that a row names.
        """
        if row.placed != (row.chain_id is not None) or row.placed != (row.permissions_id is not None):
            yield Deviation(f"{place} placed", "a chain and permissions if placed, else neither", _shown(row.placed))
        if row.chain_id is None or row.permissions_id is None:
            return
        if row.permissions_id not in self._stored.permission_sets:
            yield Deviation(f"{place} permissions_id", "one that is stored", _shown(row.permissions_id))
        if row.chain_id not in self._stored.chains:
            yield Deviation(f"{place} chain_id", "one that is stored", _shown(row.chain_id))
        elif row.chain_id in self._whole:
            binding = self._ceilings.binding(row.chain_id, row.account_id, row.path[:-1])
            found = self._ceilings.permissions(row.chain_id, binding).permissions_id
            if found != row.permissions_id:
                yield Deviation(f"{place} permissions_id", _shown(found), _shown(row.permissions_id))


def derived_id(chain: ChainRecord) -> str:
    """
    Return the id that follows from what a chain is made of, whatever id is stored with that.
    """
    return identify_chain(chain.levels, chain.resource_levels, partition=chain.partition).chain_id


def digest_of(text: str) -> str:
    """
    Return the digest that follows from the text of a policy; of text that was altered too.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _chain_deviations(stored: StoredView) -> Iterator[Deviation]:
    for chain_id, chain in sorted(stored.chains.items()):
        found = derived_id(chain)
        if found != chain_id:
            yield Deviation(f"chain {chain_id} levels", f"those of `{chain_id}`", f"those of `{found}`")
        for policy in chain.policies:
            if policy.digest not in stored.documents:
                yield Deviation(f"chain {chain_id} {policy.policy_id}", "a document that is stored", policy.digest)
    for digest, text in sorted(stored.documents.items()):
        found = digest_of(text)
        if found != digest:
            yield Deviation(f"policy_document {digest} content", f"that of `{digest}`", f"that of `{found}`")


def _history_deviations(stored: StoredView, account_id: str) -> Iterator[Deviation]:
    place = f"account_history {account_id}"
    spans = stored.history.get(account_id, ())
    for span in spans:
        if span.valid_to is not None and span.valid_to <= span.state.since:
            yield Deviation(_from(place, span), "an end after its start", format_time(span.valid_to))
    for before, after in pairwise(spans):
        start = after.state.since
        if before.valid_to is None or before.valid_to > start:
            end = "no end" if before.valid_to is None else format_time(before.valid_to)
            yield Deviation(_from(place, before), f"an end by {format_time(start)}, where the next starts", end)
        elif before.valid_to < start and not _explained(stored, before.valid_to):
            yield Deviation(_from(place, after), f"a start at {format_time(before.valid_to)}", "a gap before it")
    yield from _open_deviations(place, spans, stored.accounts.get(account_id))


def _open_deviations(place: str, spans: Sequence[Span], row: AccountState | None) -> Iterator[Deviation]:
    current = spans[-1] if spans and spans[-1].valid_to is None else None
    if row is None:
        if current is not None:
            yield Deviation(_from(place, current), "an end: the view has no row", "no end")
    elif current is None:
        yield Deviation(place, "a row without end, as the view has one", "none")
    else:
        told = {name: value for name, value in row._asdict().items() if name != "reported_chain_id"}
        yield from _column_deviations(_from(place, current), told, current.state)


def _explained(stored: StoredView, gap: datetime) -> bool:
    """
    Tell whether an account may have left at the start of a gap.

    A removal ends the row at its own time, or, where a change of a later time had been taken in before, at that time.
    """
    later = (stored.seen_at or {}).get(gap)
    return any(
        removal.time == gap or (removal.time < gap and later is not None and later <= removal.order)
        for removal in stored.removals
    )


def _column_deviations(place: str, expected: Mapping[str, object], row: AccountState) -> Iterator[Deviation]:
    for name, value in expected.items():
        found = getattr(row, name)
        if found != value:
            yield Deviation(f"{place} {name}", _shown(value), _shown(found))


def _summary_deviations(place: str, expected: object, found: object) -> Iterator[Deviation]:
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for name in sorted({*expected, *found}):
            if name not in found:
                yield Deviation(f"{place}.{name}", "a value", "none")
            elif name not in expected:
                yield Deviation(f"{place}.{name}", "none", "a value")
            elif _plain(expected[name]) != _plain(found[name]):
                yield Deviation(f"{place}.{name}", _shown(expected[name]), _shown(found[name]))


def _plain(value: object) -> object:
    return json.loads(json.dumps(value, default=_listed))


def _listed(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else list(value) if isinstance(value, Iterable) else str(value)


def _from(place: str, span: Span) -> str:
    return f"{place} from {format_time(span.state.since)}"


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return format_time(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    text = value if isinstance(value, str) else json.dumps(_plain(value), ensure_ascii=False)
    return f"`{text[:200]}{'…' if len(text) > 200 else ''}`"
