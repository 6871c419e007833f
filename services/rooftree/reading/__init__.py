"""
What can be read of the stored view, and the ports through which it is read.
"""

from __future__ import annotations
