"""
Users, groups and roles as lists show them, and how changes touch them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rooftree.api.pages import phrases
from rooftree.inquiry import wording
from rooftree.inquiry.touches import AccountImpact, TouchedGroup, distinct_touches
from rooftree.organization.directory import Grants
from rooftree.reading.reader import AuditRecord

__all__ = [
    "GROUPS_SHOWN",
    "People",
    "PeopleGroup",
    "RosterEntry",
    "impacts_of",
    "people_of",
    "roster_of",
    "told_people",
]

GROUPS_SHOWN: Final = 10
NAMES_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """
    One principal.

    Attributes:
        policies: The names of what it has, groups' policies with the group.
        missing: What is not known of it.
    """

    kind: str
    name: str
    arn: str
    policies: Sequence[str]
    boundary: str | None
    groups: Sequence[str]
    missing: Sequence[str]


def roster_of(grants: Iterable[Grants]) -> list[RosterEntry]:
    """
    Return principals by kind and name.
    """
    found = [
        RosterEntry(
            kind=one.principal.kind,
            name=one.principal.name,
            arn=one.principal.arn,
            policies=[f"{policy.name} (by {policy.group})" if policy.group else policy.name for policy in one.policies],
            boundary=one.boundary.name if one.boundary else None,
            groups=one.principal.groups,
            missing=one.missing,
        )
        for one in grants
    ]
    return sorted(found, key=lambda entry: (entry.kind, entry.name))


@dataclass(frozen=True, slots=True)
class PeopleGroup:
    """
    Users and roles that lose or gain by the same requests.

    Attributes:
        requests: In words, each with the way that it goes.
        names: Some of them.
        more: How many names there are beside them.
    """

    verdict: tuple[str, str] | None
    requests: Sequence[tuple[str, str]]
    names: Sequence[str]
    more: int


@dataclass(frozen=True, slots=True)
class People:
    """
    How a change touches users and roles.

    Attributes:
        words: How many of them.
        groups: The largest first.
        more: How many users and roles are in groups beside these.
    """

    words: str
    groups: Sequence[PeopleGroup]
    more: int


def impacts_of(events: Iterable[AuditRecord]) -> list[AccountImpact]:
    """
    Return what events tell of the principals that they touch.
    """
    found = ((event.account_id or "", event.data.get("principals")) for event in events)
    return [(account_id, impact) for account_id, impact in found if isinstance(impact, Mapping)]


def people_of(impacts: Iterable[AccountImpact]) -> People | None:
    """
    Tell how a change touches users and roles of some accounts; None where none of them is known.
    """
    told = list(impacts)
    groups = distinct_touches(told)
    more = sum(len(group.arns) for group in groups[GROUPS_SHOWN:])
    return told_people(wording.reach_words(impact for _, impact in told), groups[:GROUPS_SHOWN], more)


def told_people(words: str | None, groups: Iterable[TouchedGroup], more: int) -> People | None:
    """
    Tell of groups of users and roles, beside which there are *more* of them; None where there are no words for them.
    """
    if words is None:
        return None
    return People(words[:1].upper() + words[1:], [_group(group) for group in groups], more)


def _group(group: TouchedGroup) -> PeopleGroup:
    names = group.names
    return PeopleGroup(
        verdict=phrases.verdict_mark(group.verdict),
        requests=[(str(change["direction"]), wording.witness_words(change)) for change in group.changes],
        names=names[:NAMES_SHOWN],
        more=max(len(names) - NAMES_SHOWN, 0),
    )
