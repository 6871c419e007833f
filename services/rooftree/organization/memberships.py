"""
Which organization an account belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Membership"]


@dataclass(frozen=True, slots=True, order=True)
class Membership:
    """
    An organization that an account belongs to, or belonged to.

    Attributes:
        present: Whether it still does.
    """

    organization_id: str
    account_id: str
    present: bool
