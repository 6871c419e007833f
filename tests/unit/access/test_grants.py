from __future__ import annotations

import pytest

from rooftree.access.caller import Organizations, Role
from rooftree.access.grants import claim_values, granted, parse_grants
from rooftree.errors import UsageError

A, B = "o-exampleorg", "o-otherorg00"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["security"], (Role.ADMIN, None)),
        (["leads"], (Role.VIEWER, frozenset({A}))),
        (["leads", "others"], (Role.VIEWER, frozenset({A, B}))),
        (["leads", "auditors"], (Role.AUDITOR, frozenset({B}))),
        (["everybody", "leads"], (Role.VIEWER, None)),
        (["security", "leads"], (Role.ADMIN, None)),
        (["sales"], None),
        ([], None),
        (["SECURITY"], None),
    ],
)
def test_the_highest_role_counts_and_only_where_a_grant_gives_it(
    values: list[str], expected: tuple[Role, Organizations] | None
) -> None:
    """
    Grants add up within a role; a role never reaches an organization that no grant of it names.
    """
    grants = parse_grants(
        f"security=admin:*; leads=viewer:{A}; others=viewer:{B}; auditors=auditor:{B}; everybody=viewer:*"
    )

    assert expected == granted(grants, values)


@pytest.mark.parametrize(
    "text",
    [
        "security",
        "security=admin",
        "security=root:*",
        "=admin:*",
        "security=admin:",
        "security=admin:o-1",
        "a=viewer:*,x",
    ],
)
def test_a_grant_of_another_form_is_refused(text: str) -> None:
    """
    A slip in a grant stops the service; it neither grants too much nor is passed over.
    """
    with pytest.raises(UsageError):
        parse_grants(text)


def test_a_value_may_hold_an_equals_sign() -> None:
    """
    Groups of directories are names such as CN=security,OU=groups.
    """
    [grant] = parse_grants("CN=security,OU=groups=viewer:*")

    assert "CN=security,OU=groups" == grant.value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("groups", ["a", "b"]),
        ("role", ["x"]),
        ("realm_access.roles", ["r"]),
        ("missing", []),
        ("number", []),
        ("email", []),
        ("groups.inner", []),
    ],
)
def test_claims_are_texts_or_lists_of_texts(name: str, expected: list[str]) -> None:
    """
    Anything else grants nothing; nor does an address that nobody has verified.
    """
    claims: dict[str, object] = {
        "groups": ["a", 1, "b", None],
        "role": "x",
        "realm_access": {"roles": ["r"]},
        "number": 7,
        "email": "a@example.com",
    }

    assert expected == claim_values(claims, name)


def test_a_verified_address_counts() -> None:
    """
    The provider vouches for it.
    """
    assert ["a@example.com"] == claim_values({"email": "a@example.com", "email_verified": True}, "email")
