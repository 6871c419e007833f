"""
The organization as facts: identifiers, changes, merging, the tree and its chains, snapshots.
"""

from __future__ import annotations
