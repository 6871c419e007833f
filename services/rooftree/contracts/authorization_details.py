"""
The output of ``aws iam get-account-authorization-details`` as the data of principal snapshots.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import Field, JsonValue, ValidationError

from rooftree.contracts.complaints import first_complaint
from rooftree.contracts.fields import Inbound, Text
from rooftree.contracts.principals import Name, PolicyArn, TagValue, VersionId
from rooftree.errors import InputError, PolicyError, SnapshotError, join_place
from rooftree.organization.principals import IAM_ARN, POLICY, policy_subject, principal_subject
from rooftree.policy.document import PolicyKind, parse_policy, read_content
from rooftree.policy.strict_json import load_json

__all__ = ["AuthorizationDetails", "read_authorization_details"]

LISTS: Final = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")

# AWS keeps every version of a policy of its own; nobody but AWS puts another one in force.
AWS_POLICIES: Final = ":iam::aws:policy/"


class _InlinePolicy(Inbound):
    name: Name = Field(alias="PolicyName")
    document: JsonValue = Field(alias="PolicyDocument")


class _AttachedPolicy(Inbound):
    arn: PolicyArn = Field(alias="PolicyArn")


class _Boundary(Inbound):
    arn: PolicyArn = Field(alias="PermissionsBoundaryArn")


class _Tag(Inbound):
    key: Text = Field(alias="Key")
    value: TagValue = Field(alias="Value")


class _Principal(Inbound):
    arn: Text = Field(alias="Arn")
    attached: list[_AttachedPolicy] = Field(alias="AttachedManagedPolicies", default_factory=list)
    boundary: _Boundary | None = Field(alias="PermissionsBoundary", default=None)
    tags: list[_Tag] = Field(alias="Tags", default_factory=list)


class _User(_Principal):
    name: Name = Field(alias="UserName")
    unique_id: Text = Field(alias="UserId")
    inline: list[_InlinePolicy] = Field(alias="UserPolicyList", default_factory=list)
    groups: list[Name] = Field(alias="GroupList", default_factory=list)


class _Group(_Principal):
    name: Name = Field(alias="GroupName")
    unique_id: Text = Field(alias="GroupId")
    inline: list[_InlinePolicy] = Field(alias="GroupPolicyList", default_factory=list)


class _Role(_Principal):
    name: Name = Field(alias="RoleName")
    unique_id: Text = Field(alias="RoleId")
    inline: list[_InlinePolicy] = Field(alias="RolePolicyList", default_factory=list)
    trust: JsonValue = Field(alias="AssumeRolePolicyDocument")


class _Version(Inbound):
    id: VersionId = Field(alias="VersionId")
    document: JsonValue = Field(alias="Document")


class _Policy(Inbound):
    arn: PolicyArn = Field(alias="Arn")
    name: Name = Field(alias="PolicyName")
    default_version: VersionId = Field(alias="DefaultVersionId")
    versions: list[_Version] = Field(alias="PolicyVersionList", default_factory=list)


class _Page(Inbound):
    users: list[_User] = Field(alias="UserDetailList", default_factory=list)
    groups: list[_Group] = Field(alias="GroupDetailList", default_factory=list)
    roles: list[_Role] = Field(alias="RoleDetailList", default_factory=list)
    policies: list[_Policy] = Field(alias="Policies", default_factory=list)
    truncated: bool = Field(alias="IsTruncated", default=False)
    next_token: Text | None = Field(alias="NextToken", default=None)


_Described = dict[str, object]


@dataclass(frozen=True, slots=True)
class AuthorizationDetails:
    """
    All pages together.

    Attributes:
        principals: As they stand in a principal snapshot, by kind and name.
        managed_policies: As they stand in a principal snapshot, by ARN.
    """

    principals: tuple[Mapping[str, object], ...]
    managed_policies: tuple[Mapping[str, object], ...]


def read_authorization_details(content: bytes, account_id: str) -> AuthorizationDetails:
    """
    Read all pages of an account: one object, a list of them, or one after another.

    Documents are objects, JSON text, or that text URL-encoded, as IAM itself returns it.

    Raises:
        InputError: Something is wrong or missing; the error names the place.
    """
    found: dict[str, _Described] = {}
    pages = [(place, _page(value, place)) for place, value in _values(content)]
    for place, page in pages:
        for inner, subject, described in _subjects(page, account_id, place):
            if found.setdefault(subject, described) != described:
                raise SnapshotError(f"`{subject}` is listed twice, and not the same", place=inner)
    if not pages:
        raise SnapshotError("expected authorization details, found none")
    truncated = sum(page.truncated or page.next_token is not None for _, page in pages)
    if truncated == len(pages):
        raise SnapshotError("the last page says that there are more; all of them are needed at once")
    ordered = [(subject.startswith(POLICY), described) for subject, described in sorted(found.items())]
    return AuthorizationDetails(
        principals=tuple(described for is_policy, described in ordered if not is_policy),
        managed_policies=tuple(described for is_policy, described in ordered if is_policy),
    )


def _values(content: bytes) -> Iterator[tuple[str, object]]:
    """
    Yield the pages of a file with their places.
    """
    documents = list(_documents(content))
    for number, document in enumerate(documents, start=1):
        outer = f"document {number}: " if len(documents) > 1 else ""
        if isinstance(document, list):
            yield from ((f"{outer}[{index}]", page) for index, page in enumerate(document))
        else:
            yield outer, document


def _documents(content: bytes) -> Iterator[object]:
    """
    Yield the JSON documents that stand one after another in a text.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SnapshotError("no UTF-8 text", place=f"byte {error.start}") from error
    decoder, position = json.JSONDecoder(), 0
    while rest := text[position:].lstrip():
        start = len(text) - len(rest)
        try:
            _, position = decoder.raw_decode(text, start)
        except (json.JSONDecodeError, RecursionError):
            position = len(text)
        try:
            yield load_json(text[start:position])
        except InputError as error:
            line = f", after line {text.count(chr(10), 0, start)}" if start and error.place.startswith("line ") else ""
            raise SnapshotError(error.reason, place=f"{error.place}{line}") from error


