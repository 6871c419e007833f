"""
What the records of IAM come to, for the principals of the account that they are of.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from rooftree.aws.events.fields import Fields
from rooftree.aws.events.interpretation import NOTHING, REMOVED, Interpretation, reread
from rooftree.aws.events.record import AwsRecord
from rooftree.errors import ChangeError
from rooftree.organization.changes import ChangeType
from rooftree.organization.principals import IAM_ARN, POLICY_ARN, policy_subject, principal_subject
from rooftree.organization.rereads import RereadKind, RereadRequest, principal_object

__all__ = ["IAM_SERVICE", "interpret_iam"]

IAM_SERVICE: Final = "iam.amazonaws.com"

Handler: TypeAlias = Callable[[AwsRecord, str], Interpretation]
"""From a record and its account."""

_FIRST_VERSION: Final = "v1"


def interpret_iam(record: AwsRecord, organization_id: str) -> Interpretation:
    """
    Return what a record of IAM comes to.

    Raises:
        ChangeError: A field has a value that it cannot have, or the account is not told.
    """
    del organization_id
    handler = _HANDLERS.get(record.name)
    if handler is None:
        return NOTHING
    if record.account_id is None:
        raise ChangeError("is missing", place="recipientAccountId")
    return handler(record, record.account_id)


def _changed(account_id: str, kind: str, name: str, **told: object) -> Interpretation:
    data = {"account_id": account_id, "principal": {"kind": kind, "name": name, **told}}
    return Interpretation(ChangeType.PRINCIPAL_UPDATED, data)


def _policy_changed(account_id: str, arn: str, **told: object) -> Interpretation:
    return Interpretation(
        ChangeType.PRINCIPAL_UPDATED, {"account_id": account_id, "managed_policy": {"arn": arn, **told}}
    )


def _anew(account_id: str, kind: str, name: str, reason: str) -> RereadRequest:
    object_id = principal_object(account_id, principal_subject(kind, name))
    return reread(RereadKind.PRINCIPAL, object_id, reason, doubtful=False)


def _policy_anew(account_id: str, arn: str, reason: str) -> Interpretation:
    object_id = principal_object(account_id, policy_subject(arn))
    return Interpretation(requests=(reread(RereadKind.PRINCIPAL, object_id, reason, doubtful=False),))


def _all_anew(account_id: str, reason: str) -> Interpretation:
    return Interpretation(requests=(reread(RereadKind.PRINCIPALS, account_id, reason, doubtful=False),))


def _of(kind: str, tell: Callable[[AwsRecord, str, str], Interpretation]) -> Handler:
    """
    Return the handler of records that name a principal in their request.
    """

    def handle(record: AwsRecord, account_id: str) -> Interpretation:
        name = record.request.text(f"{kind}Name")
        if name is None:
            return _all_anew(account_id, f"which {kind} was meant was not told")
        return tell(record, account_id, name)

    return handle


def _created(kind: str) -> Handler:
    def handle(record: AwsRecord, account_id: str) -> Interpretation:
        answer = record.response.part(kind)
        name = record.request.text(f"{kind}Name") or answer.text(f"{kind}Name")
        if name is None:
            return _all_anew(account_id, f"which {kind} was created was not told")
        told: dict[str, object] = {"unique_id": answer.text(f"{kind}Id")}
        arn = answer.text("arn")
        if arn is not None and IAM_ARN.match(arn):
            told["arn"] = arn
        else:
            told["path"] = answer.text("path") or record.request.text("path") or "/"
        boundary = answer.part("permissionsBoundary").text("permissionsBoundaryArn")
        told["permissions_boundary"] = boundary or record.request.text("permissionsBoundary")
        requests: tuple[RereadRequest, ...] = ()
        if kind == "role":
            told["trust_policy"] = _trust_policy(record, answer)
            if told["trust_policy"] is None:
                requests = (_anew(account_id, kind, name, "its trust policy was not told"),)
        tags = _tags(record.request)
        tags = _tags(answer) if tags == {} else tags
        if not record.request or tags is None or record.name == "CreateServiceLinkedRole":
            requests = (_anew(account_id, kind, name, "what it has was not told"),)
        principal = {"kind": kind, "name": name, **_known(told), **({"tags": tags} if tags else {})}
        data = {"account_id": account_id, "created": True, "principal": principal}
        places = {"principal.trust_policy": "requestParameters.assumeRolePolicyDocument"}
        return Interpretation(ChangeType.PRINCIPAL_UPDATED, data, requests, places=places)

    return handle


def _trust_policy(record: AwsRecord, answer: Fields) -> object:
    name = "assumeRolePolicyDocument"
    return record.request.document(name) or answer.document(name)


def _known(told: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in told.items() if value is not None}


def _deleted(kind: str) -> Handler:
    def tell(_: AwsRecord, account_id: str, name: str) -> Interpretation:
        data = {"account_id": account_id, "principal": {"kind": kind, "name": name}}
        return Interpretation(ChangeType.PRINCIPAL_DELETED, data, sequence=REMOVED)

    return _of(kind, tell)


def _updated(kind: str) -> Handler:
    def tell(record: AwsRecord, account_id: str, name: str) -> Interpretation:
        kind_name = kind.capitalize()
        renamed, path = record.request.text(f"new{kind_name}Name"), record.request.text("newPath")
        if renamed is not None and renamed != name:
            # Under its new name it has all that it had under the old one, which nobody has told.
            data = {"account_id": account_id, "principal": {"kind": kind, "name": name}}
            request = _anew(account_id, kind, renamed, f"it was {name} before")
            return Interpretation(ChangeType.PRINCIPAL_DELETED, data, (request,), REMOVED)
        if path is not None:
            return _changed(account_id, kind, name, path=path)
        return Interpretation(requests=(_anew(account_id, kind, name, "what has changed was not told"),))

    return _of(kind, tell)


def _inline_put(kind: str) -> Handler:
    def tell(record: AwsRecord, account_id: str, name: str) -> Interpretation:
        policy, document = record.request.text("policyName"), record.request.document("policyDocument")
        if policy is None or document is None:
            return Interpretation(requests=(_anew(account_id, kind, name, "an inline policy was not told"),))
        interpretation = _changed(account_id, kind, name, inline_policies={policy: document})
        return Interpretation(interpretation.type, interpretation.data, places=_places(policy))

    return _of(kind, tell)


def _places(policy: str) -> dict[str, str]:
    return {f"principal.inline_policies.{policy}": "requestParameters.policyDocument"}


def _inline_deleted(kind: str) -> Handler:
    def tell(record: AwsRecord, account_id: str, name: str) -> Interpretation:
        policy = record.request.text("policyName")
        if policy is None:
            return Interpretation(requests=(_anew(account_id, kind, name, "which policy was deleted was not told"),))
        return _changed(account_id, kind, name, inline_policies={policy: None})

    return _of(kind, tell)


def _attachment(kind: str, *, attached: bool) -> Handler:
    def tell(record: AwsRecord, account_id: str, name: str) -> Interpretation:
        arn = record.request.id("policyArn", POLICY_ARN)
        if arn is None:
            return Interpretation(requests=(_anew(account_id, kind, name, "which policy was meant was not told"),))
        return _changed(account_id, kind, name, attached_policies={arn: attached})

    return _of(kind, tell)


def _boundary_put(kind: str) -> Handler:
    def tell(record: AwsRecord, account_id: str, name: str) -> Interpretation:
        arn = record.request.id("permissionsBoundary", POLICY_ARN)
        if arn is None:
            return Interpretation(requests=(_anew(account_id, kind, name, "its boundary was not told"),))
        return _changed(account_id, kind, name, permissions_boundary=arn)

    return _of(kind, tell)


def _boundary_deleted(kind: str) -> Handler:
    return _of(kind, lambda _, account_id, name: _changed(account_id, kind, name, permissions_boundary=None))


def _trust_updated(record: AwsRecord, account_id: str, name: str) -> Interpretation:
    document = record.request.document("policyDocument")
    if document is None:
        return Interpretation(requests=(_anew(account_id, "role", name, "its trust policy was not told"),))
    interpretation = _changed(account_id, "role", name, trust_policy=document)
    return Interpretation(
        interpretation.type, interpretation.data, places={"principal.trust_policy": "requestParameters.policyDocument"}
    )


def _membership(*, member: bool) -> Handler:
    def tell(record: AwsRecord, account_id: str, name: str) -> Interpretation:
        group = record.request.text("groupName")
        if group is None:
            return Interpretation(requests=(_anew(account_id, "user", name, "which group was meant was not told"),))
        return _changed(account_id, "user", name, groups={group: member})

    return _of("user", tell)


def _tagged(kind: str) -> Handler:
    def tell(record: AwsRecord, account_id: str, name: str) -> Interpretation:
        tags = _tags(record.request)
        if not tags:
            return Interpretation(requests=(_anew(account_id, kind, name, "which tags were set was not told"),))
        return _changed(account_id, kind, name, tags=tags)

    return _of(kind, tell)


def _untagged(kind: str) -> Handler:
    def tell(record: AwsRecord, account_id: str, name: str) -> Interpretation:
        keys = record.request.texts("tagKeys")
        if not keys:
            return Interpretation(requests=(_anew(account_id, kind, name, "which tags were removed was not told"),))
        return _changed(account_id, kind, name, tags=dict.fromkeys(keys))

    return _of(kind, tell)


def _tags(request: Fields) -> dict[str, str] | None:
    """
    Return tags by key; None where one of them is not told.
    """
    tags: dict[str, str] = {}
    for tag in request.items("tags"):
        key, value = tag.text("key"), tag.text("value")
        if key is None or (value is None and tag.content.get("value") != ""):
            return None
        tags[key] = value or ""
    return tags


def _service_role_deleted(record: AwsRecord, account_id: str, name: str) -> Interpretation:
    # IAM first looks whether the service still needs it, and may refuse.
    return Interpretation(
        requests=(_anew(account_id, "role", name, f"whether {record.name} has succeeded was not told"),)
    )


def _managed_created(record: AwsRecord, account_id: str) -> Interpretation:
    answer = record.response.part("policy")
    arn, document = answer.id("arn", POLICY_ARN), record.request.document("policyDocument")
    if arn is None:
        return _all_anew(account_id, "which policy was created was not told")
    if document is None:
        return _policy_anew(account_id, arn, "its document was not told")
    name = record.request.text("policyName") or answer.text("policyName")
    told = _policy_changed(
        account_id,
        arn,
        default_version=_FIRST_VERSION,
        versions={_FIRST_VERSION: document},
        **({} if name is None else {"name": name}),
    )
    return Interpretation(told.type, {**told.data, "created": True}, places=_version_place(_FIRST_VERSION))


def _version_place(version: str) -> dict[str, str]:
    return {f"managed_policy.versions.{version}": "requestParameters.policyDocument"}


def _version_created(record: AwsRecord, account_id: str) -> Interpretation:
    arn, document = record.request.id("policyArn", POLICY_ARN), record.request.document("policyDocument")
    answer = record.response.part("policyVersion")
    version, is_default = answer.text("versionId"), _is_default(record, answer)
    if arn is None:
        return _all_anew(account_id, "of which policy a version was created was not told")
    if version is None or document is None or is_default is None:
        return _policy_anew(account_id, arn, "its new version was not told")
    default = {"default_version": version} if is_default else {}
    told = _policy_changed(account_id, arn, versions={version: document}, **default)
    return Interpretation(told.type, told.data, places=_version_place(version))


def _is_default(record: AwsRecord, answer: Fields) -> bool | None:
    told = {record.request.flag("setAsDefault"), answer.flag("isDefaultVersion")} - {None}
    return told.pop() if len(told) == 1 else None


def _default_version_set(record: AwsRecord, account_id: str) -> Interpretation:
    arn, version = record.request.id("policyArn", POLICY_ARN), record.request.text("versionId")
    if arn is None:
        return _all_anew(account_id, "which policy was meant was not told")
    if version is None:
        return _policy_anew(account_id, arn, "which version is in force was not told")
    return _policy_changed(account_id, arn, default_version=version)


def _version_deleted(record: AwsRecord, account_id: str) -> Interpretation:
    arn, version = record.request.id("policyArn", POLICY_ARN), record.request.text("versionId")
    if arn is None:
        return _all_anew(account_id, "which policy was meant was not told")
    if version is None:
        return _policy_anew(account_id, arn, "which version was deleted was not told")
    return _policy_changed(account_id, arn, versions={version: None})


def _managed_deleted(record: AwsRecord, account_id: str) -> Interpretation:
    arn = record.request.id("policyArn", POLICY_ARN)
    if arn is None:
        return _all_anew(account_id, "which policy was deleted was not told")
    data = {"account_id": account_id, "managed_policy": {"arn": arn}}
    return Interpretation(ChangeType.PRINCIPAL_DELETED, data, sequence=REMOVED)


def _by_kind() -> dict[str, Handler]:
    handlers: dict[str, Handler] = {}
    for kind in ("user", "group", "role"):
        name = kind.capitalize()
        handlers[f"Create{name}"] = _created(kind)
        handlers[f"Delete{name}"] = _deleted(kind)
        handlers[f"Put{name}Policy"] = _inline_put(kind)
        handlers[f"Delete{name}Policy"] = _inline_deleted(kind)
        handlers[f"Attach{name}Policy"] = _attachment(kind, attached=True)
        handlers[f"Detach{name}Policy"] = _attachment(kind, attached=False)
    for kind in ("user", "group"):
        handlers[f"Update{kind.capitalize()}"] = _updated(kind)
    for kind in ("user", "role"):
        name = kind.capitalize()
        handlers[f"Put{name}PermissionsBoundary"] = _boundary_put(kind)
        handlers[f"Delete{name}PermissionsBoundary"] = _boundary_deleted(kind)
        handlers[f"Tag{name}"] = _tagged(kind)
        handlers[f"Untag{name}"] = _untagged(kind)
    return handlers


# Whatever else IAM records is about credentials, providers, instance profiles and certificates, which decide nothing here.
_HANDLERS: Final[Mapping[str, Handler]] = {
    **_by_kind(),
    "CreateServiceLinkedRole": _created("role"),
    "DeleteServiceLinkedRole": _of("role", _service_role_deleted),
    "UpdateAssumeRolePolicy": _of("role", _trust_updated),
    "AddUserToGroup": _membership(member=True),
    "RemoveUserFromGroup": _membership(member=False),
    "CreatePolicy": _managed_created,
    "CreatePolicyVersion": _version_created,
    "SetDefaultPolicyVersion": _default_version_set,
    "DeletePolicyVersion": _version_deleted,
    "DeletePolicy": _managed_deleted,
}
