"""
The decision of one request: short and plain, since what the algebra finds is held against it.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from rooftree.policy.chain import Chain, Level
from rooftree.policy.conditions import condition_holds
from rooftree.policy.model import Effect, Statement
from rooftree.policy.patterns import action_matches, compile_glob, complete_arn
from rooftree.policy.request import Request
from rooftree.policy.variables import parse_template, resolve_template

__all__ = ["ChainDecision", "DecidedBy", "Decision", "decide_chain", "statement_matches"]


class Decision(StrEnum):
    """
    The answer to a request.
    """

    ALLOW = "allow"
    IMPLICIT_DENY = "implicit_deny"
    EXPLICIT_DENY = "explicit_deny"


@dataclass(frozen=True, slots=True)
class DecidedBy:
    """
    A statement that decided, with where it stands.
    """

    target_id: str
    policy_id: str
    policy_name: str
    statement: Statement


@dataclass(frozen=True, slots=True)
class ChainDecision:
    """
    The answer of a chain, with its reasons.

    Attributes:
        decided_by: Every statement that denies, or else, if the request is allowed, every one that allows; nothing
            for an implicit deny, which is the lack of a statement.
        missing_levels: The levels without a matching Allow, from the root on.
    """

    decision: Decision
    decided_by: tuple[DecidedBy, ...]
    missing_levels: tuple[str, ...]


def decide_chain(chain: Chain, request: Request) -> ChainDecision:
    """
    Decide a request: denied if any statement on the chain denies it, else allowed if each level allows it.
    """
    levels = chain.levels or ()
    denials = tuple(found for level in levels for found in _matching(level, Effect.DENY, request))
    grants = [tuple(_matching(level, Effect.ALLOW, request)) for level in levels]
    missing = tuple(level.target_id for level, found in zip(levels, grants, strict=True) if not found)
    if denials:
        return ChainDecision(Decision.EXPLICIT_DENY, denials, missing)
    if missing:
        return ChainDecision(Decision.IMPLICIT_DENY, (), missing)
    return ChainDecision(Decision.ALLOW, tuple(found for granted in grants for found in granted), ())


def _matching(level: Level, effect: Effect, request: Request) -> Iterator[DecidedBy]:
    for policy in level.policies:
        for statement in policy.document.statements:
            if statement.effect is effect and statement_matches(
                statement, request, variables=policy.document.has_variables
            ):
                yield DecidedBy(level.target_id, policy.policy_id, policy.name, statement)


def statement_matches(statement: Statement, request: Request, *, variables: bool) -> bool:
    """
    Tell whether a statement speaks of a request: its action, its resource and all of its conditions.

    Principals are not looked at: a service control policy has none. *variables* says whether ``${...}`` stands for a
    variable in the document of the statement.
    """
    return (
        _action_covered(statement, request)
        and _resource_covered(statement, request, variables=variables)
        and all(condition_holds(condition, request.context, variables=variables) for condition in statement.conditions)
    )


def _action_covered(statement: Statement, request: Request) -> bool:
    """
    Tell whether Action names the action, or NotAction does not.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html
    """
    if statement.not_actions is not None:
        return not any(action_matches(pattern, request.action) for pattern in statement.not_actions)
    return any(action_matches(pattern, request.action) for pattern in statement.actions or ())


def _resource_covered(statement: Statement, request: Request, *, variables: bool) -> bool:
    """
    Tell whether Resource names the resource, or NotResource does not.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notresource.html
    """
    if statement.not_resources is not None:
        return not _names_resource(statement.not_resources, request, variables=variables)
    # a statement that names none, such as one of a trust policy, is about the resource that it hangs on
    return statement.resources is None or _names_resource(statement.resources, request, variables=variables)


def _names_resource(patterns: tuple[str, ...], request: Request, *, variables: bool) -> bool:
    for pattern in patterns:
        template = parse_template(complete_arn(pattern, variables=variables), variables=variables)
        # AWS wants variables behind the fifth colon only; elsewhere they are filled in all the same
        pieces = resolve_template(template, request.context)
        # a pattern whose variable has no value stands for no resource
        if pieces is not None and compile_glob(pieces).matches(request.resource):
            return True
    return False
