"""
The events of the permissions topic: the state of each account.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from rooftree.contracts.fields import AccountId, OrganizationId, Outbound, Time

__all__ = ["AccountPermissionsData", "PermissionsEnvelope"]


class AccountPermissionsData(Outbound):
    """
    What an account may do at most, as of one revision of its organization.
    """

    organization_id: OrganizationId
    account_id: AccountId
    account_name: str
    status: str
    path: list[str]
    permissions_id: str | None = Field(description="Null while the place of the account is not known.")
    permissions: dict[str, JsonValue] | None = Field(
        description="A summary, without the counts service by service that the table of permission sets has."
    )
    revision: int
    complete: bool
    since: Time
    cause_event_id: str


class PermissionsEnvelope(Outbound):
    """
    The state of an account: CloudEvents 1.0 in structured JSON.
    """

    specversion: Literal["1.0"]
    id: str
    source: str = Field(pattern="^/organizations/o-[a-z0-9]{10,32}$")
    type: Literal["rooftree.account.permissions.v1"]
    subject: AccountId
    time: Time
    datacontenttype: Literal["application/json"]
    sequence: str = Field(pattern="^[0-9]{20}$", description="The organization's revision.")
    partitionkey: AccountId
    data: AccountPermissionsData
