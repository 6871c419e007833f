"""
Who asks, what their role lets them do, and which organizations they may see.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from rooftree.errors import ForbiddenError

__all__ = ["ADMIN_TOKEN", "Caller", "CallerKind", "Organizations", "Role", "listed"]

Organizations: TypeAlias = "frozenset[str] | None"
"""Ids of organizations; None stands for all of them, those to come included."""


def listed(organizations: Organizations) -> list[str] | None:
    """
    Return organizations in their order, as they are stored and told.
    """
    return None if organizations is None else sorted(organizations)


class Role(StrEnum):
    """
    What somebody may do; each role may do all that the ones before it may.

    A viewer reads the view: organizations, accounts, permissions, audit events, and asks what-if. An auditor also reads
    what shows how the view came about: dead letters, verification, deliveries. An admin also writes.
    """

    VIEWER = "viewer"
    AUDITOR = "auditor"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """
        Tell whether this role may do all that *other* may.
        """
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


class CallerKind(StrEnum):
    """
    How a caller has proved who they are.
    """

    TOKEN = "token"  # noqa: S105  # a word, no secret
    PERSON = "person"
    ADMIN_TOKEN = "admin_token"  # noqa: S105  # as above


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Somebody whose proof was accepted.

    Attributes:
        kind: How it was proved.
        name: The name of the token, or the person as the identity provider calls them.
        identity: What stays the same when the name changes: the id of the token, or issuer and subject of the person.
        role: What they may do.
        organizations: Those that they may see.
    """

    kind: CallerKind
    name: str
    identity: str
    role: Role
    organizations: Organizations

    def has(self, role: Role) -> bool:
        """
        Tell whether the caller may do what a role may.
        """
        return self.role.includes(role)

    def require(self, role: Role, *, everywhere: bool = False) -> None:
        """
        Return if the caller may do what a role may.

        Args:
            role: The least role that will do.
            everywhere: Whether it takes a caller who may see every organization, as for what belongs to none.

        Raises:
            ForbiddenError: They may not.
        """
        if not self.has(role):
            raise ForbiddenError(f"needs the role `{role}`, and `{self.name}` has `{self.role}`")
        if everywhere and self.organizations is not None:
            raise ForbiddenError(f"needs every organization, and `{self.name}` is limited to some")


ADMIN_TOKEN: Final = Caller(CallerKind.ADMIN_TOKEN, "the admin token", "admin", Role.ADMIN, None)
"""Whoever holds the token of ``ROOFTREE_ADMIN_TOKEN``."""
