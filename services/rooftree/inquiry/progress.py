"""
How far the work on many accounts has come, for whoever wants to show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

__all__ = ["Progress", "unseen"]

Item = TypeVar("Item")


class Progress(Protocol):
    """
    Passes on the items of a piece of work, and sees when each is taken.
    """

    def __call__(self, items: Sequence[Item], /) -> Iterable[Item]:
        """
        Return the items in their order.
        """
        ...


def unseen(items: Sequence[Item], /) -> Iterable[Item]:
    """
    Show nothing.
    """
    return items
