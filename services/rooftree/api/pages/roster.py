"""
Users, groups and roles as lists show them, and how changes touch them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rooftree.organization.directory import Grants
from rooftree.reading.reader import AuditRecord

__all__ = ["RosterEntry", "impacts_of", "roster_of"]


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


def impacts_of(events: Iterable[AuditRecord]) -> list[Mapping[str, object]]:
    """
    Return what events tell of the principals that they touch.
    """
    found = (event.data.get("principals") for event in events)
    return [impact for impact in found if isinstance(impact, Mapping)]
