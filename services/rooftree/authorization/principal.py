"""
Who sends a request, and by which names policies may call them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Final

from rooftree.errors import InputError
from rooftree.policy.wording import quote

__all__ = ["ANONYMOUS", "Grant", "Principal", "PrincipalKind", "named", "parse_principal"]

ANONYMOUS: Final = "anonymous"

Keys = Mapping[str, tuple[str, ...]]


class PrincipalKind(StrEnum):
    """
    The kinds of principals, as far as policies bind them differently.

    A service role is a role like any other once a service has assumed it.
    """

    ROOT_USER = "root user"
    ASSUMED_ROOT = "root session"
    USER = "IAM user"
    ROLE_SESSION = "role session"
    FEDERATED_USER = "federated user"
    FEDERATED_ROOT = "federated root user"
    SERVICE_LINKED_ROLE = "service-linked role"
    SERVICE = "service principal"
    IDENTITY_PROVIDER = "identity provider"
    ANONYMOUS = "anonymous"


class Grant(IntEnum):
    """
    What an Allow of a resource policy spares a principal of the same account, by the name it calls the principal by.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """

    DELEGATED = 1
    """The account was named: its own policies must allow the request all the same."""

    LIMITED = 2
    """The role or the user behind a session was named: an identity policy need not allow it, all else must."""

    FULL = 3
    """The user, the session or everybody was named: neither an identity policy, a boundary nor a session policy must."""


_WITHOUT_ACCOUNT: Final = frozenset(
    {PrincipalKind.SERVICE, PrincipalKind.IDENTITY_PROVIDER, PrincipalKind.ANONYMOUS},
)
_SESSIONS_OF_NOTHING: Final = frozenset(
    {PrincipalKind.FEDERATED_USER, PrincipalKind.FEDERATED_ROOT, PrincipalKind.ASSUMED_ROOT}
)


@dataclass(frozen=True, slots=True, eq=False)
class Principal:
    """
    One principal.

    Attributes:
        text: As it was given.
        account: The account that it belongs to; None for services, identity providers and the anonymous.
        names: What a Principal element may call it (see `named`), and what an Allow by that name spares it.
        required_names: What a NotPrincipal element must list to leave it out: one name of each group.
        keys: The condition keys that follow from the principal alone, in lower case.
    """

    text: str
    kind: PrincipalKind
    account: str | None
    partition: str | None
    names: Mapping[str, Grant]
    required_names: tuple[frozenset[str], ...]
    keys: Keys

    @property
    def is_of_account(self) -> bool:
        """
        Whether an account stands behind it, which must allow what it does.
        """
        return self.kind not in _WITHOUT_ACCOUNT

    @property
    def needs_session_policy(self) -> bool:
        """
        Whether it may do nothing unless a session policy was passed or a resource's policy names the session.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
        https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
        """
        return self.kind in _SESSIONS_OF_NOTHING

    @property
    def is_root(self) -> bool:
        """
        Whether it is a root user, signed in or by a session of ``sts:AssumeRoot``.
        """
        return self.kind in (PrincipalKind.ROOT_USER, PrincipalKind.ASSUMED_ROOT)


def named(kind: str, value: str) -> str:
    """
    Return how an entry of a Principal element is looked up: its kind and its value.
    """
    return f"{kind} {value}"


_ARN: Final = re.compile(r"arn:(?P<partition>[a-z0-9-]+):(?P<service>iam|sts)::(?P<account>[0-9]{12}):(?P<name>\S+)\Z")
_SERVICE: Final = re.compile(r"[a-z0-9][a-z0-9.-]*\.amazonaws\.com(?:\.cn)?\Z")
_BUILT_IN_PROVIDERS: Final = frozenset(
    {"accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"}
)
_LINKED_PATH: Final = "aws-service-role/"
_LINKED_NAME: Final = "AWSServiceRoleFor"
_EXPECTED: Final = (
    "expected the ARN of a user, role, assumed role, federated user, identity provider or root user,"
    " a service principal or `anonymous`"
)


@lru_cache(maxsize=65536)
def parse_principal(text: str, *, issuer: str | None = None, assumed_root: bool = False) -> Principal:
    """
    Read a principal as requests name it.

    Args:
        text: An ARN, a service principal such as ``lambda.amazonaws.com``, or ``anonymous``.
        issuer: The ARN of the role or the user that a session was issued for. The ARN of a session lacks the path of
            its role; without *issuer* the role is taken to have none, and one whose name starts like those of
            service-linked roles to be one.
        assumed_root: Whether a root ARN stands for a session of ``sts:AssumeRoot``.

    Raises:
        InputError: It is no principal.
    """
    principal = _nameless(text) or _of_arn(text, issuer, assumed_root=assumed_root)
    if principal is None:
        raise InputError(f"{_EXPECTED}, found {quote(text)}")
    return principal


def _nameless(text: str) -> Principal | None:
    """
    Return what has no ARN.
    """
    if text == ANONYMOUS:
        return _anonymous()
    if text in _BUILT_IN_PROVIDERS:
        return _provider(text, None, None)
    return _service(text) if _SERVICE.match(text) else None


def _of_arn(text: str, issuer: str | None, *, assumed_root: bool) -> Principal | None:
    found = _ARN.match(text)
    partition, service, account, name = ("", "", "", "") if found is None else found.groups()
    if service == "sts":
        return _session(text, partition, account, name, issuer)
    resource_type, _, rest = name.partition("/")
    if resource_type == "root" and not rest:
        return _root(text, partition, account, assumed=assumed_root)
    match resource_type if rest else "":
        case "user":
            return _user(text, partition, account, rest)
        case "role":
            return _role(text, partition, account, role=text, session=None)
        case "saml-provider" | "oidc-provider":
            return _provider(text, partition, account)
    return None


def _session(arn: str, partition: str, account: str, name: str, issuer: str | None) -> Principal | None:
    match name.split("/"):
        case "assumed-role", role, session if role and session:
            role_arn = issuer or f"arn:{partition}:iam::{account}:role/{role}"
            return _role(arn, partition, account, role=role_arn, session=arn)
        case "federated-user", user if user:
            return _federated_user(arn, partition, account, user, issuer)
        case _:
            return None


def _account_names(partition: str, account: str) -> tuple[str, str]:
    return named("AWS", f"arn:{partition}:iam::{account}:root"), named("AWS", account)


def _root(arn: str, partition: str, account: str, *, assumed: bool) -> Principal:
    """
    Return the root user of an account, which an account that is named does not only delegate to but means.
    """
    names = _account_names(partition, account)
    return Principal(
        text=arn,
        kind=PrincipalKind.ASSUMED_ROOT if assumed else PrincipalKind.ROOT_USER,
        account=account,
        partition=partition,
        names=dict.fromkeys(names, Grant.DELEGATED if assumed else Grant.FULL),
        required_names=(frozenset(names),),
        keys=_keys(arn, account, "Account", userid=account),
    )


def _user(arn: str, partition: str, account: str, path: str) -> Principal:
    return _identity(
        PrincipalKind.USER,
        arn,
        partition,
        account,
        own={arn: Grant.FULL},
        keys=_keys(arn, account, "User", username=path.rpartition("/")[2]),
    )


def _role(arn: str, partition: str, account: str, *, role: str, session: str | None) -> Principal:
    name = role.partition(":role/")[2]
    linked = name.startswith(_LINKED_PATH) or (session is not None and name.startswith(_LINKED_NAME))
    own = {role: Grant.LIMITED}
    if session is not None:
        own[session] = Grant.FULL
    return _identity(
        PrincipalKind.SERVICE_LINKED_ROLE if linked else PrincipalKind.ROLE_SESSION,
        arn,
        partition,
        account,
        own=own,
        keys=_keys(role, account, "AssumedRole"),
    )


def _federated_user(arn: str, partition: str, account: str, name: str, issuer: str | None) -> Principal:
    own = {arn: Grant.FULL}
    if issuer is not None and ":user/" in issuer:
        own[issuer] = Grant.LIMITED
    by_root = issuer is not None and issuer.endswith(":root")
    return _identity(
        PrincipalKind.FEDERATED_ROOT if by_root else PrincipalKind.FEDERATED_USER,
        arn,
        partition,
        account,
        own=own,
        keys=_keys(arn, account, "FederatedUser", userid=f"{account}:{name}"),
        required=(arn,),
    )


def _identity(
    kind: PrincipalKind,
    arn: str,
    partition: str,
    account: str,
    *,
    own: Mapping[str, Grant],
    keys: Keys,
    required: tuple[str, ...] | None = None,
) -> Principal:
    """
    Return a principal that an account has made.

    NotPrincipal leaves it out only if it lists the principal together with what it belongs to: whether AWS checks the
    account and the role before the session depends on the service, so all of them are asked for.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    of_account = _account_names(partition, account)
    return Principal(
        text=arn,
        kind=kind,
        account=account,
        partition=partition,
        names={
            **dict.fromkeys(of_account, Grant.DELEGATED),
            **{named("AWS", name): grant for name, grant in own.items()},
        },
        required_names=(
            *(frozenset({named("AWS", name)}) for name in (own if required is None else required)),
            frozenset(of_account),
        ),
        keys=keys,
    )


