"""
How much work the algebra takes upon itself before it says that policies are too tangled.

All bounds count steps, never time: the same policies end the same way on every machine and in every repetition.
"""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_CELLS", "MAX_DIMENSIONS", "MAX_NODES", "MAX_STEPS", "MAX_VISITS", "TooComplexError"]

MAX_VISITS: Final = 500_000
"""
How many positions in patterns a walk may look at, which takes about two seconds.

A chain of real policies needs some ten thousand; patterns made to be slow double them with each wildcard.
"""

MAX_CELLS: Final = 2_000_000
"""How many pairs of an interval and a value may be looked at for one key, which takes about two seconds."""

MAX_DIMENSIONS: Final = 300
"""How many things may be asked of a request; operations on diagrams go as deep as there are dimensions."""

MAX_NODES: Final = 100_000
"""How many nodes the diagrams of one space may have, about 100 MB; a chain of real policies needs some hundreds."""

MAX_STEPS: Final = 4_000_000
"""How many pairs of edges the diagrams of one space may look at, which takes about two seconds."""


class TooComplexError(Exception):
    """
    The policies cut the requests into more parts than can be told apart in reasonable time.
    """
