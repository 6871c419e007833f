"""
Simulation requests and answers: one JSON object a line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from rooftree.authorization import AccessRequest, Answer, Membership, PolicySet, Reason, parse_principal
from rooftree.authorization.acl import AccessControlList, AclGrant, ObjectOwnership, Permission
from rooftree.authorization.request import account_of_resource
from rooftree.authorization.surroundings import Surroundings
from rooftree.contracts.complaints import first_complaint
from rooftree.contracts.fields import AccountId, Inbound, JsonObject, OneAction, OneResource, OrganizationId, Text
from rooftree.errors import InputError, PolicyError
from rooftree.organization.timestamps import format_time
from rooftree.policy.chain import AttachedPolicy, Level
from rooftree.policy.context import Context
from rooftree.policy.document import PolicyContent, PolicyKind, canonical_text, parse_policy
from rooftree.policy.evaluate import Decision
from rooftree.policy.model import PolicyDocument
from rooftree.policy.strict_json import load_json
from rooftree.policy.wording import quote

__all__ = [
    "Simulation",
    "SimulationLine",
    "answer_document",
    "layers_document",
    "line_id",
    "read_line",
    "read_simulation",
]

MAX_DEPTH = 32
"""Line, policies, level, policy and the policy's own twenty levels."""


class RequestModel(Inbound):
    """
    The request of a simulation.

    `session_issuer` is the ARN of the role or the user that a session was issued for, as CloudTrail names it: the ARN
    of a session lacks the path of its role, and that of a federated user its user.
    """

    principal: Text
    action: OneAction
    resource: OneResource = "*"
    resource_account: AccountId | None = None
    context: JsonObject = Field(default_factory=dict)
    session_issuer: Text | None = None
    canonical_user_id: Text | None = None
    aws_managed_key: bool = False


def _or_bare(schema: JsonObject) -> None:
    schema["anyOf"] = [{"required": schema.pop("required")}, {"required": ["Statement"]}]


class NamedPolicyModel(Inbound):
    """
    A policy with the name that answers call it by; a bare policy is called by its place.
    """

    model_config = ConfigDict(defer_build=True, json_schema_extra=_or_bare)

    name: Text | None = None
    policy: JsonValue

    @model_validator(mode="before")
    @classmethod
    def _wrap_bare_policy(cls, content: object) -> object:
        is_bare = isinstance(content, dict) and "Statement" in content and "policy" not in content
        return {"policy": content} if is_bare else content


class LevelModel(Inbound):
    """
    One node with its control policies.
    """

    target: Text
    policies: list[NamedPolicyModel] = Field(default_factory=list)


class AclGrantModel(Inbound):
    """
    One entry of an ACL: to an account id, a canonical user id or the URI of a group.
    """

    grantee: Text
    permission: Text


class AclModel(Inbound):
    """
    The ACLs of an S3 bucket and of the object that is asked for.
    """

    object_ownership: Text
    object_owner: AccountId | None = None
    bucket: list[AclGrantModel] = Field(default_factory=list)
    object: list[AclGrantModel] = Field(default_factory=list)


