"""
What is known about the principals of an account, as registers in which the last writer wins.

A snapshot is one fact, or one for each of its parts, and takes effect as a whole once all parts are there. It is the
floor: what was said before it is void and forgotten. What was said after it stands in registers of its own. So an
account that is read anew now and then costs one fact, not one for each policy of each principal.

INVARIANT: what is kept is a function of the set of facts that ever came. Whatever is forgotten lies below a floor, and
floors only rise, so it could have no effect in any order.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

from rooftree.organization.changes import (
    Change,
    PrincipalDeleted,
    PrincipalsTaken,
    PrincipalUpdated,
)
from rooftree.organization.facts import FactValue, Rank, Version
from rooftree.organization.principals import (
    Attributes,
    ManagedPolicy,
    Principal,
    attributes_of,
    policy_subject,
    principal_subject,
)
from rooftree.organization.timestamps import format_time

__all__ = [
    "REMOVED_AT",
    "AccountPrincipals",
    "PrincipalFact",
    "PrincipalFactKey",
    "PrincipalMerge",
    "principal_facts_of",
]

PrincipalFactKey: TypeAlias = tuple[str, str, str]

SNAPSHOT: Final = ""
"""The subject of a snapshot and of its parts."""

OBSERVED: Final = "observed"
REMOVED_AT: Final = "removed_at"
"""They hold nothing but their version: when a subject was spoken of or deleted last."""

_BEGINNING: Final = (Version(datetime.min.replace(tzinfo=UTC), "", 0, ""), 0)

_Snapshot: TypeAlias = tuple[Version, int]
"""A snapshot is told from others by its version and by how many parts it has."""


@dataclass(frozen=True, slots=True)
class PrincipalFact:
    """
    The value of one register of an account as of one version.

    Attributes:
        subject: The principal or the managed policy; empty for a snapshot.
        attribute: One of those of the subject; of a snapshot, which one and which part of it.
        value: Of a snapshot, its part as JSON text.
    """

    account_id: str
    subject: str
    attribute: str
    value: FactValue
    version: Version

    @property
    def key(self) -> PrincipalFactKey:
        """
        The register that this fact is a value of.
        """
        return (self.account_id, self.subject, self.attribute)

    def overrules(self, other: PrincipalFact) -> bool:
        """
        Tell whether this fact replaces *other* in their register: a strict total order, as among the facts of the
        organization.
        """
        if self.version != other.version:
            return self.version > other.version
        return json.dumps(self.value) > json.dumps(other.value)


@dataclass(frozen=True, slots=True)
class PrincipalMerge:
    """
    What taking in some facts has done.

    Attributes:
        facts: Those that have changed their register.
        forgotten: Registers that are void for good.
    """

    facts: tuple[PrincipalFact, ...] = ()
    forgotten: tuple[PrincipalFactKey, ...] = ()


def principal_facts_of(change: Change) -> tuple[PrincipalFact, ...]:
    """
    Return the facts that a change about principals states, at most one a register; none for any other change.
    """
    said = change.version(Rank.EXPLICIT)
    match change.data:
        case PrincipalsTaken() as taken:
            # All parts are of one version: that of the snapshot, not that of the event which holds the part.
            version = Version(change.time, change.sequence, Rank.IMPLIED, taken.snapshot_id or change.event_id)
            attribute = _part_name(version, taken.part, taken.parts)
            return (PrincipalFact(taken.account_id, SNAPSHOT, attribute, _part_text(taken), version),)
        case PrincipalUpdated(account_id=account_id, subject=subject, attributes=attributes, created=created):
            # Names are used again: what an earlier one of the same name had, a new one does not have.
            implied = PrincipalFact(account_id, subject, REMOVED_AT, True, change.version(Rank.IMPLIED))
            return (
                *((implied,) if created else ()),
                PrincipalFact(account_id, subject, OBSERVED, True, said),
                *(PrincipalFact(account_id, subject, name, value, said) for name, value in sorted(attributes.items())),
            )
        case PrincipalDeleted(account_id=account_id, subject=subject):
            return (PrincipalFact(account_id, subject, REMOVED_AT, True, said),)
        case _:
            return ()


def _part_name(version: Version, part: int, parts: int) -> str:
    return "/".join((format_time(version.time), version.sequence, version.event_id, str(parts), str(part)))


def _part_of(fact: PrincipalFact) -> tuple[_Snapshot, int]:
    _, parts, part = fact.attribute.rsplit("/", 2)
    return (fact.version, int(parts)), int(part)


def _part_text(taken: PrincipalsTaken) -> str:
    return json.dumps(taken.subjects, sort_keys=True, separators=(",", ":"), default=dict)


class AccountPrincipals:
    """
    The principals and the managed policies of one account.

    What a snapshot says is read out of its text when it is first asked for: of most accounts nobody asks.
    """

    def __init__(self, account_id: str, facts: Iterable[PrincipalFact] = ()) -> None:
        self.account_id = account_id
        self._parts: defaultdict[_Snapshot, dict[int, PrincipalFact]] = defaultdict(dict)
        self._registers: defaultdict[str, dict[str, PrincipalFact]] = defaultdict(dict)
        self._floor = _BEGINNING
        self._read: dict[str, Principal | ManagedPolicy] | None = None
        self.merge(facts)

    def __iter__(self) -> Iterator[PrincipalFact]:
        for parts in self._parts.values():
            yield from parts.values()
        for registers in self._registers.values():
            yield from registers.values()

    @property
    def is_whole(self) -> bool:
        """
        Whether a snapshot has taken effect.
        """
        return self._floor != _BEGINNING

    def merge(self, facts: Iterable[PrincipalFact]) -> PrincipalMerge:
        """
        Take in *facts* and tell what they have done.
        """
        taken = [fact for fact in facts if self._take(fact)]
        forgotten = tuple(self._rise())
        void = set(forgotten)
        return PrincipalMerge(tuple(fact for fact in taken if fact.key not in void), forgotten)

    def principals(self) -> dict[str, Principal]:
        """
        Return the principals that exist, by subject.
        """
        found = ((subject, self.find(subject)) for subject in self._subjects())
        return {subject: one for subject, one in found if isinstance(one, Principal)}

    def principal(self, kind: str, name: str) -> Principal | None:
        """
        Return a principal if it exists.
        """
        found = self.find(principal_subject(kind, name))
        return found if isinstance(found, Principal) else None

    def policies(self) -> dict[str, ManagedPolicy]:
        """
        Return the managed policies that are known, by ARN.
        """
        found = (self.find(subject) for subject in self._subjects())
        return {one.arn: one for one in found if isinstance(one, ManagedPolicy)}

    def policy(self, arn: str) -> ManagedPolicy | None:
        """
        Return a managed policy if it is known.
        """
        found = self.find(policy_subject(arn))
        return found if isinstance(found, ManagedPolicy) else None

    def find(self, subject: str) -> Principal | ManagedPolicy | None:
        """
        Return what a subject is now: what the latest snapshot says, changed by what was said of it since.
        """
        base = self._base().get(subject)
        registers = self._registers.get(subject)
        if not registers:
            return base
        removed = registers.get(REMOVED_AT)
        if removed is not None:
            registers = {name: fact for name, fact in registers.items() if fact.version > removed.version}
            base = None
        if base is None and OBSERVED not in registers:
            return None
        said = {name: fact.value for name, fact in registers.items() if name != OBSERVED}
        return _subject(self.account_id, subject, {**(attributes_of(base) if base else {}), **said})

    def said(self, subject: str, attribute: str) -> PrincipalFact | None:
        """
        Return what was said last of one attribute, apart from snapshots.
        """
        return self._registers.get(subject, {}).get(attribute)

    def _subjects(self) -> list[str]:
        return sorted(self._base().keys() | self._registers.keys())

    def _take(self, fact: PrincipalFact) -> bool:
        return self._take_part(fact) if fact.subject == SNAPSHOT else self._take_register(fact)

    def _take_part(self, fact: PrincipalFact) -> bool:
        snapshot, part = _part_of(fact)
        if snapshot < self._floor:
            return False
        known = self._parts[snapshot].get(part)
        if known is not None and not fact.overrules(known):
            return False
        self._parts[snapshot][part] = fact
        self._read = None
        return True

    def _take_register(self, fact: PrincipalFact) -> bool:
        if fact.version < self._floor[0]:
            return False
        known = self._registers[fact.subject].get(fact.attribute)
        if known is not None and not fact.overrules(known):
            return False
        self._registers[fact.subject][fact.attribute] = fact
        return True

    def _rise(self) -> Iterator[PrincipalFactKey]:
        """
        Move the floor up to the latest whole snapshot and yield what lies below it.
        """
        whole = [snapshot for snapshot, parts in self._parts.items() if len(parts) == snapshot[1]]
        floor = max(whole, default=_BEGINNING)
        if floor == self._floor:
            return
        self._floor, self._read = floor, None
        for snapshot in [snapshot for snapshot in self._parts if snapshot < floor]:
            yield from (fact.key for fact in self._parts.pop(snapshot).values())
        for subject, registers in list(self._registers.items()):
            void = [fact for fact in registers.values() if fact.version < floor[0]]
            for fact in void:
                del registers[fact.attribute]
                yield fact.key
            if not registers:
                del self._registers[subject]

    def _base(self) -> Mapping[str, Principal | ManagedPolicy]:
        if self._read is None:
            self._read = {}
            for _, fact in sorted(self._parts.get(self._floor, {}).items()):
                told: Mapping[str, Attributes] = json.loads(str(fact.value))
                for subject, attributes in told.items():
                    self._read[subject] = _subject(self.account_id, subject, attributes)
        return self._read


def _subject(account_id: str, subject: str, attributes: Attributes) -> Principal | ManagedPolicy:
    if subject.startswith("policy/"):
        return ManagedPolicy.of(subject, attributes)
    return Principal.of(account_id, subject, attributes)
