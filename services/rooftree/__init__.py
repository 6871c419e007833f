"""Rooftree: exact decision changes for AWS Organizations."""

from __future__ import annotations

__version__ = "0.1.0"