class PoliciesModel(BaseModel):
    """
    The policies of a simulation. A kind that is not known is refused: without it the answer would be wrong.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", strict=True, frozen=True)

    identity: list[NamedPolicyModel] | None = None
    permissions_boundaries: list[NamedPolicyModel] | None = None
    session: list[NamedPolicyModel] | None = None
    resource: NamedPolicyModel | None = None
    service_control: list[LevelModel] | None = None
    resource_control: list[LevelModel] | None = None
    vpc_endpoint: list[NamedPolicyModel] | None = None
    acl: AclModel | None = None


class OrganizationModel(Inbound):
    """
    The organization around a simulation: its accounts, each with the path down to its parent if that is known.
    """

    id: OrganizationId
    management_account_id: AccountId | None = None
    paths: dict[AccountId, Text | None] = Field(default_factory=dict)


class SimulationLine(Inbound):
    """
    A request to simulate, with the policies that it meets: one line.
    """

    id: JsonValue = None
    request: RequestModel
    policies: PoliciesModel = Field(default_factory=PoliciesModel)
    organization: OrganizationModel | None = None


@dataclass(frozen=True, slots=True)
class Simulation:
    """
    A request with the policies that it meets.
    """

    request: AccessRequest
    policies: PolicySet


def line_id(content: object) -> JsonValue:
    """
    Return the id of a line, broken or not; None if it has none.
    """
    found = content.get("id") if isinstance(content, dict) else None
    return found if isinstance(found, str | int | float | bool) else None


def read_line(text: bytes) -> object:
    """
    Read the JSON of a line.

    Raises:
        InputError: It is no JSON.
    """
    return load_json(text, max_depth=MAX_DEPTH)


def read_simulation(
    content: object, *, moment: datetime | None = None, surroundings: Surroundings | None = None
) -> Simulation:
    """
    Read a simulation from the JSON of its line.

    Args:
        content: The line, decoded.
        moment: When the request is made, unless its context says.
        surroundings: The organization that says what the line leaves out.

    Raises:
        InputError: Something is wrong; the error names the place.
    """
    try:
        line = SimulationLine.model_validate(content)
    except ValidationError as error:
        raise first_complaint(error) from error
    request = _request(line.request, moment)
    request = _placed(request, line.organization, surroundings)
    return Simulation(request, _policies(line.policies, request, surroundings))


def answer_document(answer: Answer) -> dict[str, object]:
    """
    Return an answer as JSON, without the id of its line.
    """
    return {
        "decision": str(answer.decision),
        "blocked_by": [str(policy_type) for policy_type in answer.blocked_by],
        "decided_by": [_reason_document(reason) for reason in answer.decided_by],
        "missing_levels": list(answer.missing_levels) if answer.decision is Decision.IMPLICIT_DENY else [],
    }


def layers_document(answer: Answer) -> list[dict[str, object]]:
    """
    Return what each kind of policies has to say, as JSON.
    """
    return [
        {
            "policy_type": str(layer.policy_type),
            "outcome": str(layer.outcome),
            "denied_by": [_reason_document(reason) for reason in layer.denials],
            "allowed_by": [_reason_document(reason) for reason in layer.grants],
            "missing_levels": list(layer.missing_levels),
            "note": layer.note,
        }
        for layer in answer.layers
    ]


def _reason_document(reason: Reason) -> dict[str, object]:
    return {
        "policy_type": str(reason.policy_type),
        "target": reason.target_id,
        "policy": reason.policy_id,
        "policy_name": reason.policy_name,
        "statement": reason.label,
        "index": None if reason.statement is None else reason.statement.index,
    }


def _request(model: RequestModel, moment: datetime | None) -> AccessRequest:
    try:
        context = Context.from_json(_with_time(model.context, moment))
    except InputError as error:
        raise error.within("request.context") from None
    values = {name: context.get(name, ("",))[0] for name in ("aws:AssumedRoot", "aws:PrincipalArn")}
    role = values["aws:PrincipalArn"] if ":role/" in values["aws:PrincipalArn"] else None
    issuer = model.session_issuer or (role if ":assumed-role/" in model.principal else None)
    try:
        principal = parse_principal(
            model.principal, issuer=issuer, assumed_root=values["aws:AssumedRoot"].lower() == "true"
        )
    except InputError as error:
        raise error.within("request.principal") from None
    return AccessRequest(
        principal=principal,
        action=model.action,
        resource=model.resource,
        resource_account=model.resource_account,
        context=context,
        canonical_user_id=model.canonical_user_id,
        aws_managed_key=model.aws_managed_key,
    )


def _with_time(context: JsonObject, moment: datetime | None) -> JsonObject:
    """
    Return a context with the keys that AWS's clock sets.
    """
    if moment is None:
        return context
    given = {key.lower() for key in context}
    told: JsonObject = {"aws:CurrentTime": format_time(moment), "aws:EpochTime": str(int(moment.timestamp()))}
    return {**{key: value for key, value in told.items() if key.lower() not in given}, **context}


def _placed(
    request: AccessRequest, organization: OrganizationModel | None, surroundings: Surroundings | None
) -> AccessRequest:
    """
    Return a request that knows where the accounts on both sides stand.
    """

    def membership(account_id: str | None) -> Membership | None:
        if organization is None:
            return None if surroundings is None else surroundings.membership(account_id)
        is_management = account_id is not None and account_id == organization.management_account_id
        if not is_management and account_id not in organization.paths:
            return None
        return Membership(organization.id, organization.paths.get(account_id or ""), is_management)

    return replace(
        request,
        caller=membership(request.principal.account) if request.principal.is_of_account else None,
        owner=membership(account_of_resource(request)),
    )


def _policies(model: PoliciesModel, request: AccessRequest, surroundings: Surroundings | None) -> PolicySet:
    return PolicySet(
        identity=_named(model.identity, "identity", PolicyKind.IDENTITY),
        permissions_boundaries=_named(model.permissions_boundaries, "permissions_boundaries", PolicyKind.BOUNDARY),
        session=_named(model.session, "session", PolicyKind.SESSION),
        resource=() if model.resource is None else (_policy(model.resource, "policies.resource", PolicyKind.RESOURCE),),
        service_control=_levels(model.service_control, "service_control", PolicyKind.SERVICE_CONTROL)
        if model.service_control is not None or surroundings is None
        else surroundings.service_control(request.principal.account),
        resource_control=_levels(model.resource_control, "resource_control", PolicyKind.RESOURCE_CONTROL)
        if model.resource_control is not None or surroundings is None
        else surroundings.resource_control(account_of_resource(request)),
        vpc_endpoint=_named(model.vpc_endpoint, "vpc_endpoint", PolicyKind.VPC_ENDPOINT),
        acl=None if model.acl is None else _acl(model.acl),
    )


def _levels(models: list[LevelModel] | None, name: str, kind: PolicyKind) -> tuple[Level, ...]:
    return tuple(
        Level(model.target, _named(model.policies, f"{name}[{index}].policies", kind))
        for index, model in enumerate(models or ())
    )


def _named(models: list[NamedPolicyModel] | None, name: str, kind: PolicyKind) -> tuple[AttachedPolicy, ...]:
    return tuple(_policy(model, f"policies.{name}[{index}]", kind) for index, model in enumerate(models or ()))


def _policy(model: NamedPolicyModel, place: str, kind: PolicyKind) -> AttachedPolicy:
    if not isinstance(model.policy, dict | str):
        raise InputError("expected a policy as an object or as text", place=f"{place}.policy")
    try:
        document = _document(model.policy, kind)
    except InputError as error:
        raise error.within(f"{place}.policy") from None
    name = model.name or place.removeprefix("policies.")
    return AttachedPolicy(name, name, document)


def _document(content: PolicyContent, kind: PolicyKind) -> PolicyDocument:
    try:
        # lines tend to repeat their policies
        return _canonical_document(canonical_text(content), kind)
    except PolicyError:
        # the canonical text has other places than what was given
        return parse_policy(content, kind)


@lru_cache(maxsize=4096)
def _canonical_document(text: str, kind: PolicyKind) -> PolicyDocument:
    return parse_policy(text, kind)


def _acl(model: AclModel) -> AccessControlList:
    return AccessControlList(
        object_ownership=_member(ObjectOwnership, model.object_ownership, "policies.acl.object_ownership"),
        object_owner=model.object_owner,
        bucket=_entries(model.bucket, "policies.acl.bucket"),
        object=_entries(model.object, "policies.acl.object"),
    )


def _entries(models: list[AclGrantModel], place: str) -> tuple[AclGrant, ...]:
    return tuple(
        AclGrant(model.grantee, _member(Permission, model.permission, f"{place}[{index}].permission"))
        for index, model in enumerate(models)
    )


Member = TypeVar("Member", bound=StrEnum)


def _member(kind: type[Member], text: str, place: str) -> Member:
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(f"`{member}`" for member in kind)
        raise InputError(f"expected one of {known}, found {quote(text)}", place=place) from None
