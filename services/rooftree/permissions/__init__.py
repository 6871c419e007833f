"""
All requests at once: the maximum permissions of accounts, and how they differ.
"""

from __future__ import annotations

from rooftree.permissions.account import AccountBinding
from rooftree.permissions.change import DecisionChange
from rooftree.permissions.comparison import EQUIVALENT, Comparison
from rooftree.permissions.document import Question
from rooftree.permissions.maximum import (
    Permissions,
    compare,
    forget_chains,
    forget_results,
    maximum_permissions,
    telling_apart,
)

__all__ = [
    "EQUIVALENT",
    "AccountBinding",
    "Comparison",
    "DecisionChange",
    "Permissions",
    "Question",
    "compare",
    "forget_chains",
    "forget_results",
    "maximum_permissions",
    "telling_apart",
]
