"""
How often AWS lets each of its calls be made, and waiting so that this is kept.

The rates are those for one account; the burst is what may be used at once after a pause.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html#throttling-limits
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["RATES", "Bucket", "Limits", "Rate"]


@dataclass(frozen=True, slots=True)
class Rate:
    """
    What AWS grants to a call, or to several calls together.

    Attributes:
        bucket: The name that calls with one allowance have in common.
        per_second: How often it may be made for long.
        burst: How often it may be made at once.
    """

    bucket: str
    per_second: float
    burst: float


# ListPolicies, ListPoliciesForTarget and ListTargetsForPolicy have one allowance between them.
_POLICY_LISTS: Final = Rate("ListPolicies", 5, 8)

RATES: Final[Mapping[str, Rate]] = MappingProxyType(
    {
        "DescribeOrganization": Rate("DescribeOrganization", 1, 2),
        "ListRoots": Rate("ListRoots", 1, 2),
        "ListOrganizationalUnitsForParent": Rate("ListOrganizationalUnitsForParent", 5, 8),
        "ListAccountsForParent": Rate("ListAccountsForParent", 5, 8),
        "ListAccounts": Rate("ListAccounts", 8, 12),
        "ListParents": Rate("ListParents", 5, 8),
        "ListPolicies": _POLICY_LISTS,
        "ListPoliciesForTarget": _POLICY_LISTS,
        "ListTargetsForPolicy": _POLICY_LISTS,
        "DescribePolicy": Rate("DescribePolicy", 2, 2),
        "DescribeAccount": Rate("DescribeAccount", 20, 30),
        "DescribeOrganizationalUnit": Rate("DescribeOrganizationalUnit", 2, 2),
        # AWS publishes no rates of IAM and STS. These are chosen to be modest: IAM counts by the account that is
        # asked, where others work as well.
        "GetAccountAuthorizationDetails": Rate("GetAccountAuthorizationDetails", 5, 5),
        "AssumeRole": Rate("AssumeRole", 10, 10),
        "GetCallerIdentity": Rate("GetCallerIdentity", 10, 10),
    }
)
"""
Every call that Rooftree makes to AWS; one that is not here cannot be made.
"""


class Bucket:
    """
    An allowance that fills up with time.
    """

    def __init__(self, rate: Rate, *, share: float = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = rate.per_second * share
        # A share below one of a burst of one would never let anything through.
        self._burst = max(1.0, rate.burst * share)
        self._clock = clock
        self._tokens = self._burst
        self._at = clock()

    def take(self) -> float:
        """
        Take one call out of the allowance, now or in advance; returns for how many seconds to wait before it is made.
        """
        self._fill()
        self._tokens -= 1
        return max(0.0, -self._tokens / self._per_second)

    def empty(self) -> None:
        """
        Take it that the allowance is used up, since AWS says so: somebody else uses it as well.
        """
        self._fill()
        self._tokens = min(self._tokens, 0.0)

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now


class Limits:
    """
    The allowances of one account, by call.
    """

    def __init__(self, *, share: float = 1) -> None:
        self._share = share
        self._buckets: dict[str, Bucket] = {}

    async def wait(self, operation: str) -> None:
        """
        Wait until a call may be made.
        """
        await asyncio.sleep(self._bucket(operation).take())

    def exceeded(self, operation: str) -> None:
        """
        Note that AWS has refused a call for having come too often.
        """
        self._bucket(operation).empty()

    def _bucket(self, operation: str) -> Bucket:
        rate = RATES[operation]
        return self._buckets.setdefault(rate.bucket, Bucket(rate, share=self._share))
