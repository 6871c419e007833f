"""
What a commit writes, as columns: pure, so that the transaction itself is short.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rooftree.organization.chains import ChainRecord
from rooftree.organization.facts import Fact, FactKey
from rooftree.store.principals import PrincipalWrites
from rooftree.store.probes import ProbeWrites
from rooftree.store.rereads import RereadWrites
from rooftree.view.patch import AccountState, AuditLog, Departure, DocumentRecord, Patch, PermissionState, Position

__all__ = ["HistoryRow", "HistoryWrite", "LastRow", "ServiceVerdicts", "Writes", "compress_verdicts", "merge_patches"]


@dataclass(frozen=True, slots=True)
class _Step:
    time: datetime
    state: AccountState | None
    complete: bool


@dataclass(frozen=True, slots=True)
class LastRow:
    """
    The latest row of an account's history as it is stored.
    """

    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """
    A row to insert into the history.
    """

    valid_from: datetime
    valid_to: datetime | None
    state: AccountState
    complete: bool


@dataclass(slots=True)
class HistoryWrite:
    """
    What happens to the history of some accounts.

    Attributes:
        replaced: Accounts whose open row never held for any time, and goes, with its start.
        closed: The start of the open row of each account, and when it ends.
        begun: Accounts whose row of the view, as it is in the end, starts a row of the history, by whether the view was
            complete.
        rows: What else is inserted.
        since: From when on the state of each account holds, in its row of the view.
    """

    replaced: dict[str, datetime] = field(default_factory=dict)
    closed: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    begun: defaultdict[bool, list[str]] = field(default_factory=lambda: defaultdict(list))
    rows: list[HistoryRow] = field(default_factory=list)
    since: dict[str, datetime] = field(default_factory=dict)


@dataclass(slots=True)
class Writes:
    """
    Several patches of one organization as one.

    Attributes:
        audit: The events of each patch.
        steps: What each account went through, in order.
    """

    position: Position
    facts: dict[FactKey, Fact] = field(default_factory=dict)
    chains: dict[str, ChainRecord] = field(default_factory=dict)
    documents: dict[str, DocumentRecord] = field(default_factory=dict)
    permission_sets: dict[str, PermissionState] = field(default_factory=dict)
    audit: list[AuditLog] = field(default_factory=list)
    steps: dict[str, list[_Step]] = field(default_factory=lambda: defaultdict(list))
    principals: PrincipalWrites = field(default_factory=PrincipalWrites)
    probes: ProbeWrites = field(default_factory=ProbeWrites)
    rereads: RereadWrites = field(default_factory=RereadWrites)

    def history(self, account_ids: Iterable[str], last: Mapping[str, LastRow]) -> HistoryWrite:
        """
        Return what becomes of the history of some of the accounts.

        INVARIANT: rows of one account follow each other without overlap, and none is empty. Times that would break it
        are moved up to where the row before starts or ends.

        Args:
            account_ids: The accounts.
            last: The latest stored row of each account that has any.
        """
        write = HistoryWrite()
        for account_id in account_ids:
            _write_history(write, account_id, self.steps[account_id], last.get(account_id))
        return write


def merge_patches(patches: Sequence[Patch]) -> Writes:
    """
    Make one of the patches of one organization, given in their order.
    """
    writes = Writes(
        position=patches[-1].position,
        principals=PrincipalWrites.of(patches),
        probes=ProbeWrites.of(patches),
        rereads=RereadWrites.of(patches),
    )
    for patch in patches:
        writes.facts.update((fact.key, fact) for fact in patch.facts)
        writes.chains.update((chain.chain_id, chain) for chain in patch.chains)
        writes.documents.update((document.digest, document) for document in patch.documents)
        # One without verdicts is in the store, or stands with them in an earlier patch.
        writes.permission_sets.update(
            (state.permissions_id, state) for state in patch.permission_sets if state.verdicts is not None
        )
        writes.audit.append(patch.audit)
        for change in _in_order(patch):
            writes.steps[change.account_id].append(_step(change, complete=patch.position.complete))
    return writes


def _in_order(patch: Patch) -> Iterable[AccountState | Departure]:
    yield from patch.departed
    yield from patch.accounts


def _step(change: AccountState | Departure, *, complete: bool) -> _Step:
    if isinstance(change, Departure):
        return _Step(change.until, None, complete)
    return _Step(change.since, change, complete)


def _write_history(write: HistoryWrite, account_id: str, steps: Sequence[_Step], last: LastRow | None) -> None:
    times = _rising([step.time for step in steps], floor=(last.valid_to or last.valid_from) if last else None)
    if last is not None and last.valid_to is None:
        if times[0] == last.valid_from:
            write.replaced[account_id] = last.valid_from
        else:
            write.closed[account_id] = (last.valid_from, times[0])
    for step, start, end in zip(steps, times, [*times[1:], None], strict=True):
        if step.state is None or start == end:
            continue
        if end is None:
            write.begun[step.complete].append(account_id)
        else:
            state = step.state if step.state.since == start else step.state._replace(since=start)
            write.rows.append(HistoryRow(start, end, state, step.complete))
    write.since[account_id] = times[-1]


def _rising(times: Iterable[datetime], *, floor: datetime | None) -> list[datetime]:
    rising: list[datetime] = []
    for time in times:
        floor = time if floor is None else max(floor, time)
        rising.append(floor)
    return rising


@dataclass(frozen=True, slots=True)
class ServiceVerdicts:
    """
    The verdicts on the actions of one service: one for most, and the exceptions.
    """

    service: str
    verdict: str
    exceptions: Mapping[str, str]


def compress_verdicts(verdicts: Mapping[tuple[str, str], str]) -> tuple[str, list[ServiceVerdicts]]:
    """
    Return the most common verdict on whole services, and the services that are not just that.
    """
    first: dict[str, str] = {}
    mixed = {service for (service, _), verdict in verdicts.items() if first.setdefault(service, verdict) != verdict}
    actions: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for (service, action), verdict in verdicts.items() if mixed else ():
        if service in mixed:
            actions[service][action] = verdict
    services = [
        _compress_service(service, actions[service]) if service in mixed else ServiceVerdicts(service, verdict, {})
        for service, verdict in sorted(first.items())
    ]
    common = _most_common(service.verdict for service in services if not service.exceptions)
    return common, [service for service in services if service.verdict != common or service.exceptions]


def _compress_service(service: str, actions: Mapping[str, str]) -> ServiceVerdicts:
    common = _most_common(actions.values())
    return ServiceVerdicts(service, common, {name: verdict for name, verdict in actions.items() if verdict != common})


def _most_common(verdicts: Iterable[str]) -> str:
    # Ties go to the first in the alphabet, so that equal sets have equal rows.
    counts = Counter(verdicts)
    return min(counts, key=lambda verdict: (-counts[verdict], verdict), default="denied")
