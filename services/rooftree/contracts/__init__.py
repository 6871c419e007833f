"""
What crosses the boundary: events that come in, and events that go out.
"""

from __future__ import annotations

from rooftree.contracts.decoding import MAX_CHANGE_BYTES, decode_change
from rooftree.contracts.encoding import PERMISSIONS_TYPE, encode_audit_event, encode_permissions

__all__ = ["MAX_CHANGE_BYTES", "PERMISSIONS_TYPE", "decode_change", "encode_audit_event", "encode_permissions"]
