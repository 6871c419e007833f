"""
Changes as the events that tell them.
"""

from __future__ import annotations

from dataclasses import asdict

from rooftree.organization.changes import Change
from rooftree.organization.timestamps import format_time

__all__ = ["change_event"]


def change_event(change: Change) -> dict[str, object]:
    """
    Return the event that `decode_change` reads as *change*, which is one about a node, a policy or a policy type.
    """
    told = {name: value for name, value in asdict(change.data).items() if value is not None}
    event: dict[str, object] = {
        "specversion": "1.0",
        "id": change.event_id,
        "source": change.source,
        "type": str(change.type),
        "time": format_time(change.time),
        "datacontenttype": "application/json",
    }
    optional = {"sequence": change.sequence, "actor": change.actor, "cause": change.origin}
    event |= {name: value for name, value in optional.items() if value}
    return {**event, "data": {"organization_id": change.organization_id, **told}}
