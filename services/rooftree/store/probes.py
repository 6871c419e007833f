"""
Probes into the store and out of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rooftree.organization.probes import Finding, Probe
from rooftree.store.database import Connection, Row, as_json
from rooftree.store.queries import query
from rooftree.view.patch import Patch, ProbeState

__all__ = ["ProbeWrites", "probe_of", "save_probes"]


@dataclass(slots=True)
class ProbeWrites:
    """
    What several patches of one organization say about probes, as one; None stands for what is deleted.
    """

    rows: dict[str, ProbeState | None] = field(default_factory=dict)

    @classmethod
    def of(cls, patches: Iterable[Patch]) -> ProbeWrites:
        """
        Make one of patches that are given in their order.
        """
        writes = cls()
        for patch in (patch.probes for patch in patches):
            writes.rows.update((name, None) for name in patch.gone)
            writes.rows.update((state.probe.name, state) for state in patch.states)
        return writes


async def save_probes(connection: Connection, organization_id: str, writes: ProbeWrites) -> None:
    """
    Write what a commit says about the probes of one organization, whose row is locked.
    """
    states = [state for state in writes.rows.values() if state is not None]
    if states:
        columns = zip(*map(_columns, states), strict=True)
        await connection.execute(query("save_probes"), organization_id, *(list(column) for column in columns))
    if gone := [name for name, state in writes.rows.items() if state is None]:
        await connection.execute(query("remove_probes"), organization_id, gone)


def probe_of(row: Row) -> ProbeState:
    """
    Return the probe that a row holds.
    """
    reasons = row["reasons"]
    return ProbeState(
        probe=Probe.of_json(row["name"], row["request"]),
        account_id=row["account_id"],
        finding=Finding(
            decision=row["decision"],
            blocked_by=tuple(reasons["blocked_by"]),
            decided_by=tuple(reasons["decided_by"]),
            missing=tuple(reasons["missing"]),
        ),
        as_expected=row["as_expected"],
        since=row["since"],
        cause_event_id=row["cause_event_id"],
    )


def _columns(state: ProbeState) -> tuple[object, ...]:
    finding = state.finding
    reasons = {"blocked_by": finding.blocked_by, "decided_by": finding.decided_by, "missing": finding.missing}
    return (
        state.probe.name,
        state.account_id,
        state.probe.to_text(),
        finding.decision,
        state.as_expected,
        as_json(reasons),
        state.since,
        state.cause_event_id,
    )
