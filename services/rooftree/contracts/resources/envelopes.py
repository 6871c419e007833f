"""
What every endpoint answers with: a part of a list, what is wrong, or that a change was taken.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import ConfigDict, Field

from rooftree.contracts.fields import Outbound

__all__ = ["Accepted", "Page", "Problem"]

Item = TypeVar("Item", bound=Outbound)


class Problem(Outbound):
    """
    An error in the form of RFC 9457.
    """

    model_config = ConfigDict(defer_build=True, extra="allow", strict=True, frozen=True)

    type: str = Field(description="`about:blank`: the status says all that programs need.")
    title: str
    status: int
    detail: str = Field(description="What is wrong, in one line; for bad input with its place in front.")


class Page(Outbound, Generic[Item]):
    """
    A part of a list.
    """

    items: list[Item]
    next: str | None = Field(description="The cursor of the page after; null on the last. `Link` names it too.")


class Accepted(Outbound):
    """
    A change that was sent to the service: the view has it within moments.
    """

    event_ids: list[str]
