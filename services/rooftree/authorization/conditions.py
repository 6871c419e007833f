"""
Conditions compiled for many requests: the same as `rooftree.policy.conditions` says of each, sooner.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import eq, ge, gt, le, lt
from typing import Any, Final

from rooftree.authorization.patterns import Entries, TextTest, arn_test, equality_test, pattern_test
from rooftree.policy.conditions import holds_without_key
from rooftree.policy.model import Condition, Quantifier
from rooftree.policy.operators import Family, OperatorMeaning, Relation, meaning_of
from rooftree.policy.values import (
    parse_address,
    parse_binary,
    parse_boolean,
    parse_date,
    parse_network,
    parse_number,
)
from rooftree.policy.variables import parse_template

__all__ = ["ConditionTest", "condition_test"]

ConditionTest = Callable[[Entries], bool]


def condition_test(condition: Condition, *, variables: bool) -> ConditionTest:
    """
    Return a test of whether a condition holds for the condition keys of a request, in lower case.
    """
    key, operator = condition.key.lower(), condition.operator
    meaning = meaning_of(operator)
    if meaning.family is Family.NULL:
        wanted = {parse_boolean(text) for text in condition.values}
        return lambda entries: (key not in entries) in wanted
    matches = _value_test(meaning, condition.values, variables=variables)
    absent, negated = holds_without_key(operator), meaning.negated
    match operator.quantifier:
        case Quantifier.FOR_ALL_VALUES:
            return _for_all(key, matches, negated=negated)
        case Quantifier.FOR_ANY_VALUE:
            return _for_any(key, matches, absent=absent, negated=negated)
        case None:
            return _plain(key, matches, absent=absent, negated=negated)


def _plain(key: str, matches: TextTest, *, absent: bool, negated: bool) -> ConditionTest:
    def test(entries: Entries) -> bool:
        values = entries.get(key)
        if values is None:
            return absent
        if len(values) == 1:
            return matches(values[0], entries) is not negated
        return any(matches(value, entries) for value in values) is not negated

    return test


def _for_all(key: str, matches: TextTest, *, negated: bool) -> ConditionTest:
    def test(entries: Entries) -> bool:
        values = entries.get(key)
        # a single empty text counts as an empty set
        return values is None or values == ("",) or all(matches(value, entries) is not negated for value in values)

    return test


def _for_any(key: str, matches: TextTest, *, absent: bool, negated: bool) -> ConditionTest:
    def test(entries: Entries) -> bool:
        values = entries.get(key)
        if values is None:
            return absent
        return any(matches(value, entries) is not negated for value in values)

    return test


def _value_test(meaning: OperatorMeaning, wanted: tuple[str, ...], *, variables: bool) -> TextTest:
    """
    Return a test of whether a value of the request stands in the operator's relation to any value of the policy.
    """
    if not meaning.takes_variables:
        return _read_value_test(meaning, wanted)
    templates = [parse_template(text, variables=variables) for text in wanted]
    if meaning.family is Family.ARN:
        return arn_test(templates) or _always
    if meaning.relation is Relation.LIKE:
        return pattern_test(templates) or _always
    return equality_test(templates, ignore_case=meaning.relation is Relation.EQUALS_IGNORE_CASE)


def _always(_value: str, _entries: Entries) -> bool:
    return True


_PARSERS: Final[dict[Family, Callable[[str], Any]]] = {
    Family.NUMERIC: parse_number,
    Family.DATE: parse_date,
    Family.BOOL: parse_boolean,
    Family.BINARY: parse_binary,
}

_COMPARISONS: Final[dict[Relation, Callable[[Any, Any], bool]]] = {
    Relation.EQUALS: eq,
    Relation.LESS_THAN: lt,
    Relation.LESS_THAN_EQUALS: le,
    Relation.GREATER_THAN: gt,
    Relation.GREATER_THAN_EQUALS: ge,
}


def _read_value_test(meaning: OperatorMeaning, wanted: tuple[str, ...]) -> TextTest:
    """
    Return a test of an operator that reads its values; what cannot be read matches nothing.
    """
    if meaning.family is Family.IP:
        networks = [network for text in wanted if (network := parse_network(text)) is not None]

        def contains(value: str, _entries: Entries) -> bool:
            address = parse_address(value)
            return address is not None and any(address in network for network in networks)

        return contains
    parse, compares = _PARSERS[meaning.family], _COMPARISONS[meaning.relation]
    bounds = [bound for text in wanted if (bound := parse(text)) is not None]

    def relates(value: str, _entries: Entries) -> bool:
        found = parse(value)
        return found is not None and any(compares(found, bound) for bound in bounds)

    return relates
