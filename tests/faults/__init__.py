"""
Tests against a real PostgreSQL and a real broker.
"""

from __future__ import annotations
