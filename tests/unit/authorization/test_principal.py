from __future__ import annotations

import pytest

from rooftree.authorization.naming import Caller
from rooftree.authorization.principal import Grant, Principal, PrincipalKind, parse_principal
from rooftree.errors import InputError

ACCOUNT = "222222222222"
USER = f"arn:aws:iam::{ACCOUNT}:user/alice"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/App/s1"


@pytest.mark.parametrize(
    ("text", "kind", "account"),
    [
        (f"arn:aws:iam::{ACCOUNT}:root", PrincipalKind.ROOT_USER, ACCOUNT),
        (USER, PrincipalKind.USER, ACCOUNT),
        (f"arn:aws-cn:iam::{ACCOUNT}:user/team/alice", PrincipalKind.USER, ACCOUNT),
        (f"arn:aws:iam::{ACCOUNT}:role/team/App", PrincipalKind.ROLE_SESSION, ACCOUNT),
        (SESSION, PrincipalKind.ROLE_SESSION, ACCOUNT),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/carol", PrincipalKind.FEDERATED_USER, ACCOUNT),
        (
            f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
            PrincipalKind.SERVICE_LINKED_ROLE,
            ACCOUNT,
        ),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleForX/s", PrincipalKind.SERVICE_LINKED_ROLE, ACCOUNT),
        (f"arn:aws:iam::{ACCOUNT}:saml-provider/Corp", PrincipalKind.IDENTITY_PROVIDER, ACCOUNT),
        (f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.example.com", PrincipalKind.IDENTITY_PROVIDER, ACCOUNT),
        ("cognito-identity.amazonaws.com", PrincipalKind.IDENTITY_PROVIDER, None),
        ("lambda.amazonaws.com", PrincipalKind.SERVICE, None),
        ("ec2.amazonaws.com.cn", PrincipalKind.SERVICE, None),
        ("s3.ap-east-1.amazonaws.com", PrincipalKind.SERVICE, None),
        ("anonymous", PrincipalKind.ANONYMOUS, None),
    ],
)
def test_principals_are_told_apart_by_their_names(text: str, kind: PrincipalKind, account: str | None) -> None:
    """
    As requests name them.
    """
    principal = parse_principal(text)

    assert (kind, account, text) == (principal.kind, principal.account, principal.text)
    assert (account is not None and kind is not PrincipalKind.IDENTITY_PROVIDER) is principal.is_of_account


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "alice",
        "Anonymous",
        "lambda.example.com",
        f"arn:aws:iam::{ACCOUNT}:user/",
        f"arn:aws:iam::{ACCOUNT}:group/admins",
        f"arn:aws:iam::{ACCOUNT}:root/x",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/App",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/App/s/t",
        f"arn:aws:sts::{ACCOUNT}:assumed-role//s",
        f"arn:aws:sts::{ACCOUNT}:federated-user/",
        "arn:aws:iam::12:user/alice",
        "arn:aws:s3:::bucket",
    ],
)
def test_what_is_no_principal_is_refused(text: str) -> None:
    """
    With what was expected and what was found.
    """
    with pytest.raises(InputError, match="expected the ARN of a user") as caught:
        parse_principal(text)

    assert f"found `{text}`" in str(caught.value)


def test_an_issuer_tells_what_the_arn_of_a_session_does_not() -> None:
    """
    The path of a role, that it is linked to a service, and whom a federated user acts for.
    """
    role = f"arn:aws:iam::{ACCOUNT}:role/team/App"
    linked = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/Linked"
    federated = f"arn:aws:sts::{ACCOUNT}:federated-user/carol"

    assert (role,) == parse_principal(SESSION, issuer=role).keys["aws:principalarn"]
    assert Grant.LIMITED is parse_principal(SESSION, issuer=role).names[f"AWS {role}"]
    assert PrincipalKind.SERVICE_LINKED_ROLE is parse_principal(SESSION, issuer=linked).kind
    assert Grant.LIMITED is parse_principal(federated, issuer=USER).names[f"AWS {USER}"]
    assert PrincipalKind.FEDERATED_ROOT is parse_principal(federated, issuer=f"arn:aws:iam::{ACCOUNT}:root").kind


def test_a_root_arn_may_stand_for_a_session() -> None:
    """
    Which a condition key of the request tells.
    """
    arn = f"arn:aws:iam::{ACCOUNT}:root"

    assert PrincipalKind.ASSUMED_ROOT is parse_principal(arn, assumed_root=True).kind
    assert parse_principal(arn, assumed_root=True).needs_session_policy
    assert not parse_principal(arn).needs_session_policy


def test_an_endpoint_takes_the_name_of_an_account_for_its_root_user() -> None:
    """
    Of all other principals it knows their own names alone.
    """
    user, root = parse_principal(USER), parse_principal(f"arn:aws:iam::{ACCOUNT}:root")

    def names(principal: Principal) -> set[str]:
        caller = Caller.of(principal, user_id=None, canonical_user_id=None, has_boundary=False)
        return set(caller.at_endpoint(principal).names)

    assert {f"AWS {USER}"} == names(user)
    assert {f"AWS arn:aws:iam::{ACCOUNT}:root", f"AWS {ACCOUNT}"} == names(root)
