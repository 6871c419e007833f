"""
What people may do who sign in with an identity provider: their claims against the grants of the settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rooftree.access.caller import Organizations, Role
from rooftree.errors import UsageError
from rooftree.organization.identifiers import is_organization

__all__ = ["Grant", "claim_values", "granted", "parse_grants"]


@dataclass(frozen=True, slots=True)
class Grant:
    """
    What everybody may do whose claim has a value.

    Attributes:
        value: The value, for example the name of a group.
        organizations: Which may be seen; None for all of them.
    """

    value: str
    role: Role
    organizations: Organizations


def parse_grants(text: str) -> tuple[Grant, ...]:
    """
    Read grants such as ``security=admin:*; shop-leads=viewer:o-exampleorg,o-otherorg00``.

    Raises:
        UsageError: One is of another form.
    """
    return tuple(_grant(part.strip()) for part in text.split(";") if part.strip())


def _grant(text: str) -> Grant:
    value, equals, rest = text.rpartition("=")
    role, colon, names = rest.partition(":")
    if not (equals and colon and value.strip() and names.strip()):
        raise UsageError(f"expected VALUE=ROLE:* or VALUE=ROLE:ORGANIZATION,…, found `{text}`")
    if role.strip() not in set(Role):
        raise UsageError(f"expected one of {', '.join(Role)}, found `{role.strip()}`")
    if names.strip() == "*":
        return Grant(value.strip(), Role(role.strip()), None)
    organizations = [name.strip() for name in names.split(",")]
    for name in organizations:
        if not is_organization(name):
            raise UsageError(f"expected an id such as `o-exampleorg`, or `*`, found `{name}`")
    return Grant(value.strip(), Role(role.strip()), frozenset(organizations))


def granted(grants: Sequence[Grant], values: Sequence[str]) -> tuple[Role, Organizations] | None:
    """
    Return the role and the organizations that follow from the values of a claim; None if nothing does.

    Of several grants those of the highest role count, and their organizations together: nobody gets a role in an
    organization in which no single grant gives it to them.
    """
    given = [grant for grant in grants if grant.value in values]
    if not given:
        return None
    role = next(role for role in reversed(Role) if any(grant.role is role for grant in given))
    seen = [grant.organizations for grant in given if grant.role is role]
    limited = [one for one in seen if one is not None]
    return role, None if len(limited) < len(seen) else frozenset().union(*limited)


def claim_values(claims: Mapping[str, object], name: str) -> list[str]:
    """
    Return the values of a claim: one text, or several; dots lead into claims that are objects.

    An e-mail address counts only if the provider says that it was verified: otherwise people choose it themselves.
    """
    found: object = claims.get(name)
    if found is None and "." in name:
        outer, _, inner = name.partition(".")
        within = claims.get(outer)
        return claim_values(within, inner) if isinstance(within, Mapping) else []
    if name == "email" and claims.get("email_verified") is not True:
        return []
    listed = found if isinstance(found, list | tuple) else [found]
    return [value for value in listed if isinstance(value, str) and value]
