"""
Whether a condition holds for a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import eq, ge, gt, le, lt
from typing import Any, Final

from rooftree.policy.context import Context
from rooftree.policy.model import Condition, ConditionOperator, Quantifier
from rooftree.policy.operators import Family, OperatorMeaning, Relation, meaning_of
from rooftree.policy.patterns import arn_matches, compile_glob
from rooftree.policy.values import (
    parse_address,
    parse_binary,
    parse_boolean,
    parse_date,
    parse_network,
    parse_number,
)
from rooftree.policy.variables import Piece, parse_template, resolve_template

__all__ = ["condition_holds", "holds_without_key"]


def condition_holds(condition: Condition, context: Context, *, variables: bool) -> bool:
    """
    Tell whether a condition holds for a request.

    Without a set prefix on a key of several values, which AWS leaves open, a positive operator holds if any value
    matches and a negated one if none does.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    """
    operator, meaning = condition.operator, meaning_of(condition.operator)
    values = context.get(condition.key)
    if meaning.family is Family.NULL:
        # `true` asks for a key that is absent, `false` for one that is there
        return any(parse_boolean(wanted) is (values is None) for wanted in condition.values)
    if values is None:
        return holds_without_key(operator)
    matched = [_matches_any(meaning, condition.values, value, context, variables=variables) for value in values]
    match operator.quantifier:
        case Quantifier.FOR_ALL_VALUES:
            # a single empty text counts as an empty set
            return values == ("",) or all(one != meaning.negated for one in matched)
        case Quantifier.FOR_ANY_VALUE:
            return any(one != meaning.negated for one in matched)
        case None:
            return any(matched) != meaning.negated


def holds_without_key(operator: ConditionOperator) -> bool:
    """
    Tell whether an operator other than Null holds for a request that lacks the key.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    if operator.if_exists or operator.quantifier is Quantifier.FOR_ALL_VALUES:
        return True
    return operator.quantifier is None and meaning_of(operator).negated


def _matches_any(
    meaning: OperatorMeaning, wanted: tuple[str, ...], value: str, context: Context, *, variables: bool
) -> bool:
    if meaning.takes_variables:
        matches = _TEXT_RELATIONS[meaning.family, meaning.relation]
        patterns = (resolve_template(parse_template(text, variables=variables), context) for text in wanted)
        # a pattern whose variable has no value stands for nothing, so that a negated operator holds
        return any(pattern is not None and matches(pattern, value) for pattern in patterns)
    related = _VALUE_RELATIONS[meaning.family]
    return any(related(meaning.relation, text, value) for text in wanted)


def _text(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece.text for piece in pieces)


_TEXT_RELATIONS: Final[dict[tuple[Family, Relation], Callable[[tuple[Piece, ...], str], bool]]] = {
    (Family.STRING, Relation.EQUALS): lambda pieces, value: _text(pieces) == value,
    (Family.STRING, Relation.EQUALS_IGNORE_CASE): lambda pieces, value: _text(pieces).lower() == value.lower(),
    (Family.STRING, Relation.LIKE): lambda pieces, value: compile_glob(pieces).matches(value),
    (Family.ARN, Relation.LIKE): arn_matches,
}

_COMPARISONS: Final[dict[Relation, Callable[[Any, Any], bool]]] = {
    Relation.EQUALS: eq,
    Relation.LESS_THAN: lt,
    Relation.LESS_THAN_EQUALS: le,
    Relation.GREATER_THAN: gt,
    Relation.GREATER_THAN_EQUALS: ge,
}


def _compares(parse: Callable[[str], object], relation: Relation, wanted: str, value: str) -> bool:
    """
    Tell whether the request's value stands in *relation* to the policy's, both read by *parse*.
    """
    left, right = parse(value), parse(wanted)
    return left is not None and right is not None and _COMPARISONS[relation](left, right)


def _contained(_relation: Relation, wanted: str, value: str) -> bool:
    address, network = parse_address(value), parse_network(wanted)
    return address is not None and network is not None and address in network


_VALUE_RELATIONS: Final[dict[Family, Callable[[Relation, str, str], bool]]] = {
    Family.NUMERIC: partial(_compares, parse_number),
    Family.DATE: partial(_compares, parse_date),
    Family.BOOL: partial(_compares, parse_boolean),
    Family.BINARY: partial(_compares, parse_binary),
    Family.IP: _contained,
}
