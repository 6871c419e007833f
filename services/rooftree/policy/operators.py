"""
The condition operators, by name.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from rooftree.errors import PolicyError
from rooftree.policy.model import ConditionOperator, Quantifier
from rooftree.policy.wording import quote

__all__ = ["OPERATORS", "Family", "OperatorMeaning", "Relation", "meaning_of", "parse_operator"]


class Family(StrEnum):
    """
    What an operator takes its values for.
    """

    STRING = "String"
    NUMERIC = "Numeric"
    DATE = "Date"
    BOOL = "Bool"
    BINARY = "Binary"
    IP = "Ip"
    ARN = "Arn"
    NULL = "Null"


class Relation(StrEnum):
    """
    How the value of a request stands to the value of a policy, before any negation.
    """

    EQUALS = "Equals"
    EQUALS_IGNORE_CASE = "EqualsIgnoreCase"
    LIKE = "Like"
    LESS_THAN = "LessThan"
    LESS_THAN_EQUALS = "LessThanEquals"
    GREATER_THAN = "GreaterThan"
    GREATER_THAN_EQUALS = "GreaterThanEquals"
    CONTAINED = "Contained"


@dataclass(frozen=True, slots=True)
class OperatorMeaning:
    """
    A bare operator taken apart.

    Attributes:
        negated: Whether it holds where none of the policy's values stands in the relation.
    """

    family: Family
    relation: Relation
    negated: bool = False

    @property
    def takes_variables(self) -> bool:
        """
        Whether ``${...}`` in its values stands for a variable.

        For Bool the operators page says yes and the page on variables no; the latter is followed.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
        """
        return self.family in (Family.STRING, Family.ARN)


_ORDER: Final = {
    "Equals": OperatorMeaning(Family.NUMERIC, Relation.EQUALS),
    "NotEquals": OperatorMeaning(Family.NUMERIC, Relation.EQUALS, negated=True),
    "LessThan": OperatorMeaning(Family.NUMERIC, Relation.LESS_THAN),
    "LessThanEquals": OperatorMeaning(Family.NUMERIC, Relation.LESS_THAN_EQUALS),
    "GreaterThan": OperatorMeaning(Family.NUMERIC, Relation.GREATER_THAN),
    "GreaterThanEquals": OperatorMeaning(Family.NUMERIC, Relation.GREATER_THAN_EQUALS),
}

OPERATORS: Final = {
    "StringEquals": OperatorMeaning(Family.STRING, Relation.EQUALS),
    "StringNotEquals": OperatorMeaning(Family.STRING, Relation.EQUALS, negated=True),
    "StringEqualsIgnoreCase": OperatorMeaning(Family.STRING, Relation.EQUALS_IGNORE_CASE),
    "StringNotEqualsIgnoreCase": OperatorMeaning(Family.STRING, Relation.EQUALS_IGNORE_CASE, negated=True),
    "StringLike": OperatorMeaning(Family.STRING, Relation.LIKE),
    "StringNotLike": OperatorMeaning(Family.STRING, Relation.LIKE, negated=True),
    **{f"Numeric{name}": meaning for name, meaning in _ORDER.items()},
    **{f"Date{name}": OperatorMeaning(Family.DATE, found.relation, found.negated) for name, found in _ORDER.items()},
    "Bool": OperatorMeaning(Family.BOOL, Relation.EQUALS),
    "BinaryEquals": OperatorMeaning(Family.BINARY, Relation.EQUALS),
    "IpAddress": OperatorMeaning(Family.IP, Relation.CONTAINED),
    "NotIpAddress": OperatorMeaning(Family.IP, Relation.CONTAINED, negated=True),
    # the two positive ones mean the same, and so do the two negated ones
    "ArnEquals": OperatorMeaning(Family.ARN, Relation.LIKE),
    "ArnLike": OperatorMeaning(Family.ARN, Relation.LIKE),
    "ArnNotEquals": OperatorMeaning(Family.ARN, Relation.LIKE, negated=True),
    "ArnNotLike": OperatorMeaning(Family.ARN, Relation.LIKE, negated=True),
    "Null": OperatorMeaning(Family.NULL, Relation.EQUALS),
}
"""Every bare operator in AWS's spelling."""

_BY_LOWER: Final = {name.lower(): name for name in OPERATORS}
_QUANTIFIERS: Final = {quantifier.lower(): quantifier for quantifier in Quantifier}
_IF_EXISTS: Final = "ifexists"


def meaning_of(operator: ConditionOperator) -> OperatorMeaning:
    """
    Return what the bare part of an operator means.
    """
    return OPERATORS[operator.base]


@lru_cache(maxsize=1024)
def parse_operator(text: str) -> ConditionOperator:
    """
    Read an operator with its set prefix and its suffix.

    Whether AWS minds the case of operator names is not documented; any case is read, and lint says so.

    Raises:
        PolicyError: There is no such operator.
    """
    prefix, colon, rest = text.lower().rpartition(":")
    quantifier = _QUANTIFIERS.get(prefix)
    if_exists = rest.endswith(_IF_EXISTS)
    base = _BY_LOWER.get(rest.removesuffix(_IF_EXISTS))
    if base is None or (colon and quantifier is None):
        raise PolicyError(f"expected a condition operator, found {quote(text)}")
    if base == "Null" and (quantifier or if_exists):
        raise PolicyError(f"`Null` takes neither a set prefix nor `IfExists`, found {quote(text)}")
    return ConditionOperator(base, quantifier, if_exists)
