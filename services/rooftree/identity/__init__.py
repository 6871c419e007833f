"""
The identity provider, by which people sign in.
"""

from __future__ import annotations

from rooftree.identity.provider import Attempt, Identity, Provider

__all__ = ["Attempt", "Identity", "Provider"]
