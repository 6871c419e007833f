"""
The users, groups, roles and policies of an account, read by API in that account.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rooftree.aws.calls import Calls
from rooftree.aws.limits import Limits
from rooftree.aws.session import AwsClients
from rooftree.contracts.authorization_details import read_authorization_details
from rooftree.errors import UnavailableError
from rooftree.policy.partitions import partition_in
from rooftree.ports.reconciliation import AccountDetails

__all__ = ["Identity", "read_identity", "read_principals"]


@dataclass(frozen=True, slots=True)
class Identity:
    """
    Who asks.
    """

    account_id: str
    partition: str


async def read_identity(clients: AwsClients) -> Identity:
    """
    Return whose credentials these are.

    Raises:
        RefusedCallError: The role may not be assumed.
        UnavailableError: AWS does not answer.
    """
    told = await Calls(await asyncio.to_thread(clients.client, "sts"), Limits()).ask("GetCallerIdentity")
    return Identity(account_id=told["Account"], partition=partition_in(told["Arn"]))


async def read_principals(clients: AwsClients, identity: Identity, account_id: str) -> AccountDetails:
    """
    Return the principals of an account; unless it is the own one, by the role that is to be assumed there.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html

    Raises:
        InputError: What AWS answers cannot be read.
        RefusedCallError: The role may not be assumed, or may not read.
        UnavailableError: AWS does not answer.
    """
    if account_id != identity.account_id:
        role = f"arn:{identity.partition}:iam::{account_id}:role/{clients.access.iam_role_name}"
        clients = clients.assuming(role)
    # Each account has its own allowance.
    calls = Calls(await asyncio.to_thread(clients.client, "iam"), Limits())
    pages: list[Mapping[str, Any]] = []
    marker: dict[str, str] = {}
    while True:
        page = await calls.ask("GetAccountAuthorizationDetails", **marker)
        pages.append(page)
        if not page.get("IsTruncated"):
            break
        marker = {"Marker": page["Marker"]}
    if calls.began is None:
        raise UnavailableError("AWS: GetAccountAuthorizationDetails: no answer")
    content = json.dumps(pages, default=str).encode()
    return AccountDetails(await asyncio.to_thread(read_authorization_details, content, account_id), calls.began)
