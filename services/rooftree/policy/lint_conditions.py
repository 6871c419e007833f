"""
What lint looks for in the conditions of a statement.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from rooftree.policy.conditions import holds_without_key
from rooftree.policy.findings import Finding, Rule
from rooftree.policy.keys import MULTIVALUED, SINGLE_VALUED, may_lack
from rooftree.policy.kinds import PolicyKind
from rooftree.policy.lint_statements import Subject
from rooftree.policy.model import ConditionOperator, Effect, Quantifier, Statement
from rooftree.policy.operators import Family, OperatorMeaning, Relation, meaning_of, parse_operator
from rooftree.policy.patterns import ARN_FIELDS
from rooftree.policy.values import parse_binary, parse_boolean, parse_date, parse_network, parse_number
from rooftree.policy.variables import placeholders, without_variables
from rooftree.policy.wording import in_place, item_place, quote

__all__ = ["lint_conditions"]

_READERS: Final[dict[Family, tuple[Callable[[str], object], str]]] = {
    Family.NUMERIC: (parse_number, "a number"),
    Family.DATE: (parse_date, "a date or seconds since 1970"),
    Family.BOOL: (parse_boolean, "`true` or `false`"),
    Family.NULL: (parse_boolean, "`true` or `false`"),
    Family.BINARY: (parse_binary, "base64"),
    Family.IP: (parse_network, "an address range in CIDR notation"),
    Family.ARN: (lambda text: text == "*" or text.count(":") >= ARN_FIELDS - 1 or None, "an ARN of six fields"),
}


@dataclass(frozen=True, slots=True)
class _Test:
    """
    One operator on one key, with its place and the values as JSON holds them.
    """

    place: str
    operator: ConditionOperator
    key: str
    values: Any
    statement: Statement
    variables: bool
    may_lack: bool

    @property
    def meaning(self) -> OperatorMeaning:
        return meaning_of(self.operator)

    def asks_presence(self, answer: str) -> bool:
        """
        Whether the statement asks elsewhere, by Null, for the key to be absent or present.
        """
        return any(
            one.operator.base == "Null" and one.key.lower() == self.key.lower() and one.values == (answer,)
            for one in self.statement.conditions
        )


def lint_conditions(subject: Subject) -> Iterator[Finding]:
    """
    Yield what is found in the conditions of a statement.
    """
    block: Any = subject.raw.get("Condition", {})
    for name, keys in block.items():
        operator, place = parse_operator(name), f"{subject.place}.Condition.{in_place(name)}"
        if name != str(operator):
            yield Rule.OPERATOR_SPELLING.at(place, f"AWS writes `{operator}`")
        spellings: dict[str, str] = {}
        for key, values in keys.items():
            inner = f"{place}.{in_place(key)}"
            if spellings.setdefault(key.lower(), key) != key:
                yield Rule.KEY_TWICE.at(inner, f"the same key as {quote(spellings[key.lower()])}, in another case")
            lacking = may_lack(key, member=subject.kind is PolicyKind.SERVICE_CONTROL)
            test = _Test(inner, operator, key, values, subject.statement, subject.variables, lacking)
            for rule in (_lint_values, _lint_set_prefix, _lint_if_exists, _lint_absence):
                yield from rule(test)


def _lint_values(test: _Test) -> Iterator[Finding]:
    if test.values == []:
        yield Rule.EMPTY_LIST.at(test.place, "without values, nothing matches")
    for index, value in enumerate(test.values if isinstance(test.values, list) else [test.values]):
        text = value if isinstance(value, str) else json.dumps(value)
        yield from _lint_value(test, item_place(test.place, index, test.values), text)


def _lint_value(test: _Test, place: str, text: str) -> Iterator[Finding]:
    meaning, plain = test.meaning, without_variables(text)
    if plain != text and not (test.variables and meaning.takes_variables):
        where = f"under `{test.operator}`" if test.variables else "in the language of 2008"
        yield Rule.IDLE_VARIABLE.at(place, f"`${{...}}` is plain text {where}")
    elif test.variables and meaning.takes_variables:
        for name in placeholders(text):
            yield Rule.UNKNOWN_VARIABLE.at(place, f"no request has a key `{name}`, so this matches nothing")
    reader, expected = _READERS.get(meaning.family, (None, ""))
    # what a variable brings along may complete an ARN
    if reader is not None and reader(text) is None and not (meaning.takes_variables and plain != text):
        yield Rule.UNREADABLE_VALUE.at(place, f"expected {expected}, found {quote(text)}, which matches nothing")
    if meaning.family is Family.STRING and meaning.relation is not Relation.LIKE and ("*" in plain or "?" in plain):
        like = "StringNotLike" if meaning.negated else "StringLike"
        yield Rule.PLAIN_WILDCARD.at(place, f"{quote(text)} is compared as it is; `{like}` reads wildcards")


def _lint_set_prefix(test: _Test) -> Iterator[Finding]:
    key, quantifier = test.key.lower(), test.operator.quantifier
    if quantifier is None and key in MULTIVALUED and test.meaning.family is not Family.NULL:
        message = f"`{test.key}` holds several values; say `ForAllValues` or `ForAnyValue`"
        yield Rule.NO_SET_PREFIX.at(test.place, message)
    if quantifier is not None and key in SINGLE_VALUED:
        yield Rule.IDLE_SET_PREFIX.at(test.place, f"`{test.key}` holds one value; `{quantifier}` is for several")


def _lint_if_exists(test: _Test) -> Iterator[Finding]:
    if not test.operator.if_exists:
        return
    if holds_without_key(replace(test.operator, if_exists=False)):
        yield Rule.IDLE_IF_EXISTS.at(test.place, "holds for requests without the key even without `IfExists`")
    elif test.statement.effect is Effect.ALLOW and test.may_lack and not test.asks_presence("false"):
        yield Rule.IF_EXISTS_ALLOWS.at(test.place, f"allows requests without {quote(test.key)}")


def _lint_absence(test: _Test) -> Iterator[Finding]:
    """
    Say what becomes of requests without the key, where it is easily overlooked.
    """
    if test.meaning.family is Family.NULL or not test.may_lack:
        return
    denies, quantifier = test.statement.effect is Effect.DENY, test.operator.quantifier
    if quantifier is Quantifier.FOR_ALL_VALUES and not test.asks_presence("false"):
        message = f"{'denies' if denies else 'allows'} requests without {quote(test.key)} too; ask with `Null` for it"
        yield Rule.FOR_ALL_OF_NOTHING.at(test.place, message)
    if quantifier is None and denies and test.meaning.negated and not test.asks_presence("false"):
        yield Rule.ABSENT_KEY_DENIED.at(test.place, f"denies requests without {quote(test.key)} too")
    if quantifier is Quantifier.FOR_ANY_VALUE and denies and not test.operator.if_exists:
        yield Rule.ABSENT_KEY_PASSES.at(test.place, f"does not deny requests without {quote(test.key)}")
