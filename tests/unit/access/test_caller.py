from __future__ import annotations

import pytest

from rooftree.access.caller import ADMIN_TOKEN, Caller, CallerKind, Role
from rooftree.errors import ForbiddenError


def caller(role: Role, *organizations: str) -> Caller:
    """
    Return a caller by token, limited to some organizations if any are given.
    """
    return Caller(CallerKind.TOKEN, "ci", "1", role, frozenset(organizations) if organizations else None)


def test_each_role_may_do_what_the_ones_before_it_may() -> None:
    """
    Roles are ranked: viewer, auditor, admin.
    """
    table = {role: [other for other in Role if caller(role).has(other)] for role in Role}

    assert {
        Role.VIEWER: [Role.VIEWER],
        Role.AUDITOR: [Role.VIEWER, Role.AUDITOR],
        Role.ADMIN: [Role.VIEWER, Role.AUDITOR, Role.ADMIN],
    } == table


def test_a_missing_role_is_named() -> None:
    """
    Whoever is refused is told what it takes.
    """
    with pytest.raises(ForbiddenError) as refusal:
        caller(Role.VIEWER).require(Role.ADMIN)

    assert "needs the role `admin`, and `ci` has `viewer`" == str(refusal.value)


def test_a_caller_limited_to_organizations_does_not_act_for_all() -> None:
    """
    What belongs to no organization is for callers who may see every one.
    """
    with pytest.raises(ForbiddenError, match="every organization"):
        caller(Role.ADMIN, "o-exampleorg").require(Role.ADMIN, everywhere=True)

    ADMIN_TOKEN.require(Role.ADMIN, everywhere=True)
