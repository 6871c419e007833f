"""
Operations: how far changes have come, what could not be processed, what reconciliation found, whether seals hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from rooftree.access.caller import Role
from rooftree.api.backing import BackingServices
from rooftree.api.callers import caller_of
from rooftree.api.forms import read_form
from rooftree.api.pages import phrases
from rooftree.api.pages.revision import Seal, seal_of
from rooftree.api.pages.site import Crumb, Site, Visit
from rooftree.api.pages.verification import VerificationLine, verifications
from rooftree.api.query import Query
from rooftree.errors import InputError
from rooftree.organization.rereads import Reread
from rooftree.reading.outline import DeliveryRecord, PositionRecord
from rooftree.reading.reader import LetterRecord, OrganizationRecord, ReconciliationRecord
from rooftree.telemetry.metrics import Metrics

__all__ = ["OperationsPage"]

LETTERS_SHOWN: Final = 50
RECONCILIATIONS_SHOWN: Final = 10
REREADS_SHOWN: Final = 20
SEALS_CHECKED: Final = 100


@dataclass(frozen=True, slots=True)
class LetterLine:
    """
    A dead letter in the list.
    """

    record: LetterRecord
    origin: str
    reason: str
    state: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Lag:
    """
    How many records of the changes topic are not processed yet.

    Attributes:
        records: None where no projector runs in this process, which alone knows.
    """

    records: int | None


@dataclass(frozen=True, slots=True)
class OperationsView:
    """
    What the page shows.

    Attributes:
        more_rereads: Whether more is to be read anew than is shown.
        may_replay: Whether the caller may have letters processed again.
        others: The other organizations that are incomplete.
    """

    delivery: DeliveryRecord
    written: str
    lag: Lag
    positions: Sequence[PositionRecord]
    letters: Sequence[LetterLine]
    waiting: int
    may_replay: bool
    sent: str | None
    rereads: Sequence[Reread]
    more_rereads: bool
    reconciliations: Sequence[ReconciliationRecord]
    seal: Seal | None
    seal_from: int
    verifications: Sequence[VerificationLine]
    others: Sequence[OrganizationRecord]


class OperationsPage:
    """
    The page, and the replay of dead letters: for those who may ask the API about operations, too.
    """

    def __init__(self, site: Site, backing: BackingServices) -> None:
        self._site = site
        self._backing = backing

    async def show(self, request: Request) -> Response:
        """
        Show the state of the service, as far as this organization is concerned.
        """
        caller = caller_of(request)
        caller.require(Role.AUDITOR)
        visit = await self._site.visit(request)
        query = Query(request, "sent")
        letters = [
            _line(letter) for letter in await self._backing.letters.latest(visit.organization_id, limit=LETTERS_SHOWN)
        ]
        waiting = await self._backing.letters.count_waiting(visit.organization_id)
        async with visit.reader.moment():
            delivery = await visit.reader.delivery(visit.organization_id)
            seal, first = await _sealed(visit)
            rereads = await visit.reader.rereads(visit.organization_id, limit=REREADS_SHOWN + 1)
            view = OperationsView(
                delivery=delivery,
                written=phrases.ago(delivery.written_at, datetime.now(UTC)),
                lag=Lag(_lag()),
                positions=await visit.reader.positions(),
                letters=letters,
                waiting=waiting,
                may_replay=caller.has(Role.ADMIN),
                sent=query.text("sent"),
                rereads=rereads[:REREADS_SHOWN],
                more_rereads=len(rereads) > REREADS_SHOWN,
                reconciliations=await visit.reader.reconciliations(visit.organization_id, limit=RECONCILIATIONS_SHOWN),
                seal=seal,
                seal_from=first,
                verifications=verifications(await visit.reader.verifications(visit.organization_id)),
                others=[one for one in visit.organizations if not one.complete and one is not visit.organization],
            )
        crumbs = [Crumb("Operations", visit.to.page("operations"))]
        return self._site.show(visit, "operations.html", view, section="operations", title="Operations", crumbs=crumbs)

    async def replay(self, request: Request) -> Response:
        """
        Send a dead letter to be processed again; what becomes of it is seen on the page.
        """
        visit = await self._site.visit(request)
        caller_of(request).require(Role.ADMIN)
        letter_id = await _letter_id(request)
        found = (await self._backing.letters.find([letter_id])).get(letter_id)
        # a letter of another organization is as unknown here as one that never was
        if found is None or found.organization_id != visit.organization_id:
            raise HTTPException(404, f"no dead letter `{letter_id}` in `{visit.organization_id}`")
        if not found.waits:
            raise InputError("is resolved already", place=f"letter {letter_id}")
        record = await self._backing.letters.record(letter_id)
        assert record is not None, "letters are never deleted"
        await self._backing.changes.replay(found, record)
        return RedirectResponse(visit.to.page("operations", sent=str(letter_id)), status_code=303)


def _line(letter: LetterRecord) -> LetterLine:
    return LetterLine(
        record=letter,
        origin=f"{letter.topic}/{letter.partition}@{letter.offset}",
        reason=f"`{letter.place}`: {letter.reason}" if letter.place else letter.reason,
        state=("bad", "Waits")
        if letter.waits
        else ("good", "Replayed" if letter.resolution == "replayed" else "Told anew"),
    )


def _lag() -> int | None:
    samples = [sample for metric in Metrics.lag.collect() for sample in metric.samples]
    return int(sum(sample.value for sample in samples)) if samples else None


async def _sealed(visit: Visit) -> tuple[Seal | None, int]:
    """
    Work out anew the seals of the latest events.
    """
    events = (await visit.reader.audit(visit.organization_id, limit=SEALS_CHECKED + 1))[::-1]
    if not events:
        return None, 0
    before = events[0] if len(events) > SEALS_CHECKED else None
    checked = events[1:] if before else events
    return seal_of(checked, before), checked[0].revision


async def _letter_id(request: Request) -> int:
    text = (await read_form(request)).get("letter", "")
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise InputError("expected the number of a dead letter", place="letter")
    return int(text)
