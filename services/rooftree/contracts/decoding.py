"""
Change events out of the records of the changes topic.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import Field, ValidationError

from rooftree.contracts.changes import DATA_MODELS
from rooftree.contracts.complaints import first_complaint
from rooftree.contracts.fields import Inbound, JsonObject, Sequence, Text, Time
from rooftree.errors import ChangeError, InputError, join_place
from rooftree.organization.changes import Change
from rooftree.organization.identifiers import is_organization
from rooftree.organization.timestamps import parse_time
from rooftree.policy.strict_json import load_json

__all__ = ["MAX_CHANGE_BYTES", "MAX_DEPTH", "ChangeEvent", "decode_change", "load_change", "read_change"]

# What a broker takes by default. Larger records must have been let in on purpose, and nothing of ours sends them.
MAX_CHANGE_BYTES = 1_048_576

# Envelope, data, list of policies and the policy's own twenty levels.
MAX_DEPTH = 32

SPEC_VERSION = "1.0"


class ChangeEvent(Inbound):
    """
    A change event: CloudEvents 1.0 in structured JSON.

    https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
    """

    specversion: Text
    id: Text
    source: Text
    type: Text
    time: Time
    datacontenttype: Text | None = None
    sequence: Sequence | None = Field(default=None, description="Orders events of equal time, as text.")
    actor: Text | None = Field(default=None, description="By whose hand, where the data does not tell.")
    cause: Literal["reconciliation"] | None = Field(
        default=None, description="Set where nobody told of the change as it happened, and AWS was asked."
    )
    data: JsonObject


def decode_change(value: bytes, *, key: bytes | None = None) -> Change:
    """
    Read one change event.

    Args:
        value: The record's value.
        key: The record's key. It does not decide anything; if the value tells no organization, it may.

    Raises:
        ChangeError: The record cannot be read. The error names the place, the disposition and, as far as they can be
            told, the organization and the time.
    """
    return read_change(load_change(value, key=key), key=key)


def load_change(value: bytes, *, key: bytes | None = None) -> Mapping[str, object]:
    """
    Return the object that a record of the changes topic holds.

    Raises:
        ChangeError: There is none, or it is too large.
    """
    organization_id = _organization_of_key(key)
    if len(value) > MAX_CHANGE_BYTES:
        raise ChangeError(
            f"expected at most {MAX_CHANGE_BYTES} bytes, found {len(value)}",
            disposition="too_large",
            organization_id=organization_id,
        )
    try:
        content = load_json(value, max_depth=MAX_DEPTH)
    except InputError as error:
        raise ChangeError(
            error.reason, place=error.place, disposition="undecodable", organization_id=organization_id
        ) from error
    if not isinstance(content, dict):
        raise ChangeError("expected an object", disposition="undecodable", organization_id=organization_id)
    return content


def read_change(content: Mapping[str, object], *, key: bytes | None = None) -> Change:
    """
    Return the change that an object is; see `decode_change`.
    """
    try:
        return _read(content)
    except ChangeError as error:
        error.organization_id = _organization_of(content) or _organization_of_key(key)
        error.time = _time_of(content)
        raise


def _read(content: Mapping[str, object]) -> Change:
    if content.get("specversion") != SPEC_VERSION:
        raise ChangeError(
            f"expected a CloudEvent of version `{SPEC_VERSION}`", place="specversion", disposition="unknown_schema"
        )
    model = DATA_MODELS.get(str(content.get("type")))
    if model is None:
        raise ChangeError("expected the type of a change event", place="type", disposition="unknown_schema")
    try:
        event = ChangeEvent.model_validate(content)
    except ValidationError as error:
        raise _refusal(error, "") from error
    _check_content_type(event.datacontenttype)
    try:
        data = model.model_validate(event.data)
        return Change(
            event_id=event.id,
            source=event.source,
            type=event.type,
            time=parse_time(event.time),
            sequence=event.sequence or "",
            organization_id=data.subject_organization,
            actor=data.actor or event.actor,
            data=data.to_change(),
            origin=event.cause,
        )
    except ValidationError as error:
        raise _refusal(error, "data") from error
    except InputError as error:
        raise ChangeError(error.reason, place=join_place("data", error.place)) from error


def _check_content_type(content_type: str | None) -> None:
    if content_type is None:
        return
    media_type = content_type.partition(";")[0].strip().lower()
    if not media_type.endswith(("/json", "+json")):
        raise ChangeError(f"expected JSON, found `{media_type[:64]}`", place="datacontenttype")


def _refusal(error: ValidationError, outer: str) -> ChangeError:
    """
    Return the first of pydantic's complaints in the words of this service.
    """
    complaint = first_complaint(error, outer)
    return ChangeError(complaint.reason, place=complaint.place)


def _organization_of_key(key: bytes | None) -> str | None:
    text = (key or b"").decode("ascii", "replace")
    return text if is_organization(text) else None


def _organization_of(content: Mapping[str, object]) -> str | None:
    data = content.get("data")
    if not isinstance(data, dict):
        return None
    organization = data.get("organization")
    snapshot_id = organization.get("id") if isinstance(organization, dict) else None
    for found in (data.get("organization_id"), snapshot_id):
        if isinstance(found, str) and is_organization(found):
            return found
    return None


def _time_of(content: Mapping[str, object]) -> datetime | None:
    text = content.get("time")
    try:
        return parse_time(text) if isinstance(text, str) else None
    except InputError:
        return None
