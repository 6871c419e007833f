"""
HTTP: the view as JSON, and a page for people.
"""

from __future__ import annotations

from rooftree.api.app import create_app

__all__ = ["create_app"]
