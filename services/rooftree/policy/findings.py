"""
What lint can find: every rule with its code, in one table.

Codes are stable. RT1..: AWS refuses the policy, or a part of it can have no effect. RT2..: it likely means something
else than it seems to. RT3..: worth knowing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

__all__ = ["Finding", "Rule", "Severity"]


class Severity(StrEnum):
    """
    How much a finding matters.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing found in a policy.

    Attributes:
        code: The rule, for example ``RT203``.
        place: Where in the policy, for example ``Statement[2].Action[0]``; empty for the whole of it.
        message: What it means, in one line.
    """

    severity: Severity
    code: str
    place: str
    message: str


class Rule(Enum):
    """
    The rules: code, severity, and what was found where one applies.
    """

    UNREADABLE = ("RT101", Severity.ERROR, "the policy cannot be read")
    TOO_LONG = ("RT102", Severity.ERROR, "the policy is longer than AWS takes")
    SID_TWICE = ("RT103", Severity.ERROR, "two statements have the same Sid")
    NO_ACTION = ("RT104", Severity.ERROR, "an action has not the form `service:Name`")
    UNREADABLE_VALUE = ("RT105", Severity.ERROR, "a value cannot be read as what its operator compares")
    KEY_TWICE = ("RT106", Severity.ERROR, "one condition key stands twice under one operator")

    TOO_LONG_WITH_SPACE = ("RT201", Severity.WARNING, "the policy is longer than AWS takes, with its white space")
    FOREIGN_CHARACTER = ("RT202", Severity.WARNING, "a character that policies may not hold")
    DENY_EVERYTHING = ("RT203", Severity.WARNING, "a statement denies everything")
    LEAKING_ALLOW = ("RT204", Severity.WARNING, "an Allow is narrowed, which another Allow undoes")
    ALLOW_NOT_ACTION = ("RT205", Severity.WARNING, "an Allow names what it leaves out")
    PLAIN_WILDCARD = ("RT206", Severity.WARNING, "a wildcard stands where it is a plain character")
    FOR_ALL_OF_NOTHING = ("RT207", Severity.WARNING, "ForAllValues holds for requests without the key")
    IF_EXISTS_ALLOWS = ("RT208", Severity.WARNING, "an Allow applies to requests without the key")
    NO_ARN = ("RT209", Severity.WARNING, "a resource is no whole ARN")
    NO_SET_PREFIX = ("RT210", Severity.WARNING, "a key of several values is compared without a set prefix")
    IDLE_SET_PREFIX = ("RT211", Severity.WARNING, "a key of one value is compared with a set prefix")
    IDLE_VARIABLE = ("RT212", Severity.WARNING, "a variable stands where none is filled in")
    STATEMENT_TWICE = ("RT213", Severity.WARNING, "two statements say the same")
    UNKNOWN_VARIABLE = ("RT214", Severity.WARNING, "a variable that no request has a value for")

    OPERATOR_SPELLING = ("RT301", Severity.NOTE, "an operator is spelled in another way than AWS spells it")
    EMPTY_LIST = ("RT302", Severity.NOTE, "an empty list matches nothing")
    OLD_LANGUAGE = ("RT303", Severity.NOTE, "the policy is in the language of 2008")
    ABSENT_KEY_DENIED = ("RT304", Severity.NOTE, "a Deny hits requests without the key")
    ABSENT_KEY_PASSES = ("RT305", Severity.NOTE, "a Deny does not hit requests without the key")
    IDLE_IF_EXISTS = ("RT306", Severity.NOTE, "IfExists changes nothing")

    def __init__(self, code: str, severity: Severity, title: str) -> None:
        self.code = code
        self.severity = severity
        self.title = title

    def at(self, place: str, message: str) -> Finding:
        """
        Return what this rule found at a place.
        """
        return Finding(self.severity, self.code, place, message)
