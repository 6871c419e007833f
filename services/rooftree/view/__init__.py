"""
The business logic: a view of an organization, and what each change does to it.
"""

from __future__ import annotations
