"""
The workers, with servers that are plain objects.
"""

from __future__ import annotations
