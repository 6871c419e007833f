"""
Change events in a file, one a line: ours and those of AWS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import orjson

from rooftree.aws.events import AwsRecord, AwsRecords, decode_record, is_relevant, translate
from rooftree.cli.files import read_bytes
from rooftree.errors import ChangeError, UsageError
from rooftree.organization.changes import Change
from rooftree.policy.strict_json import load_json
from rooftree.ports.publishing import OutgoingRecord, RecordKind

__all__ = ["change_record", "read_change_lines"]

_CLOUD_EVENT: Final = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
_AWS_EVENT: Final = (("content-type", b"application/json"),)

# What an event of AWS is checked with where it does not tell its organization; it says so to nobody.
_SOME_ORGANIZATION: Final = "o-0000000000"


def read_change_lines(file: Path, *, organization_id: str | None = None) -> list[OutgoingRecord]:
    """
    Return the records to send for the lines of a file. All of them are checked.

    Args:
        file: The file, or ``-``.
        organization_id: The key for events of AWS that do not tell their organization; their account by default.

    Raises:
        UsageError: A line cannot be read; the error names the line and the place in it.
    """
    records: list[OutgoingRecord] = []
    for number, line in enumerate(read_bytes(file).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            records.extend(_records(line.strip(), organization_id))
        except ChangeError as error:
            raise UsageError(
                error.reason, place=f"{file}:{number}{f': {error.place}' if error.place else ''}"
            ) from error
    if not records:
        raise UsageError("expected change events, one a line, found none", place=str(file))
    return records


def change_record(organization_id: str, value: bytes) -> OutgoingRecord:
    """
    Return the record to send for a change event of ours.
    """
    return OutgoingRecord(RecordKind.CHANGE, organization_id.encode(), value, _CLOUD_EVENT)


def _records(line: bytes, organization_id: str | None) -> Iterator[OutgoingRecord]:
    outcome = decode_record(line)
    if isinstance(outcome, Change):
        yield change_record(outcome.organization_id, line)
        return
    for record, value in zip(outcome.records, _values(line, outcome), strict=True):
        told = record.organization_id or organization_id
        if is_relevant(record):
            translate(record, told or _SOME_ORGANIZATION)
        yield OutgoingRecord(RecordKind.CHANGE, (told or _account(record)).encode(), value, _AWS_EVENT)


def _values(line: bytes, outcome: AwsRecords) -> list[bytes]:
    # A log file may be larger than a record can be.
    content = load_json(line)
    if isinstance(content, Mapping) and "Records" in content:
        return [orjson.dumps(record.fields.content) for record in outcome.records]
    return [line]


def _account(record: AwsRecord) -> str:
    return record.account_id or ""
