"""
Policies compiled for many requests.

Of each policy the statements about an action are looked up once for each action and kept; what is left for a request
are the resources, conditions and principals of those few. Everything here decides as `rooftree.policy.evaluate` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rooftree.authorization.conditions import ConditionTest, condition_test
from rooftree.authorization.naming import CallerTest, caller_test
from rooftree.authorization.patterns import Entries, TextTest, pattern_test
from rooftree.policy.chain import AttachedPolicy, Level
from rooftree.policy.model import Effect, Statement
from rooftree.policy.patterns import action_matches, complete_arn
from rooftree.policy.variables import parse_template

__all__ = ["ChainPlan", "CompiledChain", "CompiledLayer", "CompiledStatement", "LayerPlan", "compile_chain"]

PLANS_KEPT: Final = 4096
"""Of one layer: requests name few actions, and what sends random ones must not fill the memory."""


class CompiledStatement:
    """
    One statement with its tests at hand.

    Attributes:
        statement: What was compiled.
        policy: The policy that it stands in.
        target_id: The node that the policy hangs on; empty for policies that hang on none.
        caller: The test of its Principal or NotPrincipal; None for a statement without.
        always: Whether it applies whatever the resource and the condition keys are.
    """

    __slots__ = ("_conditions", "_resource", "_resource_wanted", "always", "caller", "policy", "statement", "target_id")

    def __init__(self, statement: Statement, policy: AttachedPolicy, target_id: str, *, variables: bool) -> None:
        self.statement = statement
        self.policy = policy
        self.target_id = target_id
        self.caller: CallerTest | None = caller_test(statement)
        self._resource, self._resource_wanted = _resource_test(statement, variables=variables)
        self._conditions: tuple[ConditionTest, ...] = tuple(
            condition_test(condition, variables=variables) for condition in statement.conditions
        )
        self.always = self._resource is None and self._resource_wanted and not self._conditions

    def covers_action(self, action: str) -> bool:
        """
        Tell whether Action names an action, or NotAction does not.
        """
        statement = self.statement
        if statement.not_actions is not None:
            return not any(action_matches(pattern, action) for pattern in statement.not_actions)
        return any(action_matches(pattern, action) for pattern in statement.actions or ())

    def applies(self, resource: str, entries: Entries) -> bool:
        """
        Tell whether the statement speaks of a request, of which it covers the action.
        """
        covers = self._resource
        if covers is None:
            if not self._resource_wanted:
                return False
        elif covers(resource, entries) is not self._resource_wanted:
            return False
        for holds in self._conditions:  # noqa: SIM110  # a generator takes twice the time of the whole
            if not holds(entries):
                return False
        return True


def _resource_test(statement: Statement, *, variables: bool) -> tuple[TextTest | None, bool]:
    """
    Return a test of the resource, None for one that always holds, and what it must say for the statement to apply.

    A statement that names no resource, such as one of a trust policy, is about the resource that it hangs on.
    """
    wanted = statement.not_resources is None
    patterns = statement.resources if wanted else statement.not_resources
    if patterns is None:
        return None, True
    templates = (parse_template(complete_arn(text, variables=variables), variables=variables) for text in patterns)
    return pattern_test(templates), wanted


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """
    What the policies of one layer say of one action.

    Attributes:
        denials: The Deny statements that cover it.
        grants: The Allow statements that cover it.
        is_open: Whether one of those applies to every request of everybody.
    """

    denials: tuple[CompiledStatement, ...]
    grants: tuple[CompiledStatement, ...]
    is_open: bool


class CompiledLayer:
    """
    Policies of which one Allow is enough and one Deny too many: all of a principal's, or those of one node.

    Attributes:
        target_id: The node; empty for policies that hang on none.
    """

    __slots__ = ("_plans", "_statements", "target_id")

    def __init__(self, policies: Iterable[AttachedPolicy], target_id: str = "") -> None:
        self.target_id = target_id
        self._statements = tuple(
            CompiledStatement(statement, policy, target_id, variables=policy.document.has_variables)
            for policy in policies
            for statement in policy.document.statements
        )
        self._plans: dict[str, LayerPlan] = {}

    def plan(self, action: str) -> LayerPlan:
        """
        Return what the layer says of an action, given in lower case.
        """
        plan = self._plans.get(action)
        if plan is None:
            if len(self._plans) >= PLANS_KEPT:
                self._plans.clear()
            plan = self._plans[action] = self._look_up(action)
        return plan

    def _look_up(self, action: str) -> LayerPlan:
        covering = [one for one in self._statements if one.covers_action(action)]
        grants = tuple(one for one in covering if one.statement.effect is Effect.ALLOW)
        return LayerPlan(
            denials=tuple(one for one in covering if one.statement.effect is Effect.DENY),
            grants=grants,
            is_open=any(one.always and (one.caller is None or one.caller.admits_everybody) for one in grants),
        )


@dataclass(frozen=True, slots=True)
class ChainPlan:
    """
    What the levels of a chain say of one action.

    Attributes:
        denials: The Deny statements of all levels that cover it.
        gates: The levels that do not let every request pass.
    """

    denials: tuple[CompiledStatement, ...]
    gates: tuple[LayerPlan, ...]


class CompiledChain:
    """
    Levels of which each must allow what passes, as in `rooftree.policy.chain`.
    """

    __slots__ = ("_plans", "layers")

    def __init__(self, levels: Sequence[Level]) -> None:
        self.layers = tuple(CompiledLayer(level.policies, level.target_id) for level in levels)
        self._plans: dict[str, ChainPlan] = {}

    def plan(self, action: str) -> ChainPlan:
        """
        Return what the levels say of an action, given in lower case.
        """
        plan = self._plans.get(action)
        if plan is None:
            if len(self._plans) >= PLANS_KEPT:
                self._plans.clear()
            plans = [layer.plan(action) for layer in self.layers]
            plan = self._plans[action] = ChainPlan(
                denials=tuple(denial for one in plans for denial in one.denials),
                gates=tuple(one for one in plans if not one.is_open),
            )
        return plan


@lru_cache(maxsize=1024)
def compile_chain(levels: tuple[Level, ...]) -> CompiledChain:
    """
    Return levels compiled; the same levels, which the accounts of an organization share, once.
    """
    return CompiledChain(levels)
