"""
An organization to try things on: its snapshot and six weeks of changes, all made up.
"""

from __future__ import annotations

from rooftree.demo.organization import ORGANIZATION_ID, demo_snapshot
from rooftree.demo.story import SOURCE, demo_events, demo_snapshot_event

__all__ = ["ORGANIZATION_ID", "SOURCE", "demo_events", "demo_snapshot", "demo_snapshot_event"]
