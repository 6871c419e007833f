"""
PostgreSQL: the view, its history, the outbox, the offsets; all or nothing.
"""

from __future__ import annotations
