"""
Whom the Principal and NotPrincipal elements of a statement mean.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from rooftree.authorization.principal import Grant, Principal, PrincipalKind, named
from rooftree.policy.model import PrincipalPattern, Statement

__all__ = ["Caller", "CallerTest", "caller_test"]

_UNIQUE_ID: Final = re.compile(r"A[A-Z0-9]{15,127}\Z")


@dataclass(frozen=True, slots=True)
class Caller:
    """
    A principal as one request shows it.

    Attributes:
        names: What a Principal element may call it, and what an Allow by that name spares it.
        as_everybody: What an Allow for everybody spares it.
        required_names: What NotPrincipal must list to leave it out: one name of each group.
        has_boundary: Whether a permissions boundary is set on it.
    """

    names: Mapping[str, Grant]
    as_everybody: Grant
    required_names: tuple[frozenset[str], ...]
    has_boundary: bool

    @classmethod
    def of(
        cls, principal: Principal, *, user_id: str | None, canonical_user_id: str | None, has_boundary: bool
    ) -> Caller:
        """
        Return a principal with the names that its ARN does not tell.

        Args:
            principal: The principal.
            user_id: Its ``aws:userid``. IAM keeps unique ids in place of the users and roles that a policy named, and
                shows them once those are gone; a user or role of the same name has another id then.
            canonical_user_id: What Amazon S3 calls its account.
            has_boundary: Whether a permissions boundary is set on it.
        """
        names = principal.names
        if user_id is not None:
            unique_id = user_id.partition(":")[0]
            if _UNIQUE_ID.match(unique_id):
                grant = Grant.FULL if principal.kind is PrincipalKind.USER else Grant.LIMITED
                names = {**names, named("AWS", unique_id): grant}
        if canonical_user_id is not None and principal.is_of_account:
            grant = Grant.FULL if principal.kind is PrincipalKind.ROOT_USER else Grant.DELEGATED
            names = {**names, named("CanonicalUser", canonical_user_id): grant}
        # a session that is nothing without a session policy is helped by what names the session alone
        as_everybody = Grant.LIMITED if principal.needs_session_policy else Grant.FULL
        return cls(names, as_everybody, principal.required_names, has_boundary)

    def at_endpoint(self, principal: Principal) -> Caller:
        """
        Return the caller as policies of VPC endpoints call it: an account that is named there is its root user alone.

        AWS says so of gateway endpoints, which besides know no principal but ``*``; nothing else is said of others.
        https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html#vpc-endpoint-policies-gateway
        """
        if principal.is_root:
            return self
        names = {name: grant for name, grant in self.names.items() if grant is not Grant.DELEGATED}
        return replace(self, names=names)


@dataclass(frozen=True, slots=True)
class CallerTest:
    """
    A Principal or NotPrincipal element.

    Attributes:
        names: What it lists (see `rooftree.authorization.principal.named`).
        is_everybody: Whether it is, or lists, the lone star.
        is_negated: Whether it is NotPrincipal.
    """

    names: frozenset[str]
    is_everybody: bool
    is_negated: bool

    @property
    def admits_everybody(self) -> bool:
        """
        Whether an Allow with this element means every caller.
        """
        return self.is_everybody and not self.is_negated

    def grant(self, caller: Caller) -> Grant | None:
        """
        Return what an Allow with this element spares a caller; None if it does not mean the caller.

        NotPrincipal is not supported with Allow, so such a statement is taken to grant nothing.
        """
        if self.is_negated:
            return None
        found = caller.as_everybody if self.is_everybody else None
        for name, grant in caller.names.items():
            if name in self.names and (found is None or grant > found):
                found = grant
        return found

    def denies(self, caller: Caller) -> bool:
        """
        Tell whether a Deny with this element means a caller.

        NotPrincipal means everybody with a permissions boundary, whomever it lists.
        """
        if not self.is_negated:
            return self.is_everybody or not self.names.isdisjoint(caller.names)
        if caller.has_boundary:
            return True
        return not self.is_everybody and any(group.isdisjoint(self.names) for group in caller.required_names)


def caller_test(statement: Statement) -> CallerTest | None:
    """
    Return the test of a statement's Principal or NotPrincipal; None for a statement without.
    """
    patterns = statement.principals if statement.principals is not None else statement.not_principals
    if patterns is None:
        return None
    return CallerTest(
        names=frozenset(named(pattern.kind, pattern.value) for pattern in patterns),
        is_everybody=any(_is_everybody(pattern) for pattern in patterns),
        is_negated=statement.principals is None,
    )


def _is_everybody(pattern: PrincipalPattern) -> bool:
    return pattern.value == "*" and pattern.kind in ("*", "AWS")
