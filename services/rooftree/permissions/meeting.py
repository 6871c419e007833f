"""
Which statements can speak of one request, judged quickly by their actions: seldom too much, never too little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from rooftree.permissions.glob import Atom
from rooftree.permissions.predicate import BoundStatement

__all__ = ["may_meet", "services_of"]


@dataclass(frozen=True, slots=True)
class _Head:
    """
    A pattern of actions up to its first wildcard.

    Attributes:
        whole: Whether nothing follows.
        open: Whether anything may follow.
    """

    text: str
    whole: bool
    open: bool

    def meets(self, other: _Head) -> bool:
        """
        Tell whether some action may match both.
        """
        if self.whole and other.whole:
            return self.text == other.text
        if self.whole:
            return self.text.startswith(other.text)
        return other.text.startswith(self.text) or (not other.whole and self.text.startswith(other.text))

    def holds(self, other: _Head) -> bool:
        """
        Tell whether this surely matches all that the other matches.
        """
        return self.text == other.text if self.whole else self.open and other.text.startswith(self.text)


@lru_cache(maxsize=65536)
def _head(atom: Atom) -> _Head:
    (glob,) = atom.globs
    text = ""
    for token in glob:
        if not isinstance(token.chars, str):
            return _Head(text, whole=False, open=token.star and len(text) + 1 == len(glob))
        text += token.chars
    return _Head(text, whole=True, open=False)


@lru_cache(maxsize=16384)
def _heads(actions: frozenset[Atom]) -> Mapping[str | None, list[_Head]]:
    """
    Return the heads of patterns by service; those that do not name one stand under ``None``.
    """
    found: dict[str | None, list[_Head]] = {}
    for atom in actions:
        head = _head(atom)
        service, colon, _name = head.text.partition(":")
        found.setdefault(service if colon else None, []).append(head)
    return found


def services_of(statement: BoundStatement) -> frozenset[str] | None:
    """
    Return the services of whose actions a statement speaks; ``None`` if it does not name them.
    """
    if statement.actions_negated:
        return None
    services = _heads(statement.actions).keys()
    return None if None in services else frozenset(service for service in services if service is not None)


def may_meet(statement: BoundStatement, others: Iterable[BoundStatement]) -> bool:
    """
    Tell whether some action may be one of a statement and of one of the others.
    """
    return any(_may_meet(statement, other) for other in others)


@lru_cache(maxsize=65536)
def _may_meet(one: BoundStatement, other: BoundStatement) -> bool:
    if one.actions_negated and other.actions_negated:
        return True
    if one.actions_negated:
        one, other = other, one
    own, others = _heads(one.actions), _heads(other.actions)
    if other.actions_negated:
        return any(not _held(head, service, others) for service, heads in own.items() for head in heads)
    if None in own or None in others:
        return True
    return any(
        head.meets(found)
        for service in own.keys() & others.keys()
        for head in own[service]
        for found in others[service]
    )


def _held(head: _Head, service: str | None, others: Mapping[str | None, list[_Head]]) -> bool:
    near = (*others.get(None, ()), *(others.get(service, ()) if service is not None else ()))
    return any(found.holds(head) for found in near)
