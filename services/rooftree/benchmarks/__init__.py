"""
How fast the parts are, each held against what the same machine needs at the least in the same run.
"""

from __future__ import annotations

from rooftree.benchmarks.algebra import algebra_measurements
from rooftree.benchmarks.measure import Measurement

__all__ = ["Measurement", "algebra_measurements"]
