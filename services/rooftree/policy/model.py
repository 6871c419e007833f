"""
The IAM policy language as values.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "CURRENT_VERSION",
    "Condition",
    "ConditionOperator",
    "Effect",
    "PolicyDocument",
    "PrincipalPattern",
    "Quantifier",
    "Statement",
]

CURRENT_VERSION = "2012-10-17"


class Effect(StrEnum):
    """
    What a matching statement does.
    """

    ALLOW = "Allow"
    DENY = "Deny"


class Quantifier(StrEnum):
    """
    The set prefix of a condition operator.
    """

    FOR_ALL_VALUES = "ForAllValues"
    FOR_ANY_VALUE = "ForAnyValue"


@dataclass(frozen=True, slots=True)
class ConditionOperator:
    """
    A condition operator taken apart.

    Attributes:
        base: The bare operator in AWS's spelling, for example ``StringNotLike``.
        quantifier: The set prefix, if any.
        if_exists: Whether ``IfExists`` follows.
    """

    base: str
    quantifier: Quantifier | None = None
    if_exists: bool = False

    def __str__(self) -> str:
        prefix = f"{self.quantifier}:" if self.quantifier else ""
        return f"{prefix}{self.base}{'IfExists' if self.if_exists else ''}"


@dataclass(frozen=True, slots=True)
class Condition:
    """
    One operator on one key, with the values that it compares.

    Attributes:
        operator: The operator.
        key: The key as written; keys compare without regard to case.
        values: The values as text, in the order written.
    """

    operator: ConditionOperator
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PrincipalPattern:
    """
    One entry of a Principal or NotPrincipal element.

    Attributes:
        kind: ``AWS``, ``Federated``, ``Service``, ``CanonicalUser`` or ``*`` for everybody.
        value: The identifier as written; ``*`` for everybody.
    """

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Statement:
    """
    One statement.

    Exactly one of *actions* and *not_actions* is set; at most one of *resources* and *not_resources*,
    and of *principals* and *not_principals*.

    Attributes:
        index: The position in the document, from 0.
        sid: The statement id, if any.
    """

    index: int
    effect: Effect
    sid: str | None = None
    actions: tuple[str, ...] | None = None
    not_actions: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    not_resources: tuple[str, ...] | None = None
    principals: tuple[PrincipalPattern, ...] | None = None
    not_principals: tuple[PrincipalPattern, ...] | None = None
    conditions: tuple[Condition, ...] = ()

    @property
    def label(self) -> str:
        """
        How people refer to this statement: its Sid, or else its position.
        """
        return self.sid or f"#{self.index}"


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """
    A whole policy.

    Attributes:
        version: ``2012-10-17`` or ``2008-10-17``; a missing Version means the latter.
        digest: SHA-256 (hex) of the canonical JSON text: equal for texts that differ in white space,
            order of keys and one-element lists alone.
    """

    version: str
    statements: tuple[Statement, ...]
    digest: str
    id: str | None = None

    def __hash__(self) -> int:
        # equal documents have equal digests, and documents are looked up for every account
        return hash(self.digest)

    @property
    def has_variables(self) -> bool:
        """
        Whether ``${...}`` stands for a variable in this document; before 2012 it was plain text.
        """
        return self.version == CURRENT_VERSION
