"""
Policies that answer requests.
"""

from __future__ import annotations

from typing import Final

from rooftree.authorization.answer import Answer
from rooftree.authorization.binding import PolicyType
from rooftree.authorization.compiled import CompiledLayer, compile_chain
from rooftree.authorization.evaluation import ActionPlan, Case
from rooftree.authorization.explanation import explain_case
from rooftree.authorization.policies import Policies, PolicySet, with_full_access
from rooftree.authorization.request import AccessRequest
from rooftree.policy.evaluate import Decision

__all__ = ["Authorizer"]

PLANS_KEPT: Final = 4096


class Authorizer:
    """
    A set of policies, compiled once and asked often.

    `decide` stops at the first reason; `explain` gathers them all. Both walk the same evaluation, so that they cannot
    disagree.
    """

    __slots__ = ("_layers", "_plans", "_resource_control", "_service_control", "policies")

    def __init__(self, policies: PolicySet) -> None:
        self.policies = policies
        self._service_control = compile_chain(policies.service_control) if policies.service_control else None
        self._resource_control = (
            compile_chain(with_full_access(policies.resource_control)) if policies.resource_control else None
        )
        self._layers = {
            PolicyType.VPC_ENDPOINT: _layer(policies.vpc_endpoint),
            PolicyType.RESOURCE: _layer(policies.resource),
            PolicyType.IDENTITY: _layer(policies.identity),
            PolicyType.PERMISSIONS_BOUNDARIES: _layer(policies.permissions_boundaries),
            PolicyType.SESSION: _layer(policies.session),
        }
        self._plans: dict[str, ActionPlan] = {}

    def decide(self, request: AccessRequest) -> Decision:
        """
        Decide a request.
        """
        case = Case(request, self._plan(request.action))
        if next(case.denials(), None) is not None:
            return Decision.EXPLICIT_DENY
        return Decision.ALLOW if next(case.gaps(), None) is None else Decision.IMPLICIT_DENY

    def explain(self, request: AccessRequest) -> Answer:
        """
        Decide a request and tell all reasons.
        """
        plan = self._plan(request.action)
        levels = {
            PolicyType.SERVICE_CONTROL: () if self._service_control is None else self._service_control.layers,
            PolicyType.RESOURCE_CONTROL: () if self._resource_control is None else self._resource_control.layers,
        }
        return explain_case(Case(request, plan), levels)

    def _plan(self, action: str) -> ActionPlan:
        plan = self._plans.get(action)
        if plan is None:
            if len(self._plans) >= PLANS_KEPT:
                self._plans.clear()
            plan = self._plans[action] = self._look_up(action.lower())
        return plan

    def _look_up(self, action: str) -> ActionPlan:
        service_control = None if self._service_control is None else self._service_control.plan(action)
        resource_control = None if self._resource_control is None else self._resource_control.plan(action)
        plans = {policy_type: layer.plan(action) for policy_type, layer in self._layers.items() if layer is not None}
        denials = {
            PolicyType.RESOURCE_CONTROL: () if resource_control is None else resource_control.denials,
            PolicyType.SERVICE_CONTROL: () if service_control is None else service_control.denials,
            **{policy_type: plan.denials for policy_type, plan in plans.items()},
        }
        return ActionPlan(
            action=action,
            service_control=service_control,
            resource_control=resource_control,
            vpc_endpoint=plans.get(PolicyType.VPC_ENDPOINT),
            resource=plans.get(PolicyType.RESOURCE),
            identity=plans.get(PolicyType.IDENTITY),
            permissions_boundaries=plans.get(PolicyType.PERMISSIONS_BOUNDARIES),
            session=plans.get(PolicyType.SESSION),
            acl=self.policies.acl,
            denials=tuple((policy_type, found) for policy_type, found in denials.items() if found),
        )


def _layer(policies: Policies) -> CompiledLayer | None:
    return CompiledLayer(policies) if policies else None
