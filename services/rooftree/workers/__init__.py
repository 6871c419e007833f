"""
The loops: the projector, the relay, and who watches over them.
"""

from __future__ import annotations
