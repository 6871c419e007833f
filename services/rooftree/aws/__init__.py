"""
AWS itself: an organization and the principals of its accounts, read by API. Nothing here changes anything there.
"""

from __future__ import annotations
