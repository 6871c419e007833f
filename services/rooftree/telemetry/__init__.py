"""
What the service says about itself: log lines, metrics and spans, each named here and nowhere else.
"""

from __future__ import annotations
