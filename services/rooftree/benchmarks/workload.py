"""
Organizations to measure with, and endless streams of changes to them, made fast enough not to be what is measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

__all__ = ["ROOT", "UNITS", "OrganizationStream", "change_stream", "full_access"]

UNITS: Final = 6
ROOT: Final = "r-ab12"
_FULL_ACCESS: Final = "p-FullAWSAccess"
_REGIONS: Final = ("eu-west-1", "eu-central-1", "us-east-1", "ap-southeast-2")
_SERVICES: Final = ("ec2", "s3", "iam", "kms", "lambda", "sqs", "rds", "dynamodb")


def _policy(number: int) -> dict[str, object]:
    return {
        "Version": "2012-10-17",
        "Statement": {
            "Sid": f"Deny{number}",
            "Effect": "Deny",
            "Action": [
                f"{_SERVICES[number % len(_SERVICES)]}:Delete*",
                f"{_SERVICES[(number + 3) % len(_SERVICES)]}:*",
            ],
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": _REGIONS[number % len(_REGIONS)]}},
        },
    }


@dataclass
class OrganizationStream:
    """
    The changes of one organization: mostly names and moves, now and then a policy on a unit or another text for one.

    Attributes:
        name: Its id.
        number: Keeps its accounts apart from those of others.
        accounts: How many it has.
    """

    name: str
    number: int
    accounts: int
    random: Random
    _time: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    _count: int = 0
    _hanging: set[tuple[str, str]] = field(default_factory=set)

    def snapshot(self) -> bytes:
        """
        Return its first change.
        """
        return self._event("organization.snapshot", **self.document())

    def document(self) -> dict[str, object]:
        """
        Return the organization as it is at first, as a snapshot document.
        """
        units, accounts = self._units(), self.account_ids()
        return {
            "organization": {"id": self.name, "management_account_id": accounts[0], "feature_set": "ALL"},
            "root": {"id": ROOT, "policy_types": ["SERVICE_CONTROL_POLICY"]},
            "organizational_units": [{"id": unit, "name": f"Unit {unit[-1]}", "parent_id": ROOT} for unit in units],
            "accounts": [
                {
                    "id": account,
                    "name": f"account-{index}",
                    "email": f"aws+{account}@example.com",
                    "parent_id": units[index % UNITS],
                    "status": "ACTIVE",
                }
                for index, account in enumerate(accounts)
            ],
            "policies": [
                {"id": policy, "name": policy, "type": "SERVICE_CONTROL_POLICY", "content": _policy(index)}
                for index, policy in enumerate(self._policies())
            ],
            "attachments": full_access((ROOT, *units, *accounts)),
        }

    def change(self) -> bytes:
        """
        Return its next change.
        """
        draw = self.random.random()
        if draw < 0.55:
            return self._event("account.updated", account_id=self._some(self.account_ids()), name=f"name-{self._count}")
        if draw < 0.8:
            return self._event(
                "account.moved", account_id=self._some(self.account_ids()[1:]), parent_id=self._some(self._units())
            )
        if draw < 0.98:
            return self.hang(self._some(self._units()), self._some(self._policies()))
        index = self.random.randrange(UNITS)
        content = _policy(self.random.randrange(64))
        return self._event("policy.updated", policy_id=self._policies()[index], content=content)

    def hang(self, target_id: str, policy_id: str) -> bytes:
        """
        Return the change that attaches a policy to a node, or detaches it if this stream has attached it.
        """
        place = (target_id, policy_id)
        taken_off = place in self._hanging
        (self._hanging.discard if taken_off else self._hanging.add)(place)
        kind = "policy.detached" if taken_off else "policy.attached"
        return self._event(kind, target_id=target_id, policy_id=policy_id)

    def account_ids(self) -> list[str]:
        """
        Return the ids of its accounts, that of the management account first.
        """
        return [f"{100_000_000_000 + 1_000_000 * self.number + index}" for index in range(self.accounts)]

    def _event(self, kind: str, **data: object) -> bytes:
        self._count += 1
        self._time += timedelta(seconds=1)
        told = data if "organization" in data else {"organization_id": self.name, **data}
        return json.dumps(
            {
                "specversion": "1.0",
                "id": f"{self.name}-{self._count}",
                "source": "benchmark",
                "type": f"rooftree.{kind}.v1",
                "time": self._time.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "sequence": f"{self._count:010d}",
                "data": told,
            }
        ).encode()

    def _some(self, choices: list[str]) -> str:
        return choices[int(self.random.random() * len(choices))]

    def _units(self) -> list[str]:
        return [f"ou-ab12-{index:08d}" for index in range(UNITS)]

    def _policies(self) -> list[str]:
        return [f"p-{index:08d}" for index in range(UNITS)]


def full_access(node_ids: tuple[str, ...]) -> list[dict[str, str]]:
    """
    Return attachments of FullAWSAccess.
    """
    return [{"policy_id": _FULL_ACCESS, "target_id": node} for node in node_ids]


def change_stream(organizations: int, *, accounts: int, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """
    Return changes without end, each with its organization: first a snapshot of each, then by lot.
    """
    random = Random(seed)  # noqa: S311  # the same changes in every run are what is wanted
    streams = [OrganizationStream(f"o-load{number:08d}", number, accounts, random) for number in range(organizations)]
    for stream in streams:
        yield stream.name, stream.snapshot()
    while True:
        stream = streams[int(random.random() * organizations)]
        yield stream.name, stream.change()
