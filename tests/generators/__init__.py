"""
Organizations and their histories, made up for tests.
"""

from __future__ import annotations
