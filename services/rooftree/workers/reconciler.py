"""
The worker that compares what is known of an organization with what AWS itself says.

See docs/decisions/0020 for why nothing here can overrule an event that is late.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from rooftree.contracts.change_events import change_event
from rooftree.contracts.snapshot_events import encode_event, snapshot_events
from rooftree.errors import RooftreeError
from rooftree.organization.changes import Change, ChangeType
from rooftree.organization.drift import RECONCILER, RECONCILIATION, Drift, find_drift, subject_of
from rooftree.organization.facts import Attribute, FactKind
from rooftree.organization.identifiers import is_account, is_ou
from rooftree.organization.observation import Observation
from rooftree.organization.rereads import RereadKind
from rooftree.organization.snapshot import Snapshot
from rooftree.organization.tree import Organization
from rooftree.ports.publishing import ChangePublisher
from rooftree.ports.reconciliation import KnownOrganization, OrganizationApi, ReconciliationStore, WholeOrganization
from rooftree.telemetry.logs import Action, log
from rooftree.telemetry.metrics import Metrics
from rooftree.workers.pauses import pause
from rooftree.workers.rereading import Rereader

__all__ = ["Reconciler"]

SCHEDULE: Final = "schedule"
SHOWN: Final = 200
"""How many differences are kept in the table and told in the log; all of them are published and counted."""

FIRST_RETRY: Final = 15.0
LONGEST_RETRY: Final = 600.0

_T = TypeVar("_T")


class _StoppedError(Exception):
    """
    The worker is to stop while it waits for AWS.
    """


@dataclass(frozen=True, slots=True)
class _Outcome:
    """
    What a round has found.
    """

    moment: datetime
    accounts: int
    postponed: int
    found: tuple[Change, ...] = ()
    whole: bool = False

    @property
    def by_kind(self) -> Counter[str]:
        """
        How many changes were lost, by their type; a snapshot where nothing was known to compare with.
        """
        kinds = Counter(str(change.type) for change in self.found)
        return kinds + Counter({str(ChangeType.SNAPSHOT): int(self.whole)})


class Reconciler:
    """
    Read, compare, wait, read the differences again, publish what has lasted.

    What AWS says counts as of *grace* seconds before it was asked, by the clock of AWS, and a difference must last for
    *patience* seconds before its event counts as lost. A failure is written down and told, and the worker goes on.
    """

    def __init__(
        self,
        api: OrganizationApi,
        store: ReconciliationStore,
        publisher: ChangePublisher,
        *,
        interval: float = 3600,
        grace: float = 60,
        patience: float = 120,
        reread_interval: float = 5,
    ) -> None:
        self._api = api
        self._store = store
        self._publisher = publisher
        self._interval = interval
        self._grace = timedelta(seconds=grace)
        self._patience = patience
        self._pause = reread_interval
        self._rereader = Rereader(api, store, publisher, grace=grace)
        self._organization_id: str | None = None
        self._retry = FIRST_RETRY
        self._next = time.monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """
        Work until *stop* is set; what AWS has not answered by then is left.
        """
        while not stop.is_set():
            try:
                await self._turn(stop)
            except _StoppedError:
                return
            except RooftreeError as error:
                # The store is away, or AWS before it has told which organization this is.
                self._survive(error)
            await pause(self._pause, stop)

    async def _turn(self, stop: asyncio.Event) -> None:
        if time.monotonic() >= self._next:
            await self.round(stop)
        if self._organization_id is not None:
            wants_all = await _unless(stop, self._rereader.turn(self._organization_id))
            if wants_all:
                await self.round(stop, anyway=True)

    async def round(self, stop: asyncio.Event, *, anyway: bool = False) -> None:
        """
        Compare the whole organization, unless another reconciler does or has done so.

        Args:
            stop: Ends the wait for AWS.
            anyway: Do so even if the last round is not long ago.

        Raises:
            UnavailableError: The store does not answer.
        """
        organization_id = await self._identify(stop)
        if organization_id is None:
            return
        async with self._store.claim(organization_id) as is_ours:
            since = await self._store.since_last(organization_id)
            left = 0.0 if since is None or anyway else self._interval - since
            if not is_ours or left > 0:
                self._next = time.monotonic() + max(left, self._pause)
                return
            number = await self._store.begin(organization_id, SCHEDULE)
            started = time.monotonic()
            try:
                outcome = await self._compare(organization_id, stop)
            except _StoppedError:
                await self._store.fail(organization_id, number, "the reconciler was stopped")
                raise
            except RooftreeError as error:
                await self._store.fail(organization_id, number, str(error))
                self._survive(error)
                return
            await self._store.finish(
                organization_id,
                number,
                moment=outcome.moment,
                accounts=outcome.accounts,
                postponed=outcome.postponed,
                by_kind=outcome.by_kind,
                differences=[_shown(change) for change in outcome.found[:SHOWN]],
            )
        self._retry, self._next = FIRST_RETRY, time.monotonic() + self._interval
        _tell(organization_id, outcome, seconds=time.monotonic() - started)

    async def _identify(self, stop: asyncio.Event) -> str | None:
        if self._organization_id is None:
            try:
                self._organization_id = await _unless(stop, self._api.organization_id())
            except RooftreeError as error:
                number = await self._store.begin("", SCHEDULE)
                await self._store.fail("", number, str(error))
                self._survive(error)
        return self._organization_id

    async def _compare(self, organization_id: str, stop: asyncio.Event) -> _Outcome:
        whole = await _unless(stop, self._api.read_organization())
        moment = whole.began - self._grace
        known = await self._store.known(organization_id)
        organization = Organization(organization_id, known.facts)
        if not _is_same(organization, whole.snapshot):
            # Nothing is known yet, or what only a snapshot can tell has changed.
            await self._publish(organization_id, _snapshot(whole, moment))
            await self._rereader.answer_whole(organization_id, moment)
            return _Outcome(moment, len(whole.snapshot.accounts), 0, whole=True)
        drift = find_drift(organization, Observation.of_snapshot(whole.snapshot, moment))
        found = await self._confirm(organization_id, drift, stop) if drift.changes else ()
        await self._publish(organization_id, map(change_event, found))
        if _needs_all(known, moment):
            await self._publish(organization_id, _snapshot(whole, moment))
        await self._rereader.answer_whole(organization_id, moment)
        postponed = drift.postponed + len(drift.changes) - len(found)
        return _Outcome(moment, len(whole.snapshot.accounts), postponed, found)

    async def _confirm(self, organization_id: str, drift: Drift, stop: asyncio.Event) -> tuple[Change, ...]:
        """
        Return those of the changes that are still missing after a while, by another look at AWS and at the facts.
        """
        await pause(self._patience, stop)
        if stop.is_set():
            raise _StoppedError
        again = await _unless(stop, self._api.read_objects(_objects(drift.changes)))
        known = await self._store.known(organization_id)
        organization = Organization(organization_id, known.facts)
        later = find_drift(organization, replace(again, moment=again.moment - self._grace))
        lasting = {(change.type, change.data) for change in later.changes}
        return tuple(change for change in drift.changes if (change.type, change.data) in lasting)

    async def _publish(self, organization_id: str, events: Iterable[dict[str, object]]) -> None:
        records = [(organization_id, encode_event(event)) for event in events]
        if records:
            await self._publisher.publish_changes(records)

    def _survive(self, error: RooftreeError) -> None:
        Metrics.reconciliations.labels("failed").inc()
        Metrics.failures.labels(Action.RECONCILIATION_FAILED.value).inc()
        retry = min(self._retry, self._interval)
        log().warning(Action.RECONCILIATION_FAILED, reason=str(error), retry_in=retry)
        self._next = time.monotonic() + retry
        self._retry = min(2 * self._retry, LONGEST_RETRY)


def _objects(changes: Sequence[Change]) -> list[tuple[str, str]]:
    """
    Return what to read again so that the same changes are found again.
    """
    found: list[tuple[str, str]] = []
    for change in changes:
        subject = subject_of(change.data)
        if change.type in (ChangeType.POLICY_ATTACHED, ChangeType.POLICY_DETACHED):
            found.append((RereadKind.ATTACHMENTS, subject))
        elif change.type in (ChangeType.POLICY_TYPE_ENABLED, ChangeType.POLICY_TYPE_DISABLED):
            found.append((RereadKind.ORGANIZATION, change.organization_id))
        elif is_account(subject) or is_ou(subject):
            found.append((RereadKind.ACCOUNT if is_account(subject) else RereadKind.OU, subject))
        else:
            found.append((RereadKind.POLICY, subject))
    return list(dict.fromkeys(found))


def _is_same(organization: Organization, snapshot: Snapshot) -> bool:
    features = organization.registers.text(FactKind.ORGANIZATION, organization.organization_id, Attribute.FEATURE_SET)
    known = (organization.registers.root(), organization.management_account_id, features, organization.partition)
    told = (snapshot.root_id, snapshot.management_account_id, snapshot.feature_set)
    return known == (*told, snapshot.partition or organization.partition)


def _needs_all(known: KnownOrganization, moment: datetime) -> bool:
    # What was lost or could not be read may have been anything: a snapshot says all that it could have said.
    return known.incomplete_until is not None and known.incomplete_until < moment


def _snapshot(whole: WholeOrganization, moment: datetime) -> list[dict[str, object]]:
    told = {"source": RECONCILER, "cause": RECONCILIATION}
    return [{**event, **told} for event in snapshot_events(whole.snapshot, whole.document, moment)]


def _shown(change: Change) -> dict[str, object]:
    event = change_event(change)
    return {"event_id": event["id"], "type": event["type"], "data": event["data"]}


def _tell(organization_id: str, outcome: _Outcome, *, seconds: float) -> None:
    Metrics.reconciliations.labels("done").inc()
    Metrics.reconciled_at.set(datetime.now(UTC).timestamp())
    for change in outcome.found:
        Metrics.reconciliation_lost.labels(str(change.type)).inc()
    for change in outcome.found[:SHOWN]:
        log().warning(
            Action.CHANGE_LOST,
            organization=organization_id,
            type=str(change.type),
            subject=subject_of(change.data),
            event_id=change.event_id,
        )
    log().info(
        Action.RECONCILED,
        organization=organization_id,
        moment=outcome.moment.isoformat(),
        accounts=outcome.accounts,
        found=sum(outcome.by_kind.values()),
        postponed=outcome.postponed,
        seconds=round(seconds, 1),
    )


async def _unless(stop: asyncio.Event, work: Awaitable[_T]) -> _T:
    """
    Return what *work* comes to.

    Raises:
        _StoppedError: *stop* was set before.
    """
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise _StoppedError
        return working.result()
    finally:
        stopping.cancel()
        working.cancel()
        with suppress(asyncio.CancelledError, RooftreeError):
            await working
