"""
Tests that need nothing but the code.
"""

from __future__ import annotations
