"""
An account: what it may do at most, what binds it, and who is in it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rooftree.contracts.audit import DecisionChangeModel, Verdict
from rooftree.contracts.fields import Counted, JsonObject, Outbound, Time
from rooftree.contracts.resources.organizations import PolicyName

__all__ = [
    "Account",
    "AccountChain",
    "AccountHeading",
    "AccountPermissions",
    "AccountSpan",
    "ChainLevel",
    "Principal",
    "PrincipalPolicy",
    "ServiceCount",
]


class AccountHeading(Outbound):
    """
    An account by its name.
    """

    organization_id: str
    account_id: str
    account_name: str


class Account(Outbound):
    """
    An account, now or for a time in the past.
    """

    organization_id: str
    account_id: str
    account_name: str
    email: str | None
    status: str
    path: list[str] = Field(description="The nodes from the root to the account.")
    permissions_id: str | None = Field(description="Names its maximum permissions: equal ids, equal permissions.")
    revision: Counted
    complete: bool = Field(description="Whether nothing is known to be missing.")
    since: Time = Field(description="Since when this holds.")
    until: Time | None = Field(description="Until when it held; null while it holds.")
    cause_event_id: str


class AccountPermissions(Account):
    """
    An account with what it may do at most.
    """

    permissions: JsonObject | None = Field(description="Null while the place of the account is not known.")


class ServiceCount(Outbound):
    """
    How the actions of one service are decided that are known today.
    """

    service: str
    allowed: Counted
    conditional: Counted
    denied: Counted


class ChainLevel(Outbound):
    """
    A node on the way from the root to an account, with what hangs on it.
    """

    target: str
    policies: list[PolicyName]


class AccountChain(AccountHeading):
    """
    What binds an account, level by level.
    """

    path: list[str]
    complete: bool
    chain: list[ChainLevel] | None = Field(description="Service control policies; null where none limits the account.")
    resource_chain: list[ChainLevel] | None = Field(
        description="Resource control policies; null where none limits the account."
    )


class AccountSpan(AccountHeading):
    """
    What an account was between two times, and which of its decisions differ between them.
    """

    from_: Time = Field(alias="from")
    to: Time | None
    compared: bool = Field(description="Whether the account was there at both times.")
    verdict: Verdict | None = Field(description="Null where no decision differs.")
    changes: list[DecisionChangeModel]
    rows: list[Account] = Field(description="The latest first.")


class PrincipalPolicy(Outbound):
    """
    A policy of a principal.
    """

    name: str
    arn: str | None = Field(description="Null for an inline policy.")
    group: str | None = Field(description="The group through which a user has it.")


class Principal(Outbound):
    """
    A user, a group or a role of an account.
    """

    arn: str
    kind: Literal["user", "group", "role"]
    name: str
    policies: list[PrincipalPolicy]
    permissions_boundary: str | None = Field(description="The ARN of the policy.")
    missing: list[str] = Field(description="What is not known yet: policies by ARN, groups by name.")
