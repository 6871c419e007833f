"""
Changes that many accounts have in common, told once.

A policy that is attached to a root makes one audit event for each account below it, and all of them say the same.
People read the change once, with the accounts that it touches.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final, TypeAlias

import orjson

from rooftree.inquiry import wording
from rooftree.permissions.account import ACCOUNT_PLACEHOLDER
from rooftree.reading.reader import AuditRecord

__all__ = [
    "STATEMENTS",
    "AccountName",
    "Block",
    "RevisionGroup",
    "ToldChange",
    "account_words",
    "distinct_changes",
    "group_revisions",
    "identify",
    "overtaken",
]

NAMED: Final = 12
"""Accounts named one by one; of more, the first and how many."""

STATEMENTS: Final = ("statements", "unless")
"""The members of a change that name statements."""

ToldChange: TypeAlias = tuple[str, Mapping[str, Any]]
"""What names a change, and the change as an account has it."""


@dataclass(frozen=True, slots=True)
class AccountName:
    """
    An account as people are told of it.
    """

    account_id: str
    name: str


@dataclass(slots=True)
class Block:
    """
    One change, and every account that it touches.

    Attributes:
        change: The change as its first account has it, with the statements of all.
    """

    change: dict[str, Any]
    accounts: list[AccountName] = field(default_factory=list)

    @property
    def reach(self) -> int:
        """
        How many known actions of how many accounts it is about.
        """
        return len(self.accounts) * max(int(self.change.get("known_actions", {}).get("count", 0)), 1)

    def add(self, change: Mapping[str, Any], accounts: Iterable[AccountName]) -> None:
        """
        Add accounts that the change touches.
        """
        self.accounts.extend(accounts)
        for name in STATEMENTS:
            known, told = self.change.get(name, []), change.get(name, [])
            # accounts may share their words
            fresh = [] if told is known else [statement for statement in told if statement not in known]
            if fresh:
                self.change = {**self.change, name: [*known, *fresh]}


@dataclass(frozen=True)
class RevisionGroup:
    """
    Audit events of one revision.

    Attributes:
        events: Those at hand, in their order; there may be more.
    """

    organization_id: str
    revision: int
    time: datetime
    parts: int
    events: Sequence[AuditRecord]

    @property
    def title(self) -> str:
        """
        What happened to how many accounts.
        """
        told = [event for event in self.events if event.verdict is not None]
        if told and all(map(_is_of_principal, told)):
            return self._principals_title(told)
        if not told:
            flips = self.flips
            return wording.flips_headline(flips) if flips else wording.organization_words(self.events[0].type)
        count = self.parts - (len(self.events) - len(told))
        if count == 1:
            return wording.headline(told[0].data)
        verdicts = Counter(event.verdict for event in told)
        if len(verdicts) == 1:
            return f"{count:,} accounts {wording.verdict_words(str(told[0].verdict))}"
        counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
        return f"{count:,} accounts decide otherwise: {counts}"

    def _principals_title(self, told: Sequence[AuditRecord]) -> str:
        count = self.parts - (len(self.events) - len(told))
        if count == 1:
            return f"{_account(told[0]).name} {wording.verdict_words(str(told[0].verdict))}"
        verdicts = Counter(event.verdict for event in told)
        if len(verdicts) == 1:
            return f"{count} principals {wording.verdict_words(str(told[0].verdict))}"
        counts = ", ".join(f"{number} {verdict}" for verdict, number in verdicts.most_common())
        return f"{count} principals decide otherwise: {counts}"

    @property
    def impact(self) -> str | None:
        """
        What becomes of users and roles, in one line; None where none of them is known.
        """
        return wording.impact_words(event.data["principals"] for event in self.events if event.data.get("principals"))

    @property
    def flips(self) -> list[Mapping[str, Any]]:
        """
        The probes that are decided otherwise, as far as their events are at hand.
        """
        return [flip for event in self.events for flip in _list(event.data.get("probes"))]

    @property
    def cause(self) -> str:
        """
        What caused it, and by whose hand.
        """
        return wording.cause_words(self.events[0].data)

    @property
    def complete(self) -> bool:
        """
        Whether nothing was known to be missing.
        """
        return all(event.data.get("complete") is not False for event in self.events)

    @property
    def verdict(self) -> str | None:
        """
        The verdict that all events share; ``mixed`` if there are several.
        """
        verdicts = {event.verdict for event in self.events if event.verdict is not None}
        return verdicts.pop() if len(verdicts) == 1 else "mixed" if verdicts else None

    @property
    def accounts(self) -> list[AccountName]:
        """
        The accounts at hand.
        """
        return [_account(event) for event in self.events if event.account_id is not None]

    @cached_property
    def blocks(self) -> list[Block]:
        """
        Each distinct change once.
        """
        return distinct_changes(([_account(event)], _told(event)) for event in self.events)


def group_revisions(events: Iterable[AuditRecord]) -> Iterator[RevisionGroup]:
    """
    Yield events that follow each other by their revision, each group in the order of its parts.
    """
    for (organization_id, revision), members in itertools.groupby(
        events, key=lambda event: (event.organization_id, event.revision)
    ):
        found = sorted(members, key=lambda event: event.part)
        yield RevisionGroup(organization_id, revision, found[0].time, found[0].parts, found)


def overtaken(revisions: Iterable[tuple[int, datetime]]) -> dict[int, int]:
    """
    Return the revisions that came late, each with the one told before it that happened last of all.

    Args:
        revisions: Each with the time of its cause, the latest first.
    """
    late: dict[int, int] = {}
    last: tuple[datetime, int] | None = None
    for revision, time in reversed(list(revisions)):
        if last is not None and time < last[0]:
            late[revision] = last[1]
        else:
            last = (time, revision)
    return late


def distinct_changes(touched: Iterable[tuple[Sequence[AccountName], Iterable[ToldChange]]]) -> list[Block]:
    """
    Return each distinct change once, those that reach furthest first.

    Args:
        touched: Accounts, and the changes of each of them.
    """
    found: dict[str, Block] = {}
    for accounts, changes in touched:
        for identity, change in changes:
            block = found.get(identity)
            if block is None:
                block = found[identity] = Block(dict(change))
            block.add(change, accounts)
    return sorted(found.values(), key=lambda block: -block.reach)


def identify(change: Mapping[str, Any], account_id: str) -> str:
    """
    Return what names a change of an account: the same in all accounts that differ in the example alone, and in the
    nodes on which a policy hangs.
    """
    policies = [
        sorted({(entry["policy_id"], entry["statement"], entry.get("side") or "") for entry in change.get(name, [])})
        for name in STATEMENTS
    ]
    parts = {name: value for name, value in change.items() if name not in {"witness", *STATEMENTS}}
    told = orjson.dumps([parts, policies], option=orjson.OPT_SORT_KEYS).decode()
    return told.replace(account_id, ACCOUNT_PLACEHOLDER)


def account_words(accounts: Sequence[AccountName], *, total: int | None = None) -> str:
    """
    Name accounts in one line, the rest by their number.
    """
    named = [f"{account.name} ({account.account_id})" for account in accounts[:NAMED]]
    rest = (len(accounts) if total is None else total) - len(named)
    return ", ".join([*named, *([f"{rest} more"] if rest > 0 else [])])


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_of_principal(event: AuditRecord) -> bool:
    return isinstance(event.data.get("principal"), dict)


def _account(event: AuditRecord) -> AccountName:
    """
    Return the account of an event, or the principal in it that the event is about.
    """
    identifier = event.account_id or event.organization_id
    name = str(event.data.get("account_name") or identifier)
    principal = event.data.get("principal")
    if isinstance(principal, dict):
        name = f"{principal.get('kind')} {principal.get('name')} in {name}"
    return AccountName(identifier, name)


def _told(event: AuditRecord) -> Iterator[ToldChange]:
    account_id = _account(event).account_id
    return ((identify(change, account_id), change) for change in _list(event.data.get("changes")))
