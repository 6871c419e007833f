"""
The data of the change events about the principals of an account.

An update names what has changed and nothing else, as each call of IAM does; a snapshot names all there is.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, JsonValue, StringConstraints

from rooftree.contracts.change_data import OrganizationChange
from rooftree.contracts.fields import MAX_TEXT, AccountId, Inbound, Text, pattern, storable
from rooftree.errors import InputError, PolicyError, SnapshotError
from rooftree.organization import changes, principals
from rooftree.organization.changes import ChangeData
from rooftree.organization.documents import accept_document
from rooftree.organization.facts import FactValue
from rooftree.organization.principals import IAM_ARN, POLICY_ARN, policy_subject, principal_subject
from rooftree.policy.document import PolicyKind
from rooftree.policy.wording import in_place

__all__ = [
    "ManagedPolicyChangeModel",
    "ManagedPolicyModel",
    "Name",
    "PolicyArn",
    "PrincipalChangeModel",
    "PrincipalDeletedData",
    "PrincipalModel",
    "PrincipalNameModel",
    "PrincipalSnapshotData",
    "PrincipalUpdatedData",
    "TagValue",
    "VersionId",
]

Kind = Literal["user", "group", "role"]
Name = Annotated[str, StringConstraints(pattern=r"^[\w+=,.@-]{1,128}$")]
Path = Annotated[str, StringConstraints(pattern=r"^(/|/[!-~]{1,510}/)$")]
PolicyArn = Annotated[str, pattern(POLICY_ARN)]
VersionId = Annotated[str, StringConstraints(pattern=r"^v[1-9][0-9]{0,9}$")]
TagValue = Annotated[str, StringConstraints(max_length=MAX_TEXT), AfterValidator(storable)]


class PrincipalNameModel(Inbound):
    """
    Which principal of an account.
    """

    kind: Kind
    name: Name

    @property
    def subject(self) -> str:
        """
        The subject that stands for it.
        """
        return principal_subject(self.kind, self.name)


@dataclass(slots=True)
class _Documents:
    """
    The documents of an event, gathered by digest.
    """

    texts: dict[str, str] = field(default_factory=dict)

    def accept(self, content: JsonValue, kind: PolicyKind, place: str) -> str:
        """
        Take in a document and return its digest.
        """
        if not isinstance(content, str | dict):
            raise PolicyError("expected a policy, as an object or as JSON text", place=place)
        try:
            digest, text = accept_document(content, kind)
        except PolicyError as error:
            raise error.within(place) from error
        self.texts[digest] = text
        return digest


class _DescribedModel(PrincipalNameModel):
    path: Path | None = None
    arn: Text | None = Field(default=None, description="Tells the path and the partition, too.")
    unique_id: Text | None = None
    permissions_boundary: PolicyArn | None = Field(default=None, description="The ARN of a managed policy.")
    trust_policy: JsonValue = Field(default=None, description="Of a role: an object, or its JSON text.")

    def _described(self, account_id: str, documents: _Documents) -> Iterator[tuple[str, FactValue]]:
        yield from self._placed(account_id)
        if self.unique_id is not None:
            yield principals.UNIQUE_ID, self.unique_id
        if self.trust_policy is not None:
            if self.kind != "role":
                raise PolicyError("only a role has one", place="trust_policy")
            yield principals.TRUST, documents.accept(self.trust_policy, PolicyKind.TRUST, "trust_policy")

    def _placed(self, account_id: str) -> Iterator[tuple[str, FactValue]]:
        path = self.path
        if self.arn is not None:
            match = IAM_ARN.match(self.arn)
            told = (account_id, self.kind, self.name)
            if match is None or told != match.group("account", "kind", "name"):
                raise SnapshotError(
                    f"expected the ARN of {self.kind} `{self.name}` in `{account_id}`, found `{self.arn[:128]}`",
                    place="arn",
                )
            path = match["path"]
            if match["partition"] != "aws":
                yield principals.PARTITION, match["partition"]
        if path is not None:
            yield principals.PATH, path


class PrincipalModel(_DescribedModel):
    """
    A principal with all that it has.
    """

    inline_policies: dict[Name, JsonValue] = Field(
        default_factory=dict, description="Documents by name: each an object, or its JSON text."
    )
    attached_policies: list[PolicyArn] = Field(default_factory=list, description="The ARNs of managed policies.")
    groups: list[Name] = Field(default_factory=list, description="Of a user.")
    tags: dict[Text, TagValue] = Field(default_factory=dict)

    def attributes(self, account_id: str, documents: _Documents) -> dict[str, FactValue]:
        """
        Return what is said of the principal, and put its documents with the others.
        """
        found = dict(self._described(account_id, documents))
        if self.permissions_boundary is not None:
            found[principals.BOUNDARY] = self.permissions_boundary
        for name, document in self.inline_policies.items():
            place = f"inline_policies.{in_place(name)}"
            found[f"{principals.INLINE}{name}"] = documents.accept(document, PolicyKind.IDENTITY, place)
        found.update((f"{principals.ATTACHED}{arn}", True) for arn in self.attached_policies)
        found.update((f"{principals.GROUP}{group}", True) for group in self.groups)
        found.update((f"{principals.TAG}{key}", value) for key, value in self.tags.items())
        return found


class PrincipalChangeModel(_DescribedModel):
    """
    What has changed about a principal, which may be new. What is null or false was taken away.
    """

    inline_policies: dict[Name, JsonValue] = Field(
        default_factory=dict, description="Documents by name; null for a policy that was deleted."
    )
    attached_policies: dict[PolicyArn, bool] = Field(
        default_factory=dict, description="By ARN: true for attached, false for detached."
    )
    groups: dict[Name, bool] = Field(
        default_factory=dict, description="Of a user, by name: true for added to, false for removed from."
    )
    tags: dict[Text, TagValue | None] = Field(default_factory=dict, description="Null for a tag that was removed.")

    def attributes(self, account_id: str, documents: _Documents) -> dict[str, FactValue]:
        """
        Return what is said of the principal, and put its documents with the others.
        """
        found = dict(self._described(account_id, documents))
        if "permissions_boundary" in self.model_fields_set:
            found[principals.BOUNDARY] = self.permissions_boundary
        for name, document in self.inline_policies.items():
            place = f"inline_policies.{in_place(name)}"
            digest = None if document is None else documents.accept(document, PolicyKind.IDENTITY, place)
            found[f"{principals.INLINE}{name}"] = digest
        found.update((f"{principals.ATTACHED}{arn}", attached) for arn, attached in self.attached_policies.items())
        found.update((f"{principals.GROUP}{group}", member) for group, member in self.groups.items())
        found.update((f"{principals.TAG}{key}", value) for key, value in self.tags.items())
        return found


class ManagedPolicyNameModel(Inbound):
    """
    Which managed policy.
    """

    arn: PolicyArn

    @property
    def subject(self) -> str:
        """
        The subject that stands for it.
        """
        return policy_subject(self.arn)


class ManagedPolicyModel(ManagedPolicyNameModel):
    """
    A managed policy with the version that is in force, and others that may come into force again.
    """

    name: Name | None = None
    default_version: VersionId
    versions: dict[VersionId, JsonValue] = Field(description="Documents by version: each an object, or its JSON text.")

    def attributes(self, documents: _Documents) -> dict[str, FactValue]:
        """
        Return what is said of the policy, and put its documents with the others.
        """
        if self.default_version not in self.versions:
            raise SnapshotError(f"`{self.default_version}` is missing", place="versions")
        found: dict[str, FactValue] = {principals.DEFAULT_VERSION: self.default_version}
        for version, document in self.versions.items():
            digest = documents.accept(document, PolicyKind.IDENTITY, f"versions.{version}")
            found[f"{principals.VERSION}{version}"] = digest
        return found if self.name is None else {**found, principals.NAME: self.name}


class ManagedPolicyChangeModel(ManagedPolicyNameModel):
    """
    What has changed about a managed policy, which may be new.
    """

    name: Name | None = None
    default_version: VersionId | None = Field(default=None, description="The version that is in force from now on.")
    versions: dict[VersionId, JsonValue] = Field(
        default_factory=dict, description="Documents by version; null for a version that was deleted."
    )

    def attributes(self, documents: _Documents) -> dict[str, FactValue]:
        """
        Return what is said of the policy, and put its documents with the others.
        """
        found: dict[str, FactValue] = {}
        if self.name is not None:
            found[principals.NAME] = self.name
        if self.default_version is not None:
            found[principals.DEFAULT_VERSION] = self.default_version
        for version, document in self.versions.items():
            place = f"versions.{version}"
            digest = None if document is None else documents.accept(document, PolicyKind.IDENTITY, place)
            found[f"{principals.VERSION}{version}"] = digest
        return found


_Subject = TypeVar("_Subject", PrincipalModel, ManagedPolicyModel)
_P = TypeVar("_P", bound=PrincipalNameModel)
_M = TypeVar("_M", bound=ManagedPolicyNameModel)


class _AccountPrincipals(OrganizationChange, ABC):
    account_id: AccountId


class PrincipalSnapshotData(_AccountPrincipals):
    """
    The whole truth about the principals of an account at the time of the event.

    One that is too large for a record comes in parts, which have the time and the id of the snapshot in common, and
    takes effect when the last of them is there.
    """

    principals: list[PrincipalModel]
    managed_policies: list[ManagedPolicyModel] = Field(
        default_factory=list, description="Those that principals have, or are bounded by."
    )
    snapshot_id: Text | None = Field(default=None, description="Common to all parts.")
    part: int = Field(default=1, ge=1)
    parts: int = Field(default=1, ge=1, le=10_000)

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        if self.part > self.parts:
            raise SnapshotError(f"expected at most {self.parts}, found {self.part}", place="part")
        if self.parts > 1 and self.snapshot_id is None:
            raise SnapshotError("is missing from a part", place="snapshot_id")
        documents = _Documents()
        told = [
            *_subjects("principals", self.principals, lambda one: one.attributes(self.account_id, documents)),
            *_subjects("managed_policies", self.managed_policies, lambda one: one.attributes(documents)),
        ]
        return changes.PrincipalsTaken(
            self.account_id, dict(told), documents.texts, self.snapshot_id, self.part, self.parts
        )


class PrincipalUpdatedData(_AccountPrincipals):
    """
    A principal or a managed policy of an account was created or has changed. One of the two is told.
    """

    principal: PrincipalChangeModel | None = None
    managed_policy: ManagedPolicyChangeModel | None = None
    created: bool = Field(
        default=False, description="Whether it is new: it has nothing of what another one of its name had before."
    )

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        documents = _Documents()
        name, subject = _one_of(self.principal, self.managed_policy)
        try:
            if isinstance(subject, PrincipalChangeModel):
                attributes = subject.attributes(self.account_id, documents)
            else:
                attributes = subject.attributes(documents)
        except InputError as error:
            raise error.within(name) from error
        return changes.PrincipalUpdated(self.account_id, subject.subject, attributes, documents.texts, self.created)


class PrincipalDeletedData(_AccountPrincipals):
    """
    A principal or a managed policy of an account was deleted. One of the two is told.
    """

    principal: PrincipalNameModel | None = None
    managed_policy: ManagedPolicyNameModel | None = None

    def to_change(self) -> ChangeData:
        """
        Return the data as the organization model has it.
        """
        _, subject = _one_of(self.principal, self.managed_policy)
        return changes.PrincipalDeleted(self.account_id, subject.subject)


def _subjects(
    name: str, found: Sequence[_Subject], attributes: Callable[[_Subject], dict[str, FactValue]]
) -> Iterator[tuple[str, dict[str, FactValue]]]:
    seen: set[str] = set()
    for index, one in enumerate(found):
        place = f"{name}[{index}]"
        if one.subject in seen:
            raise SnapshotError(f"`{one.subject}` is listed twice", place=place)
        seen.add(one.subject)
        try:
            yield one.subject, attributes(one)
        except InputError as error:
            raise error.within(place) from error


def _one_of(principal: _P | None, managed_policy: _M | None) -> tuple[str, _P | _M]:
    if principal is not None and managed_policy is None:
        return "principal", principal
    if managed_policy is not None and principal is None:
        return "managed_policy", managed_policy
    raise SnapshotError("expected either `principal` or `managed_policy`")
