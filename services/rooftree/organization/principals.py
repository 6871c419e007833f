"""
The users, groups and roles of an account, and the managed policies that they have.

Each is a subject with attributes: ``user/alice``, ``role/deploy``, ``policy/arn:aws:iam::aws:policy/ReadOnlyAccess``.
Documents stand in attributes by their digest, so that accounts share them.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from rooftree.organization.facts import FactValue
from rooftree.policy.partitions import partition_in

__all__ = [
    "ATTACHED",
    "BOUNDARY",
    "DEFAULT_VERSION",
    "GROUP",
    "IAM_ARN",
    "INLINE",
    "NAME",
    "PARTITION",
    "PATH",
    "POLICY",
    "POLICY_ARN",
    "TAG",
    "TRUST",
    "UNIQUE_ID",
    "VERSION",
    "Attributes",
    "ManagedPolicy",
    "Principal",
    "PrincipalKind",
    "attributes_of",
    "policy_subject",
    "principal_subject",
]

Attributes: TypeAlias = Mapping[str, FactValue]

PATH: Final = "path"
PARTITION: Final = "partition"
UNIQUE_ID: Final = "unique_id"
BOUNDARY: Final = "permissions_boundary"
TRUST: Final = "trust_policy"
NAME: Final = "name"
DEFAULT_VERSION: Final = "default_version"
INLINE: Final = "inline_policy/"
ATTACHED: Final = "attached_policy/"
GROUP: Final = "group/"
TAG: Final = "tag/"
VERSION: Final = "version/"

POLICY: Final = "policy"

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
IAM_ARN: Final = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>[0-9]{12}):(?P<kind>user|group|role)"
    r"(?P<path>/|/[!-~]+/)(?P<name>[\w+=,.@-]+)\Z",
    re.ASCII,
)
POLICY_ARN: Final = r"^arn:aws[a-z-]*:iam::(?:aws|[0-9]{12}):policy/[!-~]{1,640}\Z"


class PrincipalKind(StrEnum):
    """
    What IAM gives policies to.
    """

    USER = "user"
    GROUP = "group"
    ROLE = "role"


def principal_subject(kind: str, name: str) -> str:
    """
    Return the subject that stands for a principal.
    """
    return f"{kind}/{name}"


def policy_subject(arn: str) -> str:
    """
    Return the subject that stands for a managed policy.
    """
    return f"{POLICY}/{arn}"


@dataclass(frozen=True, slots=True)
class Principal:
    """
    A user, a group or a role as IAM has it.

    Attributes:
        unique_id: Such as ``AIDA…``; None while it is not known.
        inline_policies: The digest of each document by the policy's name, ordered.
        attached_policies: The ARNs of managed policies, ordered.
        groups: Those of a user, by name, ordered.
        permissions_boundary: The ARN of the managed policy that caps it; None for none.
        trust_policy: The digest of a role's trust policy; None while it is not known.
        tags: Keys with their values, ordered.
    """

    kind: str
    name: str
    arn: str
    unique_id: str | None = None
    inline_policies: tuple[tuple[str, str], ...] = ()
    attached_policies: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    permissions_boundary: str | None = None
    trust_policy: str | None = None
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        """
        The path, ``/`` for none.
        """
        return self.arn.split(":", 5)[5][len(self.kind) : -len(self.name)]

    @classmethod
    def of(cls, account_id: str, subject: str, attributes: Attributes) -> Principal:
        """
        Return the principal of an account that has *attributes*; those that are null or false it does not have.
        """
        kind, _, name = subject.partition("/")
        partition, path = attributes.get(PARTITION) or "aws", attributes.get(PATH) or "/"
        return cls(
            kind=sys.intern(kind),
            name=name,
            arn=f"arn:{partition}:iam::{account_id}:{kind}{path}{name}",
            unique_id=_text(attributes, UNIQUE_ID),
            inline_policies=tuple(_pairs(attributes, INLINE)),
            attached_policies=tuple(arn for arn, _ in _entries(attributes, ATTACHED)),
            groups=tuple(group for group, _ in _entries(attributes, GROUP)),
            permissions_boundary=_text(attributes, BOUNDARY),
            trust_policy=_text(attributes, TRUST),
            tags=tuple(_pairs(attributes, TAG)),
        )


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """
    A managed policy as an account has it.

    Attributes:
        versions: The digest of each document that is known by its version, ordered.
    """

    arn: str
    name: str
    default_version: str | None
    versions: tuple[tuple[str, str], ...]

    @property
    def digest(self) -> str | None:
        """
        The digest of the document in force; None while that is not known.
        """
        return dict(self.versions).get(self.default_version or "")

    @classmethod
    def of(cls, subject: str, attributes: Attributes) -> ManagedPolicy:
        """
        Return the managed policy that has *attributes*.
        """
        arn = subject.removeprefix(f"{POLICY}/")
        return cls(
            arn=sys.intern(arn),
            name=_text(attributes, NAME) or arn.rpartition("/")[2],
            default_version=_text(attributes, DEFAULT_VERSION),
            versions=tuple(_pairs(attributes, VERSION)),
        )


def attributes_of(subject: Principal | ManagedPolicy) -> dict[str, FactValue]:
    """
    Return the attributes that say all about a principal or a managed policy.
    """
    if isinstance(subject, ManagedPolicy):
        versions = {f"{VERSION}{version}": digest for version, digest in subject.versions}
        return _known({NAME: subject.name, DEFAULT_VERSION: subject.default_version, **versions})
    partition = partition_in(subject.arn)
    return _known(
        {
            PATH: subject.path if subject.path != "/" else None,
            PARTITION: partition if partition != "aws" else None,
            UNIQUE_ID: subject.unique_id,
            BOUNDARY: subject.permissions_boundary,
            TRUST: subject.trust_policy,
            **{f"{INLINE}{name}": digest for name, digest in subject.inline_policies},
            **{f"{ATTACHED}{arn}": True for arn in subject.attached_policies},
            **{f"{GROUP}{group}": True for group in subject.groups},
            **{f"{TAG}{key}": value for key, value in subject.tags},
        }
    )


def _known(attributes: Attributes) -> dict[str, FactValue]:
    return {name: value for name, value in attributes.items() if value is not None}


def _text(attributes: Attributes, name: str) -> str | None:
    value = attributes.get(name)
    return value if isinstance(value, str) else None


def _entries(attributes: Attributes, prefix: str) -> Iterator[tuple[str, str | bool]]:
    for name, value in sorted(attributes.items()):
        if name.startswith(prefix) and value is not None and value is not False:
            # Policies, groups and digests are shared by many principals.
            yield sys.intern(name.removeprefix(prefix)), value


def _pairs(attributes: Attributes, prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in _entries(attributes, prefix):
        if isinstance(value, str):
            yield name, sys.intern(value)
