"""
What a change says as it stands in an audit event, read like a statement of a policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.generators.questions import DETERMINED

from rooftree.policy import reference
from rooftree.policy.context import Context
from rooftree.policy.request import Request

__all__ = ["covers", "witness_request"]

Json = dict[str, Any]


def covers(change: Json, request: Request) -> bool:
    """
    Tell whether a change, as printed, speaks of a request.
    """
    return (
        _fits("Action", change["actions"], request)
        and _fits("Resource", change["resources"], request)
        and all(_applies(request, Condition=_condition(line)) for line in change["conditions"])
    )


def witness_request(change: Json) -> Request:
    """
    Return the witness of a change as the request that it stands for.
    """
    witness = change["witness"]
    return Request(witness["action"], witness["resource"], Context.from_json({**DETERMINED, **witness["context"]}))


def _fits(element: str, pattern: Json, request: Request) -> bool:
    def matches(patterns: Sequence[str]) -> bool:
        return _applies(request, **{element: list(patterns)})

    return (
        matches(pattern["any_of"])
        and not matches(pattern["none_of"])
        and all(matches([one]) for one in pattern.get("all_of", []))
    )


def _applies(request: Request, **elements: object) -> bool:
    return reference.applies({"Action": "*", "Resource": "*", **elements}, request, variables=True)


def _condition(line: Json) -> Json:
    return {line["operator"]: {line["key"]: line["values"]}}
