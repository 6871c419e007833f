"""
Audit events, and many of them in the room of few: each is spelled out only where somebody looks at it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from json.encoder import encode_basestring as quoted
from typing import Final, NamedTuple, Protocol, overload

__all__ = [
    "NO_EVENTS",
    "AuditEvent",
    "AuditLog",
    "Entry",
    "SealedData",
    "canonical_field",
    "canonical_fields",
    "canonical_json",
]

_CANONICAL_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def canonical_json(value: object) -> str:
    """
    Return a value as canonical JSON (https://datatracker.ietf.org/doc/html/rfc8785).
    """
    return _CANONICAL_JSON.encode(value)


def canonical_field(name: str, value: object) -> str:
    """
    Return a field of an object as canonical JSON.
    """
    return f"{quoted(name)}:{canonical_json(value)}"


def canonical_fields(**told: object) -> dict[str, str]:
    """
    Return fields of an object, each with its name, as canonical JSON.
    """
    return {name: canonical_field(name, value) for name, value in told.items()}


class SealedData(Mapping[str, object]):
    """
    The data of an audit event as canonical JSON, read when a field is asked for.

    Attributes:
        text: All of it, the seal included.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __getitem__(self, name: str) -> object:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __repr__(self) -> str:
        return f"SealedData({self.text!r})"

    def _read(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.text)
        return found


class AuditEvent(NamedTuple):
    """
    One event of the audit topic; a tuple, since very many are made at once.

    Attributes:
        event_id: Made from the organization, the cause and the account, so that a repetition has the same.
        account_id: The account, or None for an event about the organization; then the key is the organization's id.
        time: The time of the cause.
        part: The position among the events of the same revision, from 1.
        parts: How many events the revision has.
        verdict: ``tightened``, ``loosened`` or ``mixed``; None for an event about the organization.
        data: The event's data, good as JSON.
    """

    event_id: str
    type: str
    organization_id: str
    account_id: str | None
    time: datetime
    revision: int
    part: int
    parts: int
    verdict: str | None
    cause_event_id: str
    data: Mapping[str, object]

    @property
    def key(self) -> str:
        """
        The record key: the account, or else the organization.
        """
        return self.account_id or self.organization_id

    @property
    def text(self) -> str:
        """
        The data as JSON: canonical where it comes from a journal.
        """
        return self.data.text if isinstance(self.data, SealedData) else canonical_json(dict(self.data))


class Entry(Protocol):
    """
    What an event can be made from, any number of times.
    """

    @property
    def verdict(self) -> str | None:
        """
        The event's verdict.
        """
        ...

    def event(self) -> AuditEvent:
        """
        Return the event, always the same.
        """
        ...


class AuditLog(Sequence[AuditEvent]):
    """
    Events in their order.

    A change at the root of a large organization makes one for each account, of some kilobytes: they are made from
    their entries whenever they are gone through, and none is kept.
    """

    __slots__ = ("_entries",)

    def __init__(self, entries: Sequence[Entry] = ()) -> None:
        self._entries = tuple(entries)

    @overload
    def __getitem__(self, index: int) -> AuditEvent: ...

    @overload
    def __getitem__(self, index: slice) -> AuditLog: ...

    def __getitem__(self, index: int | slice) -> AuditEvent | AuditLog:
        if isinstance(index, slice):
            return AuditLog(self._entries[index])
        return self._entries[index].event()

    def __iter__(self) -> Iterator[AuditEvent]:
        return (entry.event() for entry in self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __add__(self, other: AuditLog) -> AuditLog:
        return AuditLog((*self._entries, *other._entries))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(own == its for own, its in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(event.event_id for event in self))

    def verdicts(self) -> Iterator[str | None]:
        """
        Yield the verdict of each event.
        """
        return (entry.verdict for entry in self._entries)


NO_EVENTS: Final = AuditLog()
