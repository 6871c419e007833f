"""
What the records of AWS Organizations and of AWS Account Management come to.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_cloudtrail-integration.html
https://docs.aws.amazon.com/organizations/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeAlias

from rooftree.aws.events.fields import Fields, moment
from rooftree.aws.events.interpretation import ALTERED, CREATED, NOTHING, REMOVED, Interpretation, reread
from rooftree.aws.events.record import AwsRecord
from rooftree.organization.changes import ChangeType
from rooftree.organization.documents import AUTHORIZING_TYPES
from rooftree.organization.identifiers import ACCOUNT_ID, NODE_ID, OU_ID, PARENT_ID, POLICY_ID
from rooftree.organization.rereads import RereadKind, RereadRequest

__all__ = ["ACCOUNT_SERVICE", "ORGANIZATIONS_SERVICE", "interpret_account", "interpret_organizations"]

ORGANIZATIONS_SERVICE: Final = "organizations.amazonaws.com"
ACCOUNT_SERVICE: Final = "account.amazonaws.com"

Handler: TypeAlias = Callable[[AwsRecord, str], Interpretation]

# What happens to an account when it is closed. https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html
PENDING_CLOSURE: Final = "PENDING_CLOSURE"

_MEMBER: Final = ("accountId", "memberAccountId", "joinedAccountId", "departedAccountId", "memberId")
_JOINED: Final = ("joinedTime", "joinedTimestamp", "joinTime")
_DEPARTED: Final = ("departureTime", "departedTime", "departureTimestamp", "departedTimestamp")


def interpret_organizations(record: AwsRecord, organization_id: str) -> Interpretation:
    """
    Return what a record of AWS Organizations comes to.

    Raises:
        ChangeError: A field has a value that it cannot have.
    """
    handler = _HANDLERS.get(record.name)
    if handler is not None:
        return handler(record, organization_id)
    if record.name in _IRRELEVANT or record.read_only or record.name.startswith(("Describe", "List")):
        return NOTHING
    return _whole(organization_id, f"what {record.name[:64]} does is not known", doubtful=False)


def interpret_account(record: AwsRecord, organization_id: str) -> Interpretation:
    """
    Return what a record of AWS Account Management comes to: names and addresses of accounts.

    https://docs.aws.amazon.com/accounts/latest/reference/API_PutAccountName.html
    """
    del organization_id
    account_id = record.request.id("accountId", ACCOUNT_ID) or record.account_id
    if account_id is None or record.name not in {"PutAccountName", "AcceptPrimaryEmailUpdate"}:
        return NOTHING
    name = record.request.text("accountName") if record.name == "PutAccountName" else None
    if name is None:
        return Interpretation(requests=(reread(RereadKind.ACCOUNT, account_id, "it is masked", doubtful=False),))
    return Interpretation(ChangeType.ACCOUNT_UPDATED, {"account_id": account_id, "name": name})


def _whole(organization_id: str, reason: str, *, doubtful: bool = True) -> Interpretation:
    return Interpretation(requests=(reread(RereadKind.ORGANIZATION, organization_id, reason, doubtful=doubtful),))


def _account_anew(account_id: str | None, organization_id: str, reason: str) -> Interpretation:
    if account_id is None:
        return _whole(organization_id, reason)
    return Interpretation(requests=(reread(RereadKind.ACCOUNT, account_id, reason),))


def _masked_name(account_id: str) -> RereadRequest:
    return reread(RereadKind.ACCOUNT, account_id, "its name and its address are masked", doubtful=False)


def _first(fields: Fields, names: tuple[str, ...]) -> object:
    # How the fields of the two youngest events are spelled was changed once, and letter case is not documented.
    by_case = {name.lower(): value for name, value in fields.content.items()}
    return next((by_case[name.lower()] for name in names if by_case.get(name.lower()) is not None), None)


def _took_effect(told: object, record: AwsRecord) -> datetime | None:
    """
    Return the time that a service tells inside of its event, if it can be: an event is never earlier than what it is of.
    """
    time = moment(told)
    return time if time is not None and time <= record.time else None


def _account_created(record: AwsRecord, organization_id: str) -> Interpretation:
    status = record.details.part("createAccountStatus")
    account_id, state = status.id("accountId", ACCOUNT_ID), (status.text("state") or "").upper()
    if state == "FAILED" or (not state and status.text("failureReason") is not None):
        return NOTHING
    if account_id is None or state != "SUCCEEDED":
        return _account_anew(account_id, organization_id, "whether it was created was not told")
    name = status.text("accountName")
    return Interpretation(
        ChangeType.ACCOUNT_CREATED,
        {"account_id": account_id, **({} if name is None else {"name": name})},
        (_masked_name(account_id),),
        CREATED,
        # Something may have been done with the account before this was told.
        _took_effect(status.text("completedTimestamp"), record),
    )


def _member(record: AwsRecord) -> str | None:
    for fields in (record.details, *(_nested(record.details))):
        value = _first(fields, _MEMBER)
        if value is not None:
            return Fields({"accountId": value}, fields.place).id("accountId", ACCOUNT_ID)
    return None


def _nested(fields: Fields) -> list[Fields]:
    return [fields.part(name) for name, value in fields.content.items() if isinstance(value, Mapping)]


def _time_told(record: AwsRecord, names: tuple[str, ...]) -> datetime | None:
    told = (_first(fields, names) for fields in (record.details, *_nested(record.details)))
    return _took_effect(next((one for one in told if one is not None), None), record)


def _account_joined(record: AwsRecord, organization_id: str) -> Interpretation:
    account_id, time = _member(record), _time_told(record, _JOINED)
    if account_id is None:
        return _whole(organization_id, "which account has joined was not told")
    if time is None:
        # It may have been moved between joining and this event, so that it is not known to be under the root.
        request = reread(RereadKind.ACCOUNT, account_id, "when it joined was not told")
        return Interpretation(ChangeType.ACCOUNT_UPDATED, {"account_id": account_id}, (request,))
    return Interpretation(
        ChangeType.ACCOUNT_CREATED, {"account_id": account_id}, (_masked_name(account_id),), CREATED, time
    )


def _account_departed(record: AwsRecord, organization_id: str) -> Interpretation:
    account_id = _member(record)
    if account_id is None:
        return _whole(organization_id, "which account has departed was not told")
    time = _time_told(record, _DEPARTED)
    return Interpretation(ChangeType.ACCOUNT_REMOVED, {"account_id": account_id}, sequence=REMOVED, time=time)


def _account_removed(record: AwsRecord, organization_id: str) -> Interpretation:
    account_id = record.request.id("accountId", ACCOUNT_ID)
    if account_id is None:
        return _whole(organization_id, "which account was removed was not told")
    return Interpretation(ChangeType.ACCOUNT_REMOVED, {"account_id": account_id}, sequence=REMOVED)


def _account_left(record: AwsRecord, organization_id: str) -> Interpretation:
    if record.account_id is None:
        return _whole(organization_id, "which account has left was not told")
    return Interpretation(ChangeType.ACCOUNT_REMOVED, {"account_id": record.account_id}, sequence=REMOVED)


def _account_moved(record: AwsRecord, organization_id: str) -> Interpretation:
    account_id = record.request.id("accountId", ACCOUNT_ID)
    parent_id = record.request.id("destinationParentId", PARENT_ID)
    if account_id is None or parent_id is None:
        return _account_anew(account_id, organization_id, "where it was moved was not told")
    return Interpretation(ChangeType.ACCOUNT_MOVED, {"account_id": account_id, "parent_id": parent_id})


def _close_account(record: AwsRecord, organization_id: str) -> Interpretation:
    account_id = record.request.id("accountId", ACCOUNT_ID)
    if account_id is None:
        return _whole(organization_id, "which account is being closed was not told", doubtful=False)
    return Interpretation(ChangeType.ACCOUNT_UPDATED, {"account_id": account_id, "status": PENDING_CLOSURE})


def _account_closed(record: AwsRecord, organization_id: str) -> Interpretation:
    status = record.details.part("closeAccountStatus")
    account_id = status.id("accountId", ACCOUNT_ID)
    if account_id is None:
        return _whole(organization_id, "which account was closed was not told", doubtful=False)
    if (status.text("state") or "").upper() != "SUCCEEDED":
        request = reread(RereadKind.ACCOUNT, account_id, "it was not closed, or it was not told", doubtful=False)
        return Interpretation(requests=(request,))
    time = _took_effect(status.text("completedTimestamp"), record)
    return Interpretation(ChangeType.ACCOUNT_CLOSED, {"account_id": account_id}, sequence=REMOVED, time=time)


def _handshake_accepted(record: AwsRecord, organization_id: str) -> Interpretation:
    handshake = record.response.part("handshake")
    action = (handshake.text("action") or "").lower()
    if action == "invite" and record.account_id is not None:
        requests = (_masked_name(record.account_id),)
        return Interpretation(ChangeType.ACCOUNT_CREATED, {"account_id": record.account_id}, requests, CREATED)
    if action in {"", "invite", "enable_all_features", "approve_all_features"}:
        # All features are on once the last account has agreed, which no event says.
        return _whole(organization_id, "which handshake was accepted, and what follows, was not told")
    return NOTHING


def _all_features(record: AwsRecord, organization_id: str) -> Interpretation:
    del record
    return _whole(organization_id, "whether all features are enabled by now was not told", doubtful=False)


def _organization_changed(record: AwsRecord, organization_id: str) -> Interpretation:
    return _whole(organization_id, f"{record.name} does not tell what there is")


def _unit_created(record: AwsRecord, organization_id: str) -> Interpretation:
    told = record.response.part("organizationalUnit")
    ou_id = told.id("id", OU_ID)
    if ou_id is None:
        return _whole(organization_id, "which unit was created was not told")
    path = (told.text("path") or "").strip("/").split("/")
    parent_id = record.request.id("parentId", PARENT_ID) or (path[-2] if path[-1] == ou_id and len(path) > 1 else None)
    if parent_id is None:
        return Interpretation(requests=(reread(RereadKind.OU, ou_id, "its parent was not told"),))
    name = told.text("name") or record.request.text("name")
    data = {"ou_id": ou_id, "parent_id": parent_id, **({} if name is None else {"name": name})}
    unnamed = reread(RereadKind.OU, ou_id, "its name was not told", doubtful=False)
    return Interpretation(ChangeType.OU_CREATED, data, () if name is not None else (unnamed,), CREATED)


def _unit_renamed(record: AwsRecord, organization_id: str) -> Interpretation:
    told = record.response.part("organizationalUnit")
    ou_id = record.request.id("organizationalUnitId", OU_ID) or told.id("id", OU_ID)
    if ou_id is None:
        return _whole(organization_id, "which unit was renamed was not told", doubtful=False)
    name = record.request.text("name") or told.text("name")
    if name is None:
        return Interpretation(requests=(reread(RereadKind.OU, ou_id, "its name was not told", doubtful=False),))
    return Interpretation(ChangeType.OU_RENAMED, {"ou_id": ou_id, "name": name})


def _unit_deleted(record: AwsRecord, organization_id: str) -> Interpretation:
    ou_id = record.request.id("organizationalUnitId", OU_ID)
    if ou_id is None:
        return _whole(organization_id, "which unit was deleted was not told")
    return Interpretation(ChangeType.OU_DELETED, {"ou_id": ou_id}, sequence=REMOVED)


def _policy_created(record: AwsRecord, organization_id: str) -> Interpretation:
    policy = record.response.part("policy")
    summary = policy.part("policySummary")
    policy_id = summary.id("id", POLICY_ID)
    if policy_id is None:
        return _whole(organization_id, "which policy was created was not told", doubtful=False)
    policy_type = record.request.text("type") or summary.text("type")
    content = record.request.document("content") or policy.document("content")
    if policy_type is None or (content is None and policy_type in AUTHORIZING_TYPES):
        return Interpretation(requests=(reread(RereadKind.POLICY, policy_id, "its type or its content was not told"),))
    return _policy(
        record, ChangeType.POLICY_CREATED, policy_id, {"policy_type": policy_type, "content": content}, CREATED
    )


def _policy_updated(record: AwsRecord, organization_id: str) -> Interpretation:
    policy = record.response.part("policy")
    summary = policy.part("policySummary")
    policy_id = record.request.id("policyId", POLICY_ID) or summary.id("id", POLICY_ID)
    if policy_id is None:
        return _whole(organization_id, "which policy was updated was not told")
    data = {"policy_type": summary.text("type"), "content": _new_content(record)}
    if data["policy_type"] is not None and data["policy_type"] not in AUTHORIZING_TYPES:
        return _policy(record, ChangeType.POLICY_UPDATED, policy_id, {"policy_type": data["policy_type"]}, ALTERED)
    if data["content"] is None:
        return Interpretation(requests=(reread(RereadKind.POLICY, policy_id, "its content was not told"),))
    return _policy(record, ChangeType.POLICY_UPDATED, policy_id, data, ALTERED)


def _new_content(record: AwsRecord) -> object:
    return record.request.document("content") or record.response.part("policy").document("content")


def _policy(
    record: AwsRecord, change_type: ChangeType, policy_id: str, data: Mapping[str, object], sequence: str
) -> Interpretation:
    summary = record.response.part("policy").part("policySummary")
    name = record.request.text("name") or summary.text("name")
    told = {"policy_id": policy_id, "name": name, **data}
    asked = told.get("policy_type") is None or (change_type == ChangeType.POLICY_CREATED and name is None)
    unnamed = reread(RereadKind.POLICY, policy_id, "its name or its type was not told", doubtful=False)
    return Interpretation(
        change_type,
        {key: value for key, value in told.items() if value is not None},
        (unnamed,) if asked else (),
        sequence,
        places={"content": "requestParameters.content"},
    )


def _policy_deleted(record: AwsRecord, organization_id: str) -> Interpretation:
    policy_id = record.request.id("policyId", POLICY_ID)
    if policy_id is None:
        return _whole(organization_id, "which policy was deleted was not told")
    return Interpretation(ChangeType.POLICY_DELETED, {"policy_id": policy_id}, sequence=REMOVED)


def _attachment(change_type: ChangeType) -> Handler:
    def tell(record: AwsRecord, organization_id: str) -> Interpretation:
        policy_id, target_id = record.request.id("policyId", POLICY_ID), record.request.id("targetId", NODE_ID)
        if policy_id is not None and target_id is not None:
            return Interpretation(change_type, {"policy_id": policy_id, "target_id": target_id})
        if target_id is not None:
            request = reread(RereadKind.ATTACHMENTS, target_id, "which policy was meant was not told")
            return Interpretation(requests=(request,))
        if policy_id is not None:
            return Interpretation(
                requests=(reread(RereadKind.TARGETS, policy_id, "which node was meant was not told"),)
            )
        return _whole(organization_id, "which policy and which node were meant was not told")

    return tell


def _policy_type(change_type: ChangeType, sequence: str) -> Handler:
    # The status in the answer is that of before: the call takes effect a little later.
    def tell(record: AwsRecord, organization_id: str) -> Interpretation:
        policy_type = record.request.text("policyType")
        if policy_type is None:
            return _whole(organization_id, "which policy type was meant was not told")
        return Interpretation(change_type, {"policy_type": policy_type}, sequence=sequence)

    return tell


_HANDLERS: Final[Mapping[str, Handler]] = {
    "CreateOrganization": _organization_changed,
    "DeleteOrganization": _organization_changed,
    "EnableAllFeatures": _all_features,
    "CreateAccountResult": _account_created,
    "AccountJoinedOrganization": _account_joined,
    "AccountDepartedOrganization": _account_departed,
    "AcceptHandshake": _handshake_accepted,
    "RemoveAccountFromOrganization": _account_removed,
    "LeaveOrganization": _account_left,
    "MoveAccount": _account_moved,
    "CloseAccount": _close_account,
    "CloseAccountResult": _account_closed,
    "CreateOrganizationalUnit": _unit_created,
    "UpdateOrganizationalUnit": _unit_renamed,
    "DeleteOrganizationalUnit": _unit_deleted,
    "CreatePolicy": _policy_created,
    "UpdatePolicy": _policy_updated,
    "DeletePolicy": _policy_deleted,
    "AttachPolicy": _attachment(ChangeType.POLICY_ATTACHED),
    "DetachPolicy": _attachment(ChangeType.POLICY_DETACHED),
    "EnablePolicyType": _policy_type(ChangeType.POLICY_TYPE_ENABLED, CREATED),
    "DisablePolicyType": _policy_type(ChangeType.POLICY_TYPE_DISABLED, REMOVED),
}

# What the first two begin is told by CreateAccountResult; the rest is about invitations, trusted services, tags, billing
# and policies that do not authorize.
_IRRELEVANT: Final = frozenset(
    {
        "CreateAccount",
        "CreateGovCloudAccount",
        "InviteAccountToOrganization",
        "CancelHandshake",
        "DeclineHandshake",
        "InviteOrganizationToTransferResponsibility",
        "TerminateResponsibilityTransfer",
        "UpdateResponsibilityTransfer",
        "ResponsibilityTransferAccepted",
        "ResponsibilityTransferTerminated",
        "EffectivePolicyValidation",
        "TagResource",
        "UntagResource",
        "PutResourcePolicy",
        "DeleteResourcePolicy",
        "RegisterDelegatedAdministrator",
        "DeregisterDelegatedAdministrator",
        "EnableAWSServiceAccess",
        "DisableAWSServiceAccess",
    }
)
