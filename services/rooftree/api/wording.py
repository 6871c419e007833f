"""
Decision changes in plain words.

The dashboard, the command line and the report for reviewers all speak through this module,
so one change reads the same wherever it is met. What comes in is the data of an audit event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

__all__ = [
    "blame_words",
    "cause_words",
    "change_words",
    "condition_words",
    "conditions_words",
    "headline",
    "organization_words",
    "set_words",
    "verdict_words",
    "witness_words",
]

VERDICTS: Final = {
    "tightened": "may do less than before",
    "loosened": "may do more than before",
    "mixed": "may do less in one place and more in another",
    "equivalent": "may do the same as before",
}

RELATIONS: Final = {
    "StringEquals": "is",
    "StringNotEquals": "is not",
    "StringEqualsIgnoreCase": "is (in any case)",
    "StringNotEqualsIgnoreCase": "is not (in any case)",
    "StringLike": "is like",
    "StringNotLike": "is not like",
    "NumericEquals": "equals",
    "NumericNotEquals": "does not equal",
    "NumericLessThan": "is less than",
    "NumericLessThanEquals": "is at most",
    "NumericGreaterThan": "is greater than",
    "NumericGreaterThanEquals": "is at least",
    "DateEquals": "is at",
    "DateNotEquals": "is not at",
    "DateLessThan": "is before",
    "DateLessThanEquals": "is not after",
    "DateGreaterThan": "is after",
    "DateGreaterThanEquals": "is not before",
    "Bool": "is",
    "BinaryEquals": "is",
    "IpAddress": "is within",
    "NotIpAddress": "is not within",
    "ArnEquals": "is like",
    "ArnLike": "is like",
    "ArnNotEquals": "is not like",
    "ArnNotLike": "is not like",
}

SHOWN: Final = 6
"""Longer lists are cut in words; the event itself holds all of them."""


def verdict_words(verdict: str) -> str:
    """
    Say what a verdict means for the account.
    """
    return VERDICTS.get(verdict, verdict)


def headline(data: Mapping[str, object]) -> str:
    """
    Say in one line what happened to an account.
    """
    name = data.get("account_name") or data.get("account_id")
    return f"{name} {verdict_words(str(data.get('verdict')))}"


def organization_words(event_type: str) -> str:
    """
    Say what an event about a whole organization means.
    """
    if event_type.startswith("rooftree.organization.incomplete"):
        return "Something is missing: a change could not be processed"
    if event_type.startswith("rooftree.organization.complete"):
        return "Nothing is missing any more"
    return event_type


def cause_words(data: Mapping[str, object]) -> str:
    """
    Say in one line what caused a change and by whose hand.
    """
    cause = _mapping(data.get("cause"))
    summary = cause.get("summary") or cause.get("event_type") or "an unknown change"
    actor = cause.get("actor")
    return f"{summary}, by {actor}" if actor else str(summary)


def change_words(change: Mapping[str, object]) -> str:
    """
    Say which requests are allowed or denied now that were not before.
    """
    direction = "now allowed" if change.get("direction") == "allowed" else "now denied"
    actions = set_words(change.get("actions"), everything="every action")
    resources = set_words(change.get("resources"), everything="")
    where = f" on {resources}" if resources else ""
    when = conditions_words(change.get("conditions"))
    exact = "" if change.get("exact", True) else " (not exactly: policy variables relate several keys)"
    return f"{direction}: {actions}{where}{f', when {when}' if when else ''}{exact}"


def witness_words(change: Mapping[str, object]) -> str:
    """
    Show one request of the change in one line.
    """
    witness = _mapping(change.get("witness"))
    context = _mapping(witness.get("context"))
    pairs = ", ".join(f"{key}={_value(value)}" for key, value in sorted(context.items()))
    resource = witness.get("resource")
    return f"{witness.get('action')} on {resource}{f' with {pairs}' if pairs else ''}"


def blame_words(change: Mapping[str, object], names: Mapping[str, str] | None = None) -> str:
    """
    Name the statements that decide now.

    Args:
        change: One entry of ``changes``.
        names: Names of policies and nodes by their ids; an id without one stands for itself.
    """
    known = names or {}
    statements = [_mapping(statement) for statement in _sequence(change.get("statements"))]
    parts = [
        f"{known.get(str(entry.get('policy_id')), entry.get('policy_id'))}"
        f"{_statement(entry.get('statement'))} on {known.get(str(entry.get('target_id')), entry.get('target_id'))}"
        for entry in statements
    ]
    return "; ".join(_cut(parts)) or "no statement: nothing allows it"


def conditions_words(conditions: object) -> str:
    """
    Say conditions that hold together.
    """
    return " and ".join(condition_words(_mapping(condition)) for condition in _sequence(conditions))


def condition_words(condition: Mapping[str, object]) -> str:
    """
    Say one condition, for example ``aws:RequestedRegion is neither eu-west-1 nor eu-central-1``.
    """
    key = str(condition.get("key"))
    operator = str(condition.get("operator"))
    values = [str(value) for value in _sequence(condition.get("values"))]
    quantifier, _, bare = operator.rpartition(":")
    base = bare.removesuffix("IfExists")
    if base == "Null":
        return f"{key} is absent" if [value.lower() for value in values] == ["true"] else f"{key} is present"
    relation = RELATIONS.get(base, base)
    negated = " not" in f" {relation}"
    joined = _joined(_cut(values), "nor" if negated else "or")
    said = f"{key} {relation} {joined}"
    if quantifier == "ForAllValues":
        said = f"every value of {said}"
    elif quantifier == "ForAnyValue":
        said = f"some value of {said}"
    return f"{said} (or absent)" if bare.endswith("IfExists") else said


def set_words(chosen: object, *, everything: str) -> str:
    """
    Say a set of patterns given as what it includes and what it leaves out.
    """
    parts = _mapping(chosen)
    included = [str(pattern) for pattern in _sequence(parts.get("any_of"))]
    excluded = [str(pattern) for pattern in _sequence(parts.get("none_of"))]
    base = everything if included in ([], ["*"]) else ", ".join(_cut(included))
    if not excluded:
        return base
    return f"{base or 'everything'} except {', '.join(_cut(excluded))}"


def _statement(label: object) -> str:
    return f" ({label})" if label else ""


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(str(part) for part in value) + "]"
    return str(value)


def _joined(values: Sequence[str], word: str) -> str:
    return f" {word} ".join(values)


def _cut(values: Iterable[str]) -> list[str]:
    listed = list(values)
    return listed if len(listed) <= SHOWN else [*listed[: SHOWN - 1], f"{len(listed) - SHOWN + 1} more"]


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()
