"""
Records of the changes topic, whoever made them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from rooftree.aws.events.record import AwsRecord, is_aws, read_record
from rooftree.contracts.decoding import load_change, read_change
from rooftree.errors import ChangeError
from rooftree.organization.changes import Change
from rooftree.organization.identifiers import is_organization

__all__ = ["AwsRecords", "decode_record"]


@dataclass(frozen=True, slots=True)
class AwsRecords:
    """
    What AWS has sent in one record of the topic.

    Attributes:
        records: One, or all those of a CloudTrail log file.
    """

    records: tuple[AwsRecord, ...]


def decode_record(value: bytes, *, key: bytes | None = None) -> Change | AwsRecords:
    """
    Read one record of the changes topic: a change event, an EventBridge event, a CloudTrail record or a log file.

    Raises:
        ChangeError: The record cannot be read. The error names the place, the disposition and, as far as they can be
            told, the organization and the time.
    """
    content = load_change(value, key=key)
    if not is_aws(content):
        return read_change(content, key=key)
    try:
        return AwsRecords(tuple(_records(content)))
    except ChangeError as error:
        text = (key or b"").decode("ascii", "replace")
        if error.organization_id is None and is_organization(text):
            error.organization_id = text
        raise


def _records(content: Mapping[str, object]) -> Iterator[AwsRecord]:
    if "Records" not in content:
        yield read_record(content)
        return
    records = content["Records"]
    if not isinstance(records, list):
        raise ChangeError("expected a list", place="Records", disposition="undecodable")
    for index, record in enumerate(records):
        place = f"Records[{index}]"
        if not isinstance(record, Mapping):
            raise ChangeError("expected an object", place=place, disposition="undecodable")
        yield read_record(cast("Mapping[str, object]", record), place=place)
