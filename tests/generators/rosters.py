"""
The principals of an account as a plain program would keep them, and what may happen to them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from tests.generators.policies import CONTENTS

from rooftree.policy.document import PolicyKind, parse_policy

__all__ = ["Roster", "RosterEvents", "RosterPrincipal"]

Told = tuple[str, dict[str, object]]

TRUSTS: Mapping[str, Mapping[str, object]] = {
    name: {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
    }
    for name, principal in (
        ("ec2", {"Service": "ec2.amazonaws.com"}),
        ("account", {"AWS": "arn:aws:iam::111111111111:root"}),
    )
}


def _allow(actions: object, resources: object = "*", **elements: object) -> dict[str, object]:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources, **elements}
    return {"Version": "2012-10-17", "Statement": [statement]}


IDENTITY: Mapping[str, Mapping[str, object]] = {
    "AllowAll": CONTENTS["AllowAll"],
    "AllowAnalytics": CONTENTS["AllowAnalytics"],
    "DenyLeaving": CONTENTS["DenyLeaving"],
    "AllowAllBuckets": _allow(["s3:*", "cloudtrail:*"]),
    "AllowOneBucket": _allow(["s3:*", "ec2:*"], ["arn:aws:s3:::shop/*", "arn:aws:ec2:*:*:instance/*"]),
    "AllowOtherBucket": _allow(["s3:*", "ec2:*"], ["arn:aws:s3:::media/*", "arn:aws:ec2:*:*:volume/*"]),
    "AllowOwnFolder": _allow("s3:*", "arn:aws:s3:::home/${aws:username}/*"),
    "AllowRegion": _allow("ec2:*", Condition={"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "ap-south-1"]}}),
    "AllowTeam": _allow("organizations:*", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:*/team/*"}}),
}


@dataclass
class RosterPrincipal:
    """
    A principal.
    """

    path: str = "/"
    unique_id: str | None = None
    inline: dict[str, str] = field(default_factory=dict)  # name -> which content
    attached: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    boundary: str | None = None
    trust: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class RosterPolicy:
    """
    A managed policy.
    """

    default: str
    versions: dict[str, str]


@dataclass
class Roster:
    """
    The principals of one account.
    """

    account_id: str
    principals: dict[tuple[str, str], RosterPrincipal] = field(default_factory=dict)
    policies: dict[str, RosterPolicy] = field(default_factory=dict)

    def expected(self) -> dict[str, tuple[object, ...]]:
        """
        Return what must be known of each principal: what it is, what it has, and what is missing.
        """
        return {f"{kind}/{name}": self._expected(kind, name, one) for (kind, name), one in self.principals.items()}

    def _expected(self, kind: str, name: str, one: RosterPrincipal) -> tuple[object, ...]:
        own = self._policies(one, None)
        through = [
            policy
            for group in sorted(one.groups)
            if ("group", group) in self.principals
            for policy in self._policies(self.principals["group", group], group)
        ]
        return (
            f"arn:aws:iam::{self.account_id}:{kind}{one.path}{name}",
            one.unique_id,
            (*own, *through),
            one.boundary and (one.boundary, self._digest(one.boundary)),
            one.trust and parse_policy(TRUSTS[one.trust], PolicyKind.TRUST).digest,
            one.tags,
        )

    def _policies(self, one: RosterPrincipal, group: str | None) -> list[tuple[object, ...]]:
        inline = [(name, None, group, _digest(content)) for name, content in sorted(one.inline.items())]
        return [
            *inline,
            *((arn.rpartition("/")[2], arn, group, self._digest(arn)) for arn in sorted(one.attached)),
        ]

    def _digest(self, arn: str) -> str | None:
        policy = self.policies.get(arn)
        return None if policy is None else _digest(policy.versions[policy.default])


def _digest(content: str) -> str:
    return parse_policy(IDENTITY[content], PolicyKind.IDENTITY).digest


class RosterEvents:
    """
    Changes a roster at random, and tells it.
    """

    def __init__(self, random: Random, roster: Roster, spell: Callable[[Mapping[str, object]], object]) -> None:
        self.random = random
        self.roster = roster
        self._spell = spell

    def something(self) -> Iterator[Told]:
        """
        Change one thing and yield the events that tell of it.
        """
        change = self.random.choice(
            (
                *(self._create, self._create, self._inline, self._inline, self._attach, self._attach, self._group),
                *(
                    self._boundary,
                    self._trust,
                    self._tag,
                    self._move,
                    self._delete,
                    self._write_policy,
                    self._write_policy,
                ),
                *(self._delete_policy, self._snapshot),
            )
        )
        yield from change()

    def _create(self) -> Iterator[Told]:
        kind = self.random.choice(("user", "role", "group"))
        name = self.random.choice(("alice", "bob", "deploy", "admins"))
        if (kind, name) in self.roster.principals:
            return
        one = RosterPrincipal(path=self.random.choice(("/", "/team/")), unique_id=f"AID{self.random.randrange(1000)}")
        told: dict[str, object] = {"path": one.path, "unique_id": one.unique_id}
        if kind == "role":
            one.trust = self.random.choice(list(TRUSTS))
            told["trust_policy"] = self._spell(TRUSTS[one.trust])
        self.roster.principals[kind, name] = one
        yield self._updated(kind, name, **told)

    def _inline(self) -> Iterator[Told]:
        for kind, name, one in self._some():
            policy = self.random.choice(("main", "extra"))
            if policy in one.inline and self.random.random() < 0.5:
                del one.inline[policy]
                yield self._updated(kind, name, inline_policies={policy: None})
            else:
                content = one.inline[policy] = self.random.choice(list(IDENTITY))
                yield self._updated(kind, name, inline_policies={policy: self._spell(IDENTITY[content])})

    def _attach(self) -> Iterator[Told]:
        for kind, name, one in self._some():
            arn = self._arn()
            one.attached ^= {arn}
            yield self._updated(kind, name, attached_policies={arn: arn in one.attached})

    def _group(self) -> Iterator[Told]:
        for kind, name, one in self._some():
            if kind == "user":
                one.groups ^= {"admins"}
                yield self._updated(kind, name, groups={"admins": "admins" in one.groups})

    def _boundary(self) -> Iterator[Told]:
        for kind, name, one in self._some():
            one.boundary = self.random.choice((None, self._arn()))
            yield self._updated(kind, name, permissions_boundary=one.boundary)

    def _trust(self) -> Iterator[Told]:
        for kind, name, one in self._some():
            if kind == "role":
                one.trust = self.random.choice(list(TRUSTS))
                yield self._updated(kind, name, trust_policy=self._spell(TRUSTS[one.trust]))

    def _tag(self) -> Iterator[Told]:
        for kind, name, one in self._some():
            value = self.random.choice(("red", "blue", None))
            if value is None:
                one.tags.pop("team", None)
            else:
                one.tags["team"] = value
            yield self._updated(kind, name, tags={"team": value})

    def _move(self) -> Iterator[Told]:
        for kind, name, one in self._some():
            one.path = self.random.choice(("/", "/team/", "/other/"))
            yield self._updated(kind, name, path=one.path)

    def _delete(self) -> Iterator[Told]:
        for kind, name, _ in self._some():
            del self.roster.principals[kind, name]
            yield "principal.deleted", {"principal": {"kind": kind, "name": name}}

    def _write_policy(self) -> Iterator[Told]:
        arn, content = self._arn(), self.random.choice(list(IDENTITY))
        policy = self.roster.policies.get(arn)
        if policy is None:
            self.roster.policies[arn] = RosterPolicy("v1", {"v1": content})
            yield self._policy_updated(arn, default_version="v1", versions={"v1": self._spell(IDENTITY[content])})
        elif len(policy.versions) > 1 and self.random.random() < 0.5:
            policy.default = self.random.choice(list(policy.versions))
            yield self._policy_updated(arn, default_version=policy.default)
        else:
            version = f"v{max(int(name[1:]) for name in policy.versions) + 1}"
            policy.versions[version] = content
            told: dict[str, object] = {"versions": {version: self._spell(IDENTITY[content])}}
            if self.random.random() < 0.5:
                policy.default = told["default_version"] = version
            yield self._policy_updated(arn, **told)

    def _delete_policy(self) -> Iterator[Told]:
        if self.roster.policies:
            arn = self.random.choice(list(self.roster.policies))
            del self.roster.policies[arn]
            yield "principal.deleted", {"managed_policy": {"arn": arn}}

    def _snapshot(self) -> Iterator[Told]:
        """
        Tell the whole roster, whole or in parts.
        """
        principals = [
            {
                "kind": kind,
                "name": name,
                "arn": f"arn:aws:iam::{self.roster.account_id}:{kind}{one.path}{name}",
                "unique_id": one.unique_id,
                "inline_policies": {policy: self._spell(IDENTITY[content]) for policy, content in one.inline.items()},
                "attached_policies": sorted(one.attached),
                "groups": sorted(one.groups),
                "permissions_boundary": one.boundary,
                "trust_policy": one.trust and self._spell(TRUSTS[one.trust]),
                "tags": dict(one.tags),
            }
            for (kind, name), one in self.roster.principals.items()
        ]
        policies = [
            {
                "arn": arn,
                "default_version": policy.default,
                "versions": {version: IDENTITY[content] for version, content in policy.versions.items()},
            }
            for arn, policy in self.roster.policies.items()
        ]
        parts = self.random.choice((1, 1, 2, 3))
        if parts == 1:
            yield "principal.snapshot", {"principals": principals, "managed_policies": policies}
            return
        name = f"snapshot-{self.random.randrange(10**9)}"
        for part in range(1, parts + 1):
            told = {
                "principals": principals[part - 1 :: parts],
                "managed_policies": policies[part - 1 :: parts],
                "snapshot_id": name,
                "part": part,
                "parts": parts,
            }
            yield "principal.snapshot", json.loads(json.dumps(told))

    def _some(self) -> Iterator[tuple[str, str, RosterPrincipal]]:
        if self.roster.principals:
            kind, name = self.random.choice(list(self.roster.principals))
            yield kind, name, self.roster.principals[kind, name]

    def _arn(self) -> str:
        own = f"arn:aws:iam::{self.roster.account_id}:policy/team/Own"
        return self.random.choice(("arn:aws:iam::aws:policy/ReadOnlyAccess", own))

    def _updated(self, kind: str, name: str, **told: object) -> Told:
        return "principal.updated", {"principal": {"kind": kind, "name": name, **told}}

    def _policy_updated(self, arn: str, **told: object) -> Told:
        return "principal.updated", {"managed_policy": {"arn": arn, **told}}
