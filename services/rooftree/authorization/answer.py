"""
The answer to a request, with its reasons.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rooftree.authorization.binding import PolicyType
from rooftree.policy.evaluate import Decision
from rooftree.policy.model import Statement

__all__ = ["Answer", "Layer", "Outcome", "Reason"]


@dataclass(frozen=True, slots=True)
class Reason:
    """
    A statement that denies or allows, with where it stands.

    Attributes:
        target_id: The node that its policy hangs on; None for policies that hang on none.
        statement: None for an entry of an ACL, which is told by *entry* instead.
    """

    policy_type: PolicyType
    target_id: str | None
    policy_id: str
    policy_name: str
    statement: Statement | None
    entry: str = ""

    @property
    def label(self) -> str:
        """
        How people refer to the statement: its Sid, or else its position.
        """
        return self.entry if self.statement is None else self.statement.label


class Outcome(StrEnum):
    """
    What one kind of policies has to say.
    """

    DENIES = "denies"
    ALLOWS = "allows"
    LACKING = "lacking"
    """It would have to allow the request and does not."""

    SILENT = "silent"
    """It does not allow the request, which nobody asks of it."""

    IDLE = "idle"
    """It does not bind this request."""

    ABSENT = "absent"
    """There are no such policies."""


@dataclass(frozen=True, slots=True)
class Layer:
    """
    One kind of policies before a request.

    Attributes:
        note: Why it has no say, or what else is to be known.
        missing_levels: The nodes without a matching Allow, from the root on.
    """

    policy_type: PolicyType
    outcome: Outcome
    denials: tuple[Reason, ...] = ()
    grants: tuple[Reason, ...] = ()
    missing_levels: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """
    A decision with all that led to it.

    Attributes:
        blocked_by: The kinds of policies that deny, for an explicit deny; those that would have to allow and do not,
            for an implicit one.
        decided_by: The statements that deny; or, if the request is allowed, those that it rests on. Nothing for an
            implicit deny, which is the lack of a statement, nor for what a root user may do without one.
        layers: What each kind of policies has to say.
    """

    decision: Decision
    blocked_by: tuple[PolicyType, ...]
    decided_by: tuple[Reason, ...]
    layers: tuple[Layer, ...]

    @property
    def missing_levels(self) -> tuple[str, ...]:
        """
        The nodes whose control policies do not allow the request.
        """
        return tuple(target for layer in self.layers for target in layer.missing_levels)