def _page(value: object, place: str) -> _Page:
    if not isinstance(value, dict) or not value.keys() & set(LISTS):
        expected = ", ".join(f"`{name}`" for name in LISTS)
        raise SnapshotError(f"expected an object with {expected}", place=place.rstrip(": "))
    try:
        return _Page.model_validate(value)
    except ValidationError as error:
        wrong = first_complaint(error)
        raise SnapshotError(wrong.reason, place=_within(place, wrong.place)) from error


def _within(outer: str, inner: str) -> str:
    return f"{outer}{inner}" if outer.endswith(" ") else join_place(outer, inner)


def _subjects(page: _Page, account_id: str, outer: str) -> Iterator[tuple[str, str, _Described]]:
    """
    Yield the place, the subject and the description of all that a page lists.
    """
    lists: tuple[tuple[str, str, Sequence[_User | _Group | _Role]], ...] = (
        ("user", "UserDetailList", page.users),
        ("group", "GroupDetailList", page.groups),
        ("role", "RoleDetailList", page.roles),
    )
    for kind, name, principals in lists:
        for index, principal in enumerate(principals):
            place = _within(outer, f"{name}[{index}]")
            yield place, principal_subject(kind, principal.name), _principal(kind, principal, account_id, place)
    for index, policy in enumerate(page.policies):
        place = _within(outer, f"Policies[{index}]")
        yield place, policy_subject(policy.arn), _managed_policy(policy, place)


def _principal(kind: str, one: _User | _Group | _Role, account_id: str, place: str) -> _Described:
    match = IAM_ARN.match(one.arn)
    if match is None or match.group("account", "kind", "name") != (account_id, kind, one.name):
        raise SnapshotError(
            f"expected the ARN of {kind} `{one.name}` in `{account_id}`, found `{one.arn[:128]}`", place=f"{place}.Arn"
        )
    listed = f"{place}.{kind.capitalize()}PolicyList"
    described: _Described = {
        "kind": kind,
        "name": one.name,
        "arn": one.arn,
        "unique_id": one.unique_id,
        "inline_policies": {
            policy.name: _document(policy.document, PolicyKind.IDENTITY, f"{listed}[{index}].PolicyDocument")
            for index, policy in enumerate(one.inline)
        },
        "attached_policies": [policy.arn for policy in one.attached],
        "permissions_boundary": None if one.boundary is None else one.boundary.arn,
        "tags": {tag.key: tag.value for tag in one.tags},
    }
    if isinstance(one, _User):
        described["groups"] = one.groups
    if isinstance(one, _Role):
        described["trust_policy"] = _document(one.trust, PolicyKind.TRUST, f"{place}.AssumeRolePolicyDocument")
    return described


def _managed_policy(policy: _Policy, place: str) -> _Described:
    versions = {
        version.id: _document(version.document, PolicyKind.IDENTITY, f"{place}.PolicyVersionList[{index}].Document")
        for index, version in enumerate(policy.versions)
        if version.id == policy.default_version or AWS_POLICIES not in policy.arn
    }
    if policy.default_version not in versions:
        raise SnapshotError(f"`{policy.default_version}` is missing", place=f"{place}.PolicyVersionList")
    return {
        "arn": policy.arn,
        "name": policy.name,
        "default_version": policy.default_version,
        "versions": versions,
    }


def _document(content: JsonValue, kind: PolicyKind, place: str) -> dict[str, object]:
    if not isinstance(content, str | dict):
        raise PolicyError("expected a policy, as an object or as text", place=place)
    try:
        top = read_content(content)
        parse_policy(top, kind)
    except PolicyError as error:
        raise error.within(place) from error
    return top
