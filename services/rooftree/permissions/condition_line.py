"""
One operator on one key with its values, as AWS writes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rooftree.permissions.glob import Atom, Spelling
from rooftree.permissions.interval import Interval
from rooftree.permissions.predicate import PrincipalTerm, Term

__all__ = ["OPERATORS", "ConditionLine", "by_operator", "if_exists", "line_of"]


@dataclass(frozen=True, slots=True)
class ConditionLine:
    """
    One operator on one key with its values, in AWS's spelling.
    """

    operator: str
    key: str
    values: tuple[str, ...]


OPERATORS: Final = {
    Spelling.LITERAL: ("StringEquals", "StringNotEquals"),
    Spelling.GLOB: ("StringLike", "StringNotLike"),
    Spelling.IGNORE_CASE: ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    Spelling.ARN: ("ArnLike", "ArnNotLike"),
}
"""For each spelling of a pattern, the operator that says it, and the one that says it does not match."""


def if_exists(line: ConditionLine, *, when: int) -> ConditionLine:
    """
    Return a condition that also holds for a request without the key, *when* that is meant.
    """
    return ConditionLine(f"{line.operator}IfExists", line.key, line.values) if when else line


def by_operator(terms: Sequence[Term]) -> list[list[Term]]:
    """
    Part terms by the operator that says them; literals join the patterns, where there are any.
    """
    groups: dict[str, list[Term]] = {}
    for term in terms:
        groups.setdefault(_operators(term)[0], []).append(term)
    if "StringLike" in groups and "StringEquals" in groups:
        groups["StringLike"] += groups.pop("StringEquals")
    return list(groups.values())


def _operators(term: Term) -> tuple[str, str]:
    if isinstance(term, Interval):
        return ("IpAddress", "NotIpAddress")
    return OPERATORS[term.spelling]


def line_of(terms: Sequence[Term], key: str, *, negated: bool, prefix: str = "") -> ConditionLine:
    """
    Return the condition that one of some terms matches, or none; patterns take over where operators mix.
    """
    names = {_operators(term)[negated] for term in terms}
    operator = max(names) if len(names) == 1 else ("StringNotLike" if negated else "StringLike")
    mixed = len(names) > 1
    values = tuple(sorted(_escaped(term) if mixed and _is_literal(term) else term.text for term in terms))
    return ConditionLine(f"{prefix}{operator}", key, values)


def _is_literal(term: Term) -> bool:
    return isinstance(term, Atom | PrincipalTerm) and term.spelling is Spelling.LITERAL


def _escaped(term: Term) -> str:
    """
    Write a literal so that an operator with wildcards takes it as it is.
    """
    return _WILDCARD.sub(lambda found: found[0] if len(found[0]) > 1 else f"${{{found[0]}}}", term.text)


_WILDCARD: Final = re.compile(r"\$\{[*?$]\}|[*?]")
"""A wildcard, escaped already or not."""
