"""
What the store works out before it speaks to a server.
"""

from __future__ import annotations
