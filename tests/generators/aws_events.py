"""
Events that AWS would deliver for calls of its API, for tests that make the calls elsewhere.

A call is given as an SDK has it: the name of the operation, its parameters and its answer with their names in capitals.
What follows of itself, such as the result of creating an account, is delivered, too.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_cloudtrail-integration.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

__all__ = ["Deliveries", "as_log_file", "bare"]

_MASKED = frozenset({"Email", "AccountName", "MasterAccountEmail"})
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# Operations whose names begin like this only read, and EventBridge delivers them to no ordinary rule.
_READS = ("Describe", "List", "Get", "Simulate", "Generate")

# Documents stand in answers of IAM as the API sends them, and SDKs have decoded them already.
_ENCODED = frozenset({"AssumeRolePolicyDocument"})


class Deliveries:
    """
    The events of one organization, in the order in which things happen.

    Args:
        management: The management account, which makes the calls unless told otherwise.
        seed: Makes the ids of the events; the same seed gives the same ids.
    """

    def __init__(self, management: str, *, seed: str = "") -> None:
        self._management = management
        self._seed = seed
        self._count = 0

    def of(
        self,
        operation: str,
        request: Mapping[str, Any],
        response: Mapping[str, Any] | None,
        *,
        time: datetime,
        service: str = "organizations",
        account_id: str | None = None,
        error: tuple[str, str] | None = None,
        identity: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """
        Return the EventBridge events for one call; none for a call that only reads.

        Args:
            operation: Such as ``CreateAccount``.
            request: The parameters.
            response: The answer; None where there is none, or where the call failed.
            time: When the call was done; events have it by the second.
            service: ``organizations``, ``iam`` or ``account``.
            account_id: The account that made the call.
            error: The code and the message of a call that failed.
            identity: Who made it; an assumed role of the account by default.
        """
        if operation.startswith(_READS):
            return []
        account = account_id or self._management
        record = self._record(operation, service, account, time)
        record["userIdentity"] = identity or _administrator(account)
        record["requestParameters"] = _lowered(request) or None
        record["responseElements"] = None if error else _lowered(_answer(response), encoded=service == "iam")
        if error:
            record["errorCode"], record["errorMessage"] = error
        following = [] if error else list(self._following(operation, request, response or {}, account, time))
        return [_delivered(record), *following]

    def _following(
        self, operation: str, request: Mapping[str, Any], response: Mapping[str, Any], account: str, time: datetime
    ) -> Iterator[dict[str, Any]]:
        """
        Yield what the service says by itself some time later.
        """
        done = {"completedTimestamp": _american(time), "requestedTimestamp": _american(time)}
        match operation:
            case "CreateAccount":
                status = response["CreateAccountStatus"]
                told = {"id": status["Id"], "state": status.get("State", "SUCCEEDED"), "accountName": "****", **done}
                if "AccountId" in status:
                    told["accountId"] = status["AccountId"]
                yield self._result("CreateAccountResult", {"createAccountStatus": told}, time)
                if "AccountId" in status:
                    yield self._joined(status["AccountId"], "CREATED", time)
            case "CloseAccount":
                told = {"accountId": request["AccountId"], "state": "SUCCEEDED", **done}
                yield self._result("CloseAccountResult", {"closeAccountStatus": told}, time)
            case "RemoveAccountFromOrganization":
                yield self._departed(request["AccountId"], "REMOVED", time)
            case "LeaveOrganization":
                yield self._departed(account, "LEFT", time)
            case "AcceptHandshake" if response["Handshake"].get("Action") == "INVITE":
                yield self._joined(account, "INVITED", time)

    def _joined(self, account_id: str, method: str, time: datetime) -> dict[str, Any]:
        told = {"memberAccountId": account_id, "managementAccountId": self._management, "joinedMethod": method}
        return self._result("AccountJoinedOrganization", {**told, "joinedTime": _iso(time)}, time)

    def _departed(self, account_id: str, method: str, time: datetime) -> dict[str, Any]:
        told = {"memberAccountId": account_id, "managementAccountId": self._management, "departureMethod": method}
        return self._result("AccountDepartedOrganization", {**told, "departureTime": _iso(time)}, time)

    def _result(self, name: str, details: Mapping[str, Any], time: datetime) -> dict[str, Any]:
        record = self._record(name, "organizations", self._management, time)
        record["userIdentity"] = {"accountId": self._management, "invokedBy": "organizations.amazonaws.com"}
        record["requestParameters"] = record["responseElements"] = None
        record["eventType"] = "AwsServiceEvent"
        record["serviceEventDetails"] = dict(details)
        return _delivered(record)

    def _record(self, name: str, service: str, account_id: str, time: datetime) -> dict[str, Any]:
        self._count += 1
        return {
            "eventVersion": "1.11",
            "eventTime": _iso(time),
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": "us-east-1",
            "sourceIPAddress": "203.0.113.7",
            "userAgent": "Boto3/1.44.5",
            "eventID": str(uuid5(NAMESPACE_URL, f"{self._seed}/{self._management}/{self._count}")),
            "readOnly": False,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": account_id,
            "eventCategory": "Management",
        }


def bare(event: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the CloudTrail record inside of an EventBridge event.
    """
    return dict(event["detail"])


def as_log_file(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """
    Return the log file of a trail that has the records of *events*.
    """
    return {"Records": [bare(event) for event in events]}


def _delivered(record: Mapping[str, Any]) -> dict[str, Any]:
    is_service = record["eventType"] == "AwsServiceEvent"
    return {
        "version": "0",
        "id": str(uuid5(NAMESPACE_URL, f"delivery/{record['eventID']}")),
        "detail-type": f"AWS {'Service Event' if is_service else 'API Call'} via CloudTrail",
        "source": f"aws.{record['eventSource'].split('.')[0]}",
        "account": record["recipientAccountId"],
        "time": record["eventTime"],
        "region": "us-east-1",
        "resources": [],
        "detail": dict(record),
    }


def _administrator(account_id: str) -> dict[str, Any]:
    return {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{account_id}:assumed-role/Administrator/tests",
        "accountId": account_id,
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{account_id}:role/Administrator"}},
    }


def _answer(response: Mapping[str, Any] | None) -> dict[str, Any] | None:
    told = {name: value for name, value in (response or {}).items() if name != "ResponseMetadata"}
    return told or None


def _lowered(value: Any, *, encoded: bool = False) -> Any:
    """
    Return a value with names as CloudTrail has them, times as text, and what is masked as asterisks.
    """
    match value:
        case Mapping():
            return {name[:1].lower() + name[1:]: _member(name, inner, encoded=encoded) for name, inner in value.items()}
        case list() | tuple():
            return [_lowered(inner, encoded=encoded) for inner in value]
        case datetime():
            return _american(value)
        case _:
            return value


def _member(name: str, value: Any, *, encoded: bool) -> Any:
    if name in _MASKED:
        return "****"
    if encoded and name in _ENCODED:
        return quote(value if isinstance(value, str) else json.dumps(value), safe="")
    return _lowered(value, encoded=encoded)


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _american(time: datetime) -> str:
    moment = time.astimezone(UTC)
    clock = f"{(moment.hour + 11) % 12 + 1}:{moment:%M:%S} {'PM' if moment.hour >= 12 else 'AM'}"
    return f"{_MONTHS[moment.month - 1]} {moment.day}, {moment.year} {clock}"
