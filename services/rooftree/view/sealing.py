"""
The stored audit events of one organization, held against their seals, their order and themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from rooftree.organization.timestamps import format_time
from rooftree.view.audit import AuditType, audit_event_id, seal
from rooftree.view.patch import GENESIS, AuditEvent

__all__ = ["SealedSequence"]


class SealedSequence:
    """
    Takes events in their order, and says what is wrong with the first one that was altered or does not follow.

    Attributes:
        events: How many were taken.
        chain_hash: The hash of the last one.
        revision: The revision of the last one.
    """

    def __init__(self) -> None:
        self.events = 0
        self.chain_hash = GENESIS
        self.revision = 0
        self._part = 0
        self._parts = 0

    @property
    def position(self) -> tuple[int, int]:
        """
        Revision and part of the last event that is whole.
        """
        return self.revision, self._part

    def fault(self, event: AuditEvent, sources: Collection[str]) -> str | None:
        """
        Take an event; returns what is wrong with it, or None.

        Args:
            event: The next event.
            sources: Where its cause may have come from.
        """
        found = self._order_fault(event) or self._seal_fault(event) or next(_column_faults(event, sources), None)
        if found is None:
            self.events += 1
            self.revision, self._part, self._parts = event.revision, event.part, event.parts
            self.chain_hash = str(_hashes(event)["this"])
        return found

    def end_fault(self, *, revision: int, chain_hash: str) -> str | None:
        """
        Return what is missing behind the last event, given what the organization says was written last.
        """
        if self._part != self._parts:
            return f"events are missing after revision {self.revision}, part {self._part}"
        if (self.revision, self.chain_hash) != (revision, chain_hash):
            return f"the event of revision {revision} with hash {chain_hash}, which was written last, is not there"
        return None

    def _order_fault(self, event: AuditEvent) -> str | None:
        whole = self._part == self._parts
        expected = (self.revision + 1, 1) if whole else (self.revision, self._part + 1)
        if (event.revision, event.part) != expected:
            return f"events are missing after revision {self.revision}, part {self._part}"
        if not whole and event.parts != self._parts:
            return f"it says that its revision has {event.parts} parts, the part before said {self._parts}"
        return None

    def _seal_fault(self, event: AuditEvent) -> str | None:
        hashes = _hashes(event)
        if hashes.get("previous") != self.chain_hash:
            return "it is not sealed to the event before"
        if hashes.get("this") != seal(self.chain_hash, event.data):
            return "it was altered"
        return None


def _column_faults(event: AuditEvent, sources: Collection[str]) -> Iterator[str]:
    """
    Yield in which columns an event differs from its sealed data.
    """
    data, cause = event.data, event.data.get("cause")
    told = cause if isinstance(cause, dict) else {}
    expected = {
        "organization_id": data.get("organization_id"),
        "revision": data.get("organization_revision"),
        "account_id": data.get("account_id"),
        "verdict": data.get("verdict"),
        "cause_event_id": told.get("event_id"),
        "type": _type(event),
    }
    for name, value in expected.items():
        if getattr(event, name) != value:
            yield f"its column {name} was altered"
    if format_time(event.time) != told.get("time"):
        yield "its column time was altered"
    identity = (event.organization_id, event.type, event.cause_event_id, event.account_id)
    principal = data.get("principal")
    if event.event_id not in {audit_event_id(*identity, source=source, principal=principal) for source in sources}:
        yield "its column event_id was altered, or the change behind it is not there"


def _type(event: AuditEvent) -> str:
    if "principal" in event.data:
        return AuditType.PRINCIPAL_CHANGED.value
    if "changes" in event.data:
        return AuditType.DECISION_CHANGED.value
    if "probes" in event.data:
        return AuditType.PROBE_FLIPPED.value
    return AuditType.COMPLETE.value if event.data.get("complete") else AuditType.INCOMPLETE.value


def _hashes(event: AuditEvent) -> dict[str, object]:
    found = event.data.get("chain_hash")
    return found if isinstance(found, dict) else {}
