"""
Operations: how far changes have come, what could not be processed, what is asked of AWS and what it has shown, what was verified.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import Field
from starlette.exceptions import HTTPException

from rooftree.access.caller import Role
from rooftree.api.endpoint import WHOLE_NUMBER, Asked, Endpoint, Flag, OrganizationQuery, PageQuery
from rooftree.api.query import decode_cursor, decode_number, encode_cursor
from rooftree.contracts.resources.envelopes import Accepted, Page
from rooftree.contracts.resources.operations import (
    DeadLetter,
    DeadLetterRecord,
    Operations,
    ReadPosition,
    Reconciliation,
    RereadRequest,
    Verification,
)
from rooftree.errors import InputError
from rooftree.inquiry.documents import (
    letter_answer,
    letter_record_answer,
    reconciliation_answer,
    reread_answer,
    verification_answer,
)
from rooftree.organization.timestamps import format_time, parse_time
from rooftree.ports.change_log import LogRecord
from rooftree.reading.reader import LetterRecord

__all__ = ["ENDPOINTS"]

MOST_COUNTED: Final = 1000


class LettersQuery(PageQuery):
    """
    Which dead letters are meant.
    """

    resolved: Flag = Field(False, description="Also those that nobody misses any more.")


class LetterQuery(OrganizationQuery):
    """
    Which dead letter is meant.
    """

    letter: Annotated[int, Field(ge=1, le=2**62), WHOLE_NUMBER]


async def show_operations(asked: Asked[OrganizationQuery, None]) -> Operations:
    """
    Tell how far changes have come.
    """
    organization = asked.organization
    assert organization is not None, "it was chosen"
    delivery = await asked.reader.delivery(organization.organization_id)
    waiting = await asked.backing.letters.letters(organization.organization_id, limit=MOST_COUNTED)
    return Operations(
        organization_id=organization.organization_id,
        complete=organization.complete,
        incomplete_since=format_time(organization.incomplete_since) if organization.incomplete_since else None,
        incomplete_reason=organization.incomplete_reason,
        written_at=format_time(delivery.written_at),
        unsent=delivery.unsent,
        unsent_since=format_time(delivery.unsent_since) if delivery.unsent_since else None,
        dead_letters=len(waiting),
        positions=[
            ReadPosition(
                topic=position.topic,
                partition=position.partition,
                next_offset=position.next_offset,
                updated_at=format_time(position.updated_at),
                log_id=position.log_id,
                current=position.current,
            )
            for position in await asked.reader.positions()
        ],
    )


async def list_rereads(asked: Asked[PageQuery, None]) -> Page[RereadRequest]:
    """
    List what is to be read anew by the API of AWS, the longest asked for first.
    """
    query = asked.parameters
    after = _reread_after(query.cursor) if query.cursor else None
    found = await asked.reader.rereads(asked.organization_id, after=after, limit=query.limit + 1)
    more = None
    if len(found) > query.limit:
        last = found[query.limit - 1]
        more = encode_cursor([format_time(last.since), *last.request.key])
    items = [reread_answer(asked.organization_id, one) for one in found[: query.limit]]
    return Page[RereadRequest](items=items, next=more)


async def list_reconciliations(asked: Asked[PageQuery, None]) -> Page[Reconciliation]:
    """
    List comparisons with AWS, the latest first.
    """
    query = asked.parameters
    before = decode_number(query.cursor) if query.cursor else None
    found = await asked.reader.reconciliations(asked.organization_id, before=before, limit=query.limit + 1)
    more = encode_cursor([str(found[query.limit - 1].reconciliation_id)]) if len(found) > query.limit else None
    items = [reconciliation_answer(record) for record in found[: query.limit]]
    return Page[Reconciliation](items=items, next=more)


async def list_verifications(asked: Asked[OrganizationQuery, None]) -> Page[Verification]:
    """
    Tell what the last verifications have found, one of each kind.
    """
    found = await asked.reader.verifications(asked.organization_id)
    return Page[Verification](items=[verification_answer(record) for record in found], next=None)


async def list_letters(asked: Asked[LettersQuery, None]) -> Page[DeadLetter]:
    """
    List dead letters, the oldest first.
    """
    query = asked.parameters
    after = decode_number(query.cursor) if query.cursor else 0
    found = await asked.backing.letters.letters(
        asked.organization_id, resolved=query.resolved, after=after, limit=query.limit + 1
    )
    more = encode_cursor([str(found[query.limit - 1].letter_id)]) if len(found) > query.limit else None
    return Page[DeadLetter](items=[letter_answer(letter) for letter in found[: query.limit]], next=more)


async def show_letter(asked: Asked[LetterQuery, None]) -> DeadLetterRecord:
    """
    Return one dead letter with its bytes.
    """
    letter, record = await _letter(asked)
    return letter_record_answer(letter, record.key, record.value, record.headers)


async def replay_letter(asked: Asked[LetterQuery, None]) -> Accepted:
    """
    Have a dead letter processed again.
    """
    letter, record = await _letter(asked)
    if not letter.waits:
        raise HTTPException(409, f"dead letter `{letter.letter_id}` does not wait any more")
    await asked.backing.changes.replay(letter, record)
    return Accepted(event_ids=[])


async def _letter(asked: Asked[LetterQuery, None]) -> tuple[LetterRecord, LogRecord]:
    number = asked.parameters.letter
    letter = (await asked.backing.letters.find([number])).get(number)
    record = await asked.backing.letters.record(number)
    if letter is None or record is None or letter.organization_id != asked.organization_id:
        raise HTTPException(404, f"no dead letter `{number}` of `{asked.organization_id}`")
    return letter, record


def _reread_after(cursor: str) -> tuple[datetime, str, str]:
    since, kind, object_id = decode_cursor(cursor, 3)
    try:
        moment = parse_time(since)
    except InputError:
        moment = None
    # Nothing else is an object's id, and some texts are none that PostgreSQL could hold.
    if moment is None or not (kind + object_id).isprintable():
        raise InputError("not a cursor of this list", place="cursor")
    return moment, kind, object_id


ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/operations",
        "showOperations",
        "Tell how far changes have come on their way from the broker to the audit topic",
        show_operations,
        answer=Operations,
        parameters=OrganizationQuery,
        role=Role.AUDITOR,
    ),
    Endpoint(
        "GET",
        "/operations/rereads",
        "listRereads",
        "List what is to be read anew by the API of AWS, the longest asked for first",
        list_rereads,
        answer=Page[RereadRequest],
        parameters=PageQuery,
        role=Role.AUDITOR,
    ),
    Endpoint(
        "GET",
        "/operations/reconciliations",
        "listReconciliations",
        "List comparisons of the view with what AWS itself says, the latest first",
        list_reconciliations,
        answer=Page[Reconciliation],
        parameters=PageQuery,
        role=Role.AUDITOR,
    ),
    Endpoint(
        "GET",
        "/operations/verifications",
        "listVerifications",
        "Tell what the last verification of the audit events and of the view has found, for each that there was",
        list_verifications,
        answer=Page[Verification],
        parameters=OrganizationQuery,
    ),
    Endpoint(
        "GET",
        "/dead-letters",
        "listDeadLetters",
        "List records that could not be processed, the oldest first",
        list_letters,
        answer=Page[DeadLetter],
        parameters=LettersQuery,
        role=Role.AUDITOR,
    ),
    Endpoint(
        "GET",
        "/dead-letters/{letter}",
        "showDeadLetter",
        "Return a record that could not be processed, with its bytes",
        show_letter,
        answer=DeadLetterRecord,
        parameters=LetterQuery,
        role=Role.AUDITOR,
    ),
    Endpoint(
        "POST",
        "/dead-letters/{letter}/replay",
        "replayDeadLetter",
        "Have a record processed again; it keeps its place in the list until that is done",
        replay_letter,
        answer=Accepted,
        parameters=LetterQuery,
        role=Role.ADMIN,
        status=202,
        problems=frozenset({409}),
    ),
)
