"""
From a batch of records to everything that one transaction writes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import structlog

from rooftree.aws.events import AwsRecords, decode_record
from rooftree.errors import ChangeError, InputError
from rooftree.organization.changes import Change
from rooftree.organization.timestamps import format_time
from rooftree.ports.change_log import Batch, LogPartition, LogRecord
from rooftree.ports.letters import DeadLetter
from rooftree.ports.projection import BatchCommit, LoadedView, OrganizationCommit, ProjectionStore, SeenEvent
from rooftree.reading.reader import LetterName
from rooftree.telemetry.logs import Action, log
from rooftree.view.patch import Patch
from rooftree.view.projection import OrganizationView
from rooftree.view.wording import describe_refusal
from rooftree.workers.encoding import outgoing
from rooftree.workers.pauses import Turn
from rooftree.workers.placement import Placement, find_memberships
from rooftree.workers.replays import Replays, find_replays

__all__ = ["Plan", "Planner", "RecordFaultError"]

Outcome: TypeAlias = Change | AwsRecords | ChangeError


REPLAYED: Final = "everything that could not be processed has been replayed"
READ_ANEW: Final = "everything that was in doubt has been read again"


class RecordFaultError(Exception):
    """
    A record that can be read cannot be processed; what was planned with it is void.
    """

    def __init__(self, offset: int, cause: Exception) -> None:
        super().__init__(str(cause))
        self.offset = offset
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Plan:
    """
    A commit, and what it leaves for the next one.

    Attributes:
        rest: The records that would have made the transaction too large.
        repeated: How many records hold nothing that the view did not hold already.
        ignored: How many records hold nothing that changes anything: events of AWS about other things.
    """

    commit: BatchCommit
    rest: Batch | None
    records: int
    repeated: int
    ignored: int = 0

    @property
    def accounts(self) -> int:
        """
        How many rows of accounts it writes.
        """
        return sum(len(patch.accounts) for organization in self.commit.organizations for patch in organization.patches)

    @property
    def audit_events(self) -> int:
        """
        How many audit events it writes.
        """
        return sum(len(patch.audit) for organization in self.commit.organizations for patch in organization.patches)

    @property
    def failures(self) -> list[DeadLetter]:
        """
        What could not be processed, whether for the first time or again.
        """
        again = (replay.failure for replay in self.commit.replays)
        return [*self.commit.letters, *(failure for failure in again if failure is not None)]


@dataclass(slots=True)
class _Draft:
    """
    A plan in the making.
    """

    partition: LogPartition
    seen_before: set[tuple[str, str, str]]
    replays: Replays
    patches: defaultdict[str, list[Patch]] = field(default_factory=lambda: defaultdict(list))
    seen: defaultdict[str, list[SeenEvent]] = field(default_factory=lambda: defaultdict(list))
    letters: list[DeadLetter] = field(default_factory=list)
    superseded: set[str] = field(default_factory=set)
    placement: Placement = field(default_factory=lambda: Placement(()))
    faults: Mapping[int, Exception] = field(default_factory=dict)
    rows: int = 0
    repeated: int = 0
    ignored: int = 0


class Planner:
    """
    Views of organizations in memory, and plans made with them.

    A plan changes the views; if it is not committed they are to be forgotten.

    Args:
        store: Where views come from.
        cache_size: Most views in memory.
        max_rows: A plan ends with the change that brings it to this many rows of accounts and principals.
        clock_skew: Seconds by which the time of a change may lie ahead of that of its record; None for any.
    """

    def __init__(
        self, store: ProjectionStore, *, cache_size: int, max_rows: int, clock_skew: float | None = None
    ) -> None:
        self._store = store
        self._max_rows = max_rows
        self._clock_skew = None if clock_skew is None else timedelta(seconds=clock_skew)
        self._cache_size = cache_size
        self._views: OrderedDict[str, LoadedView] = OrderedDict()

    async def plan(
        self, batch: Batch, *, faults: Mapping[int, Exception] | None = None, most: int | None = None
    ) -> Plan:
        """
        Plan as many records of *batch* as go into one transaction.

        Args:
            batch: At least one record.
            faults: Records, by offset, that have turned out to be impossible, and why.
            most: Most records to plan.

        Raises:
            RecordFaultError: A record has turned out to be impossible; forget the views and plan again without it.
            UnavailableError: The store does not answer.
        """
        records = batch.records[:most]
        turn = Turn()
        decoded = []
        for record in records:
            decoded.append(self._decode(record, (faults or {}).get(record.offset)))
            await turn.give()
        placement = await find_memberships(self._store, decoded)
        told = [_told(placement, *each) for each in zip(decoded, records, strict=True)]
        seen = await self._seen([each for changes in told for each in changes if isinstance(each, Change)])
        replays = await find_replays(self._store, records)
        draft = _Draft(batch.partition, seen, replays, placement=placement, faults=faults or {})
        done = 0
        for record, outcome in zip(records, decoded, strict=True):
            with structlog.contextvars.bound_contextvars(offset=record.offset, **_named(outcome)):
                await self._take_in(draft, record, outcome)
            done += 1
            if draft.rows >= self._max_rows:
                break
            await turn.give()
        return self._finish(draft, batch, done)

    async def plan_loss(self, batch: Batch) -> Plan:
        """
        Plan what follows from records that can never be read: every organization that came by the partition misses something.
        """
        draft = _Draft(batch.partition, set(), Replays({}))
        noticed = datetime.now(UTC)
        name = _name(batch.partition, batch.from_offset, noticed)
        for organization_id in await self._store.organizations_of(batch.partition):
            view = (await self._view(organization_id)).view
            patch = view.mark_incomplete(
                source=batch.partition.topic, cause_id=name, time=noticed, reason=batch.lost or "", by_loss=True
            )
            draft.patches[organization_id].append(patch)
        return self._finish(draft, batch, 0)

    def committed(self, plan: Plan) -> None:
        """
        Keep the views of a plan that was committed, as of their new versions.
        """
        for organization in plan.commit.organizations:
            loaded = self._views[organization.organization_id]
            self._views[organization.organization_id] = replace(loaded, version=loaded.version + 1)
        while len(self._views) > self._cache_size:
            self._views.popitem(last=False)

    def forget(self) -> None:
        """
        Forget all views: what they hold may not be stored.
        """
        self._views.clear()

    def _decode(self, record: LogRecord, fault: Exception | None) -> Outcome:
        outcome = _decoded(record, fault)
        return self._not_ahead(outcome, record) if isinstance(outcome, Change) else outcome

    def _not_ahead(self, change: Change, record: LogRecord) -> Change | ChangeError:
        return change if self._clock_skew is None else _not_ahead(change, record, self._clock_skew)

    async def _changes(self, draft: _Draft, record: LogRecord, outcome: AwsRecords) -> list[Change | ChangeError]:
        """
        Return what a record of AWS comes to, now that all records before it are taken in.
        """
        views = [self._views[organization_id].view for organization_id in draft.patches]
        changes = draft.placement.changes(outcome, record, views)
        placed = [change for change in changes if isinstance(change, Change)]
        if placed and (fault := draft.faults.get(record.offset)) is not None:
            return [_refused(placed[0], fault)]
        asked = [*_told(draft.placement, outcome, record)]
        draft.seen_before |= await self._seen([change for change in placed if change not in asked])
        return [self._not_ahead(each, record) if isinstance(each, Change) else each for each in changes]

    async def _seen(self, changes: Sequence[Change]) -> set[tuple[str, str, str]]:
        events: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for change in changes:
            events[change.organization_id].append((change.source, change.event_id))
        return await self._store.seen(events)

    async def _view(self, organization_id: str) -> LoadedView:
        if organization_id not in self._views:
            self._views[organization_id] = await self._store.load_view(organization_id)
            log().debug(Action.VIEW_LOADED, organization=organization_id)
        self._views.move_to_end(organization_id)
        return self._views[organization_id]

    async def _take_in(self, draft: _Draft, record: LogRecord, outcome: Outcome) -> None:
        letter = draft.replays.letter(record)
        told = await self._changes(draft, record, outcome) if isinstance(outcome, AwsRecords) else [outcome]
        changes = [each for each in told if isinstance(each, Change)]
        fresh = [await self._apply(draft, record, change) for change in changes]
        errors = {each.organization_id: each for each in reversed(told) if isinstance(each, ChangeError)}
        if errors:
            for error in errors.values() if letter is None else [*errors.values()][-1:]:
                await self._park(draft, record, error, letter)
            return
        draft.ignored += not changes
        draft.repeated += bool(changes) and not any(fresh)
        if letter is not None and draft.replays.succeeded(letter):
            await self._complete(draft, record, letter.organization_id, REPLAYED)

    async def _apply(self, draft: _Draft, record: LogRecord, change: Change) -> bool:
        """
        Take in a change; tells whether the view did not hold it before.
        """
        organization_id = change.organization_id
        name = (organization_id, change.source, change.event_id)
        if name in draft.seen_before:
            return False
        view = (await self._view(organization_id)).view
        was_complete = view.position.complete
        if view.principals.directory.is_empty:
            patch = _applied(view, change, record)
        else:
            # What becomes of many thousand principals may take seconds, in which heartbeats are due.
            patch = await asyncio.to_thread(_applied, view, change, record)
        draft.seen_before.add(name)
        draft.rows += len(patch.accounts) + len(patch.departed) + len(patch.principals.states)
        draft.patches[organization_id].append(patch)
        draft.seen[organization_id].append(_seen_event(change, record, patch))
        if patch.position.complete and not was_complete:
            _supersede(draft, organization_id)
        elif patch.rereads.gone and not patch.position.complete:
            await self._settle(draft, record, organization_id)
        return True

    async def _settle(self, draft: _Draft, record: LogRecord, organization_id: str) -> None:
        """
        Make an organization complete that waited for nothing but what was read anew now.
        """
        waiting = (await self._store.open_letters(organization_id, ())).count
        settled = [each for each in draft.replays.outcomes if each.failure is None]
        waiting -= sum(each.letter.organization_id == organization_id for each in settled)
        if waiting <= 0 and not any(letter.organization_id == organization_id for letter in draft.letters):
            await self._complete(draft, record, organization_id, READ_ANEW)

    async def _complete(self, draft: _Draft, record: LogRecord, organization_id: str, summary: str) -> None:
        view = (await self._view(organization_id)).view
        if view.in_doubt:
            return
        patch = view.mark_complete(
            source=draft.partition.topic,
            cause_id=_name(draft.partition, record.offset, record.time),
            time=record.time or datetime.now(UTC),
            summary=summary,
        )
        draft.patches[organization_id].append(patch)

    async def _park(self, draft: _Draft, record: LogRecord, error: ChangeError, replay: LetterName | None) -> None:
        organization_id = error.organization_id or ""
        letter = DeadLetter(
            record=record,
            organization_id=organization_id,
            reason=_storable(error.reason),
            place=_storable(error.place),
            disposition=error.disposition,
            error_class=type(error.__cause__ or error).__name__,
        )
        log().warning(Action.RECORD_PARKED, reason=str(error), disposition=error.disposition)
        if replay is not None:
            # It waits already, and so its organization is marked.
            draft.replays.failed(replay, letter)
            return
        draft.letters.append(letter)
        place = (draft.partition.log_id, draft.partition.topic, draft.partition.partition, record.offset)
        draft.replays.parked(LetterName(organization_id, *place), record)
        if organization_id:
            view = (await self._view(organization_id)).view
            patch = view.mark_incomplete(
                source=draft.partition.topic,
                cause_id=_name(draft.partition, record.offset, record.time),
                time=_time_missed(error, record),
                reason=_storable(describe_refusal(error)),
            )
            draft.patches[organization_id].append(patch)

    def _finish(self, draft: _Draft, batch: Batch, done: int) -> Plan:
        rest = batch.records[done:]
        to_offset = batch.records[done - 1].offset + 1 if rest else batch.to_offset
        organizations = tuple(
            OrganizationCommit(
                organization_id=organization_id,
                expected_version=self._views[organization_id].version,
                patches=tuple(patches),
                seen=tuple(draft.seen[organization_id]),
                outgoing=outgoing(organization_id, patches),
                superseded=organization_id in draft.superseded,
            )
            for organization_id, patches in sorted(draft.patches.items())
        )
        commit = BatchCommit(
            batch.partition,
            batch.from_offset,
            to_offset,
            organizations,
            tuple(draft.letters),
            tuple(draft.replays.outcomes),
        )
        remaining = replace(batch, from_offset=to_offset, records=rest) if rest else None
        return Plan(commit, remaining, done, draft.repeated, draft.ignored)


def _decoded(record: LogRecord, fault: Exception | None) -> Outcome:
    try:
        outcome = decode_record(record.value or b"", key=record.key)
    except ChangeError as error:
        return error
    return _refused(outcome, fault) if fault is not None and isinstance(outcome, Change) else outcome


def _told(placement: Placement, outcome: Outcome, record: LogRecord) -> Sequence[Change | ChangeError]:
    """
    Return what a record comes to as far as the store alone can tell.
    """
    return placement.changes(outcome, record) if isinstance(outcome, AwsRecords) else [outcome]


def _refused(change: Change, fault: Exception) -> ChangeError:
    refusal = ChangeError(
        str(fault) or type(fault).__name__,
        disposition="refused" if isinstance(fault, InputError) else "fault",
        organization_id=change.organization_id,
        time=change.time,
    )
    refusal.__cause__ = fault
    return refusal


def _not_ahead(change: Change, record: LogRecord, skew: timedelta) -> Change | ChangeError:
    """
    Refuse a change of a time to come: it would win over all changes until then, in every register that it names.

    The time of the record is asked and not the clock alone, so that the log means the same whenever it is read.
    """
    now = datetime.now(UTC)
    taken = min(record.time or now, now)
    if change.time - taken <= skew:
        return change
    return ChangeError(
        f"expected at most {skew.total_seconds():g} seconds after the broker took it, at `{format_time(taken)}`,"
        f" found `{format_time(change.time)}`",
        place="time",
        organization_id=change.organization_id,
        time=change.time,
    )


def _supersede(draft: _Draft, organization_id: str) -> None:
    draft.superseded.add(organization_id)
    draft.replays.superseded(organization_id)
    draft.letters = [
        replace(letter, superseded=True) if letter.organization_id == organization_id else letter
        for letter in draft.letters
    ]


def _applied(view: OrganizationView, change: Change, record: LogRecord) -> Patch:
    try:
        return view.apply(change)
    except MemoryError:
        raise  # no fault of the record
    except Exception as error:
        raise RecordFaultError(record.offset, error) from error


def _seen_event(change: Change, record: LogRecord, patch: Patch) -> SeenEvent:
    return SeenEvent(
        source=change.source,
        event_id=change.event_id,
        type=change.type,
        time=change.time,
        revision=patch.position.revision,
        offset=record.offset,
        record_time=record.time,
    )


def _named(outcome: Outcome) -> dict[str, object]:
    if isinstance(outcome, AwsRecords):
        return {"event_id": ", ".join(one.event_id for one in outcome.records[:3])}
    if isinstance(outcome, Change):
        return {"organization": outcome.organization_id, "event_id": outcome.event_id}
    return {"organization": outcome.organization_id}


def _name(partition: LogPartition, offset: int, time: datetime | None) -> str:
    # With the log and the time: a broker or a topic that was made anew counts from zero again.
    moment = "" if time is None else f"@{time.timestamp():.3f}"
    return f"{partition.log_id}:{partition.partition}:{offset}{moment}"


def _time_missed(error: ChangeError, record: LogRecord) -> datetime:
    # A change took effect before the broker had its record; an event that says otherwise does not get to keep the
    # mark beyond any snapshot.
    told = [time for time in (error.time, record.time) if time is not None]
    return min(told) if told else datetime.now(UTC)


def _storable(text: str) -> str:
    # Reasons quote what was given, which may hold what PostgreSQL does not take as text.
    return text.replace("\x00", "\\0").encode("utf-8", "backslashreplace").decode()
