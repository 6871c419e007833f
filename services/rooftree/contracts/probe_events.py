"""
The change events by which probes are set and removed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from rooftree.organization.changes import ChangeType
from rooftree.organization.probes import Probe
from rooftree.organization.timestamps import format_time

__all__ = ["probe_events"]


def probe_events(
    organization_id: str, wanted: Iterable[Probe], gone: Iterable[str], *, source: str, moment: datetime
) -> list[dict[str, object]]:
    """
    Return the events that set some probes and remove others; the same ones are told by the same ids.
    """
    time = format_time(moment)
    told: list[tuple[str, Mapping[str, object]]] = [(ChangeType.PROBE_SET, probe.to_json()) for probe in wanted]
    told += [(ChangeType.PROBE_REMOVED, {"name": name}) for name in gone]
    return [
        {
            "specversion": "1.0",
            "id": hashlib.sha256(json.dumps([kind, data, time], sort_keys=True).encode()).hexdigest()[:32],
            "source": source,
            "type": str(kind),
            "time": time,
            "datacontenttype": "application/json",
            "data": {"organization_id": organization_id, **data},
        }
        for kind, data in told
    ]