def _keys(
    arn: str, account: str, principal_type: str, *, userid: str | None = None, username: str | None = None
) -> Keys:
    """
    Return the condition keys that an account's principal determines.

    The unique ids that ``aws:userid`` has for users and roles are not part of an ARN.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    keys = {
        "aws:principalarn": arn,
        "aws:principalaccount": account,
        "aws:principaltype": principal_type,
        "aws:principalisawsservice": "false",
        "aws:userid": userid,
        "aws:username": username,
    }
    return {key: (value,) for key, value in keys.items() if value is not None}


def _service(text: str) -> Principal:
    name = named("Service", text)
    return Principal(
        text=text,
        kind=PrincipalKind.SERVICE,
        account=None,
        partition=None,
        names={name: Grant.FULL},
        required_names=(frozenset({name}),),
        keys={
            "aws:principalisawsservice": ("true",),
            "aws:principalservicename": (text,),
            "aws:principalservicenameslist": (text,),
        },
    )


def _provider(text: str, partition: str | None, account: str | None) -> Principal:
    """
    Return an identity provider, by which a trust policy means the users that it vouches for.
    """
    names = {named("Federated", text)}
    if _SERVICE.match(text):
        # Amazon Cognito is both
        names.add(named("Service", text))
    return Principal(
        text=text,
        kind=PrincipalKind.IDENTITY_PROVIDER,
        account=account,
        partition=partition,
        names=dict.fromkeys(names, Grant.FULL),
        required_names=(frozenset(names),),
        keys={},
    )


def _anonymous() -> Principal:
    return Principal(
        text=ANONYMOUS,
        kind=PrincipalKind.ANONYMOUS,
        account=None,
        partition=None,
        names={},
        # no name leaves it out
        required_names=(frozenset(),),
        keys={
            "aws:principalaccount": ("anonymous",),
            "aws:principaltype": ("Anonymous",),
            "aws:userid": ("anonymous",),
        },
    )
