"""
The fields that events have in common.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from rooftree.errors import InputError
from rooftree.organization import identifiers
from rooftree.organization.timestamps import parse_time
from rooftree.policy.partitions import PARTITIONS

__all__ = [
    "MAX_TEXT",
    "AccountId",
    "Counted",
    "Inbound",
    "JsonObject",
    "NodeId",
    "OneAction",
    "OneResource",
    "OrganizationId",
    "OuId",
    "Outbound",
    "ParentId",
    "PartitionName",
    "PolicyId",
    "PolicyType",
    "RootId",
    "Sequence",
    "Text",
    "Time",
    "pattern",
    "storable",
]

# Longer than any name, address or identifier that AWS or the producers of events use.
MAX_TEXT = 1024


# A command needs few of the many models: each is made ready when it is first used.


class Inbound(BaseModel):
    """
    What others send: fields that are not known are passed over, known ones are taken literally.
    """

    model_config = ConfigDict(defer_build=True, extra="allow", strict=True, frozen=True)


class Outbound(BaseModel):
    """
    What this service sends: exactly these fields.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", strict=True, frozen=True)


def storable(text: str) -> str:
    """
    Return a text that the store can hold.

    Raises:
        ValueError: It cannot.
    """
    # PostgreSQL holds every character but this one.
    if "\0" in text:
        raise ValueError("expected no NUL character")
    return text


def _rfc_3339(text: str) -> str:
    try:
        parse_time(text)
    except InputError as error:
        raise ValueError(error.reason) from error
    return text


def pattern(regex: str) -> StringConstraints:
    """
    Return the constraint that a text matches *regex*, written as Python has it.
    """
    # In JSON Schema and in pydantic, $ stands for the very end alone, as \Z does in Python.
    return StringConstraints(pattern=regex.replace(r"\Z", "$"))


JsonObject: TypeAlias = dict[str, JsonValue]
Counted = Annotated[int, Field(ge=0)]

Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT), AfterValidator(storable)]
Sequence = Annotated[str, StringConstraints(max_length=MAX_TEXT), AfterValidator(storable)]
Time = Annotated[str, AfterValidator(_rfc_3339), Field(json_schema_extra={"format": "date-time"})]

OrganizationId = Annotated[str, pattern(identifiers.ORGANIZATION_ID)]
RootId = Annotated[str, pattern(identifiers.ROOT_ID)]
OuId = Annotated[str, pattern(identifiers.OU_ID)]
AccountId = Annotated[str, pattern(identifiers.ACCOUNT_ID)]
ParentId = Annotated[str, pattern(identifiers.PARENT_ID)]
NodeId = Annotated[str, pattern(identifiers.NODE_ID)]
PolicyId = Annotated[str, pattern(identifiers.POLICY_ID)]
OneAction = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+:[A-Za-z0-9]+$", max_length=256)]
OneResource = Annotated[
    str,
    StringConstraints(pattern=r"^(\*|arn:[^:]*:[^:]*:[^:]*:[^:]*:.+)$", max_length=2048),
    AfterValidator(storable),
]
PartitionName = Annotated[Text, Field(json_schema_extra={"enum": list(PARTITIONS)})]
PolicyType = Annotated[str, StringConstraints(pattern="^[A-Z][A-Z0-9_]{0,127}$")]
