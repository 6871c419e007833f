"""
One CloudTrail record, whichever way it came: inside of an EventBridge event, bare, or in a log file.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from rooftree.aws.events.actor import actor_of
from rooftree.aws.events.fields import Fields
from rooftree.errors import ChangeError, InputError
from rooftree.organization.identifiers import ACCOUNT_ID, is_organization
from rooftree.organization.timestamps import parse_time

__all__ = ["AwsRecord", "is_aws", "read_record"]

SERVICE: Final = ".amazonaws.com"

# In China it is called "Amazon API Call via CloudTrail".
_DETAIL_TYPE = re.compile(r"\w+ (?:API Call|Service Event|Console Action) via CloudTrail")
_ORGANIZATIONS_ARN = re.compile(r"arn:aws[a-z-]*:organizations::[0-9]{12}:[a-z_]+/(o-[a-z0-9]{10,32})(?:/.*)?")
_PATH = re.compile(r"(o-[a-z0-9]{10,32})/r-[0-9a-z]{4,32}/.*")

# Policies name organizations in conditions, which say nothing of where the policy is.
_DOCUMENTS = frozenset({"content", "policyDocument", "assumeRolePolicyDocument"})


@dataclass(frozen=True, slots=True)
class AwsRecord:
    """
    What is common to all records.

    Attributes:
        event_id: The same whichever way the record came.
        service: Such as ``organizations.amazonaws.com``.
        name: The API call, or what the service says has happened.
        time: By the second.
        account_id: The account whose trail has it, which is the one that made the call; None where that is not told.
        organization_id: The organization, where the record tells it.
        failed: Whether the call was refused.
        read_only: Whether it asked and changed nothing.
        fields: The record itself.
    """

    event_id: str
    service: str
    name: str
    time: datetime
    account_id: str | None
    organization_id: str | None
    failed: bool
    read_only: bool
    fields: Fields

    @property
    def request(self) -> Fields:
        """
        The parameters of the call; empty where they are left out.
        """
        return self.fields.part("requestParameters")

    @property
    def response(self) -> Fields:
        """
        What was answered; empty for calls that answer nothing.
        """
        return self.fields.part("responseElements")

    @property
    def details(self) -> Fields:
        """
        What a service says has happened.
        """
        return self.fields.part("serviceEventDetails")

    @property
    def actor(self) -> str | None:
        """
        By whose hand.
        """
        return actor_of(self.fields.part("userIdentity"))


def is_aws(content: Mapping[str, object]) -> bool:
    """
    Tell whether *content* is meant as an event of AWS.
    """
    if "specversion" in content:
        return False
    return "detail-type" in content or "Records" in content or "eventSource" in content or "eventName" in content


def read_record(content: Mapping[str, object], *, place: str = "") -> AwsRecord:
    """
    Read an EventBridge event or a bare CloudTrail record.

    Raises:
        ChangeError: It is neither; the error names the place.
    """
    event = Fields(content, place)
    is_event = "detail-type" in content
    if is_event and _DETAIL_TYPE.fullmatch(event.text("detail-type") or "") is None:
        raise ChangeError(
            "expected an event that came by CloudTrail",
            place=_within(place, "detail-type"),
            disposition="unknown_schema",
        )
    fields = event.part("detail") if is_event else event
    organization_id = _organization_of(fields)
    try:
        return AwsRecord(
            event_id=fields.text("eventID") or _digest(fields.content),
            service=_service(event, fields),
            name=_required(fields, "eventName"),
            time=_time(fields),
            account_id=_account(event if is_event else Fields({}), fields),
            organization_id=organization_id,
            failed=any(fields.content.get(name) not in (None, "") for name in ("errorCode", "errorMessage")),
            read_only=fields.content.get("readOnly") is True,
            fields=fields,
        )
    except ChangeError as error:
        error.organization_id = organization_id
        raise


def _within(outer: str, inner: str) -> str:
    return f"{outer}.{inner}" if outer else inner


def _required(fields: Fields, name: str) -> str:
    value = fields.text(name)
    if value is None:
        raise ChangeError("is missing", place=_within(fields.place, name))
    return value


def _time(fields: Fields) -> datetime:
    # The time of the EventBridge event is not asked: it may be that of the delivery.
    try:
        return parse_time(_required(fields, "eventTime"))
    except ChangeError:
        raise
    except InputError as error:
        raise ChangeError(error.reason, place=_within(fields.place, "eventTime")) from error


def _service(event: Fields, fields: Fields) -> str:
    told = fields.text("eventSource")
    source = event.text("source") or ""
    if told is None and source.startswith("aws."):
        return source.removeprefix("aws.") + SERVICE
    return told or _required(fields, "eventSource")


def _account(event: Fields, fields: Fields) -> str | None:
    recipient, outer = fields.id("recipientAccountId", ACCOUNT_ID), event.id("account", ACCOUNT_ID)
    if recipient is not None and outer is not None and recipient != outer:
        # An event that was sent on from the bus of one account to that of another keeps both as they were.
        raise ChangeError(
            f"expected the account `{outer}` of the event, found `{recipient}`",
            place=_within(fields.place, "recipientAccountId"),
        )
    # Who calls has the credentials of the account whose trail has the record.
    return recipient or outer or fields.part("userIdentity").id("accountId", ACCOUNT_ID)


def _organization_of(fields: Fields) -> str | None:
    found = set()
    for name in ("requestParameters", "responseElements", "serviceEventDetails"):
        found |= set(_organizations(fields.content.get(name)))
    if len(found) > 1:
        raise ChangeError(f"names several organizations: {', '.join(sorted(found))}", place=fields.place)
    return next(iter(found), None)


def _organizations(value: object, name: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in cast("Mapping[str, object]", value).items():
            if key not in _DOCUMENTS:
                yield from _organizations(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _organizations(inner, name)
    elif isinstance(value, str):
        match = _ORGANIZATIONS_ARN.fullmatch(value) or _PATH.fullmatch(value)
        if match is not None:
            yield match[1]
        elif name in {"id", "organizationId", "value"} and is_organization(value):
            yield value


def _digest(content: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:32]
