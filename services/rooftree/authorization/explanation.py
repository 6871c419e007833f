"""
Why a request is decided as it is: what each kind of policies has to say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rooftree.authorization.answer import Answer, Layer, Outcome, Reason
from rooftree.authorization.binding import PolicyType
from rooftree.authorization.compiled import CompiledLayer, CompiledStatement
from rooftree.authorization.evaluation import Case
from rooftree.authorization.principal import Grant
from rooftree.policy.evaluate import Decision

__all__ = ["explain_case"]

Levels = Mapping[PolicyType, tuple[CompiledLayer, ...]]

_ACL_ID = "acl"


def explain_case(case: Case, levels: Levels) -> Answer:
    """
    Return the decision of a case with all reasons.

    Args:
        case: The case.
        levels: The levels of both kinds of control policies.
    """
    denials: dict[PolicyType, list[Reason]] = {}
    for policy_type, one in case.denials():
        denials.setdefault(policy_type, []).append(_reason(policy_type, one))
    gaps = tuple(case.gaps())
    layers = tuple(_layer(case, policy_type, levels, denials.get(policy_type, []), gaps) for policy_type in PolicyType)
    if denials:
        blocking = tuple(layer.policy_type for layer in layers if layer.denials)
        reasons = tuple(reason for layer in layers for reason in layer.denials)
        return Answer(Decision.EXPLICIT_DENY, blocking, reasons, layers)
    if gaps:
        return Answer(Decision.IMPLICIT_DENY, gaps, (), layers)
    needed = _needed(case)
    reasons = tuple(reason for layer in layers if layer.policy_type in needed for reason in layer.grants)
    return Answer(Decision.ALLOW, (), reasons, layers)


def _needed(case: Case) -> set[PolicyType]:
    """
    Return the kinds of policies that an allowed request rests on.

    Where both the resource's policy and the principal's own allow it, it rests on both.
    """
    needed = {PolicyType.RESOURCE_CONTROL, PolicyType.SERVICE_CONTROL, PolicyType.VPC_ENDPOINT, PolicyType.RESOURCE}
    if not case.is_same_account or not case.principal.is_of_account:
        needed.add(PolicyType.ACL)
    if not case.principal.is_of_account:
        return needed
    if next(case.own_gaps(), None) is None:
        return needed | {PolicyType.IDENTITY, PolicyType.PERMISSIONS_BOUNDARIES, PolicyType.SESSION}
    if case.grant is Grant.LIMITED:
        return needed | {PolicyType.PERMISSIONS_BOUNDARIES, PolicyType.SESSION}
    return needed


def _layer(
    case: Case, policy_type: PolicyType, levels: Levels, denials: Sequence[Reason], gaps: Collection[PolicyType]
) -> Layer:
    is_present = getattr(case.plan, policy_type) is not None
    if policy_type in case.idle:
        # why identity policies are not needed is worth telling where there are none
        if is_present or policy_type is PolicyType.IDENTITY:
            return Layer(policy_type, Outcome.IDLE, note=case.idle[policy_type])
        return Layer(policy_type, Outcome.ABSENT)
    grants = tuple(_grants(case, policy_type, levels))
    if denials:
        outcome = Outcome.DENIES
    elif policy_type in gaps:
        outcome = Outcome.LACKING
    elif grants:
        outcome = Outcome.ALLOWS
    else:
        outcome = Outcome.SILENT if is_present else Outcome.ABSENT
    missing = _missing_levels(case, levels.get(policy_type, ()))
    return Layer(policy_type, outcome, tuple(denials), grants, missing, _note(case, policy_type))


def _note(case: Case, policy_type: PolicyType) -> str:
    acl = case.plan.acl
    match policy_type:
        case PolicyType.RESOURCE if case.grant is Grant.DELEGATED and case.is_same_account:
            return "it names the account, whose own policies must allow"
        case PolicyType.RESOURCE if case.grant is Grant.LIMITED and case.is_same_account:
            return "it names what stands behind the session, which stays limited"
        case PolicyType.RESOURCE if case.owner != case.account:
            return "it allows nothing on an object that another account owns"
        case PolicyType.ACL if acl is not None and not acl.is_enabled:
            return f"ACLs are off: object ownership is {acl.object_ownership}"
        case _:
            return ""


def _missing_levels(case: Case, layers: tuple[CompiledLayer, ...]) -> tuple[str, ...]:
    return tuple(
        layer.target_id for layer in layers if next(case.grants_in(layer.plan(case.plan.action)), None) is None
    )


def _grants(case: Case, policy_type: PolicyType, levels: Levels) -> list[Reason]:
    """
    Return what allows the request among the policies of one kind.
    """
    if policy_type in case.idle:
        return []
    plan = case.plan
    match policy_type:
        case PolicyType.RESOURCE_CONTROL | PolicyType.SERVICE_CONTROL:
            found = [one for layer in levels[policy_type] for one in case.grants_in(layer.plan(plan.action))]
        case PolicyType.VPC_ENDPOINT:
            found = list(case.endpoint_grants())
        case PolicyType.RESOURCE:
            # what does not count is no reason
            found = [] if case.grant is None else [one for one, _grant in case.resource_grants()]
        case PolicyType.ACL:
            return _acl_reasons(case)
        case PolicyType.IDENTITY:
            found = [] if plan.identity is None else list(case.grants_in(plan.identity))
        case PolicyType.PERMISSIONS_BOUNDARIES:
            boundaries = plan.permissions_boundaries
            found = [] if boundaries is None else list(case.grants_in(boundaries))
        case PolicyType.SESSION:
            found = [] if plan.session is None else list(case.grants_in(plan.session))
    return [_reason(policy_type, one) for one in found]


def _acl_reasons(case: Case) -> list[Reason]:
    acl = case.plan.acl
    if acl is None or (case.is_same_account and case.principal.is_of_account):
        # an ACL grants nothing within the account of its owner
        return []
    grant = acl.permits(case.plan.action, case.principal, case.request.canonical_user_id)
    if grant is None:
        return []
    entry = f"{grant.permission} to {grant.grantee}"
    return [Reason(PolicyType.ACL, None, _ACL_ID, _ACL_ID, None, entry)]


def _reason(policy_type: PolicyType, one: CompiledStatement) -> Reason:
    return Reason(policy_type, one.target_id or None, one.policy.policy_id, one.policy.name, one.statement)
