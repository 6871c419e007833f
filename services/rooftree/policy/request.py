"""
One request, as policies see it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rooftree.policy.context import Context

__all__ = ["Request"]


@dataclass(frozen=True, slots=True)
class Request:
    """
    What somebody asks to do.

    Attributes:
        action: ``service:Name``; case does not matter.
        resource: An ARN, or ``*`` for an action that knows no resources.
    """

    action: str
    resource: str = "*"
    context: Context = field(default_factory=Context)
