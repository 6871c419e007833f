"""
Requests to read something anew, answered as soon as what AWS says is sure to be newer than the event that asked.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from rooftree.contracts.change_events import change_event
from rooftree.contracts.principal_events import principal_events
from rooftree.contracts.rereads import answer_event
from rooftree.contracts.snapshot_events import encode_event
from rooftree.errors import RooftreeError, UnavailableError
from rooftree.organization.drift import RECONCILER, RECONCILIATION, find_drift
from rooftree.organization.rereads import PRINCIPAL_KINDS, Reread, RereadKind
from rooftree.organization.tree import Organization
from rooftree.ports.publishing import ChangePublisher
from rooftree.ports.reconciliation import OrganizationApi, ReconciliationStore
from rooftree.telemetry.logs import Action, log
from rooftree.telemetry.metrics import Metrics

__all__ = ["Rereader"]

REREAD: Final = "reread"
AT_ONCE: Final = 50
CLOCK_STEP: Final = timedelta(seconds=1)

REFUSED_SECONDS: Final = 300.0
"""For how long something that AWS refuses is not asked again."""

_Key = tuple[str, str]


class Rereader:
    """
    Look for requests, read, publish what was not known, and say that they are answered.

    INVARIANT: an answer speaks of a moment after the event that asked, or it would settle nothing; that is *grace*
    seconds before AWS was asked, so a request waits for at least so long.
    """

    def __init__(
        self, api: OrganizationApi, store: ReconciliationStore, publisher: ChangePublisher, *, grace: float
    ) -> None:
        self._api = api
        self._store = store
        self._publisher = publisher
        self._grace = timedelta(seconds=grace)
        self._refused: dict[_Key, float] = {}

    async def turn(self, organization_id: str) -> bool:
        """
        Answer what can be answered; tells whether the whole organization is to be read.

        Raises:
            RooftreeError: A server is away; nothing is lost, the requests stay open.
        """
        due = [one for one in await self._store.rereads(organization_id) if self._is_due(one)]
        if not due:
            return False
        async with self._store.claim(organization_id) as is_ours:
            if is_ours:
                await self._answer(organization_id, due)
        return is_ours and any(_is_whole(one) for one in due)

    async def _answer(self, organization_id: str, due: Sequence[Reread]) -> None:
        principals = [one for one in due if one.request.kind in PRINCIPAL_KINDS]
        objects = [one for one in due if one.request.kind not in PRINCIPAL_KINDS and not _is_whole(one)]
        if objects:
            await self._recorded(organization_id, objects[:AT_ONCE])
        for account_id in list(dict.fromkeys(map(_account_of, principals)))[:AT_ONCE]:
            await self._read_principals(
                organization_id, account_id, [one for one in principals if _account_of(one) == account_id]
            )

    async def answer_whole(self, organization_id: str, moment: datetime) -> None:
        """
        Say that the whole organization was read, as of a moment.
        """
        asked = [one for one in await self._store.rereads(organization_id) if _is_whole(one)]
        await self._publish(organization_id, _answers(organization_id, asked, moment))

    def _is_due(self, reread: Reread) -> bool:
        if time.monotonic() < self._refused.get(reread.request.key, float("-inf")):
            return False
        # By the clock here, which may be off that of AWS, whose own is told in seconds: what is read too early is not
        # taken for an answer, and is read again.
        return datetime.now(UTC) > reread.asked_at + self._grace + CLOCK_STEP

    async def _recorded(self, organization_id: str, asked: Sequence[Reread]) -> None:
        number = await self._store.begin(organization_id, REREAD)
        try:
            await self._read_objects(organization_id, number, asked)
        except RooftreeError as error:
            if not isinstance(error, UnavailableError):
                self._refuse(asked, error)
            await self._store.fail(organization_id, number, str(error))
            if isinstance(error, UnavailableError):
                raise

    async def _read_objects(self, organization_id: str, number: int, asked: Sequence[Reread]) -> None:
        seen = await self._api.read_objects(one.request.key for one in asked)
        seen = replace(seen, moment=seen.moment - self._grace)
        known = await self._store.known(organization_id)
        drift = find_drift(Organization(organization_id, known.facts), seen)
        events = [change_event(change) for change in drift.changes]
        await self._publish(organization_id, [*events, *_answers(organization_id, asked, seen.moment)])
        differences = [{"event_id": each["id"], "type": each["type"], "data": each["data"]} for each in events]
        await self._store.finish(
            organization_id,
            number,
            moment=seen.moment,
            accounts=None,
            postponed=drift.postponed,
            by_kind=Counter(str(change.type) for change in drift.changes),
            differences=differences,
        )
        Metrics.rereads.labels("answered").inc(len(asked))
        log().info(Action.REREAD, organization=organization_id, requests=len(asked), changes=len(events))

    async def _read_principals(self, organization_id: str, account_id: str, asked: Sequence[Reread]) -> None:
        try:
            found = await self._api.principals(account_id)
        except UnavailableError:
            raise
        except RooftreeError as error:
            self._refuse(asked, error)
            return
        moment = found.began - self._grace
        told = {"source": RECONCILER, "cause": RECONCILIATION}
        stated = principal_events(found.details, moment, organization_id=organization_id, account_id=account_id)
        events = [{**event, **told} for event in stated]
        await self._publish(organization_id, [*events, *_answers(organization_id, asked, moment)])
        Metrics.rereads.labels("answered").inc(len(asked))
        log().info(Action.REREAD, organization=organization_id, account=account_id, requests=len(asked))

    def _refuse(self, asked: Sequence[Reread], error: RooftreeError) -> None:
        for one in asked:
            self._refused[one.request.key] = time.monotonic() + REFUSED_SECONDS
        Metrics.rereads.labels("refused").inc(len(asked))
        log().warning(Action.REREAD_REFUSED, requests=[one.request.key for one in asked[:10]], reason=str(error))

    async def _publish(self, organization_id: str, events: Iterable[dict[str, object]]) -> None:
        records = [(organization_id, encode_event(event)) for event in events]
        if records:
            await self._publisher.publish_changes(records)


def _answers(organization_id: str, asked: Sequence[Reread], moment: datetime) -> list[dict[str, object]]:
    return [answer_event(organization_id, *one.request.key, moment) for one in asked if one.asked_at < moment]


def _is_whole(reread: Reread) -> bool:
    return reread.request.kind == RereadKind.ORGANIZATION


def _account_of(reread: Reread) -> str:
    return reread.request.object_id.partition("/")[0]
