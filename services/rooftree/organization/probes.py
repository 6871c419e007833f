"""
Decisions that an admin asked the service to watch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

__all__ = ["UNKNOWN", "Expectation", "Finding", "Probe"]

UNKNOWN: Final = "unknown"


class Expectation(StrEnum):
    """
    The decision that is expected of a probe, whichever kind of deny.
    """

    ALLOW = "allow"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Probe:
    """
    A named request with the decision that is expected of it.

    Attributes:
        principal: Who asks, as requests name it.
        context: The condition keys that are given, with their values.
    """

    name: str
    principal: str
    action: str
    resource: str
    context: tuple[tuple[str, tuple[str, ...]], ...]
    expect: str

    def to_json(self) -> dict[str, object]:
        """
        Return the probe as its event and its audit event have it.
        """
        return {
            "name": self.name,
            "principal": self.principal,
            "action": self.action,
            "resource": self.resource,
            "context": {key: values[0] if len(values) == 1 else list(values) for key, values in self.context},
            "expect": self.expect,
        }

    def to_text(self) -> str:
        """
        Return all but the name, as the value of a register.
        """
        told = {name: value for name, value in self.to_json().items() if name != "name"}
        return json.dumps(told, sort_keys=True, separators=(",", ":"))

    @classmethod
    def of_text(cls, name: str, text: str) -> Probe:
        """
        Return the probe that a register holds.
        """
        return cls.of_json(name, json.loads(text))

    @classmethod
    def of_json(cls, name: str, told: Mapping[str, Any]) -> Probe:
        """
        Return the probe that is described by all but its name.
        """
        context = sorted((key, _values(value)) for key, value in told["context"].items())
        return cls(name, told["principal"], told["action"], told["resource"], tuple(context), told["expect"])


@dataclass(frozen=True, slots=True)
class Finding:
    """
    What a probe comes to.

    Attributes:
        decision: ``allow``, ``implicit_deny``, ``explicit_deny``, or ``unknown`` where it hangs on what the view does
            not know.
        blocked_by: The kinds of policies that deny, or that would have to allow and do not.
        decided_by: The statements that deny, or that an allowed request rests on, good as JSON.
        missing: What is not known, where that leaves the decision open.
    """

    decision: str
    blocked_by: tuple[str, ...] = ()
    decided_by: tuple[dict[str, object], ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """
        ``allow``, ``deny`` or ``unknown``.
        """
        return self.decision if self.decision in (Expectation.ALLOW, UNKNOWN) else "deny"


def _values(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
