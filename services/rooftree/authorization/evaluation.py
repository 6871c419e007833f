"""
The policy evaluation logic: what a request needs, and what it lacks.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rooftree.authorization.acl import AccessControlList
from rooftree.authorization.binding import PolicyType, idle_types
from rooftree.authorization.compiled import ChainPlan, CompiledStatement, LayerPlan
from rooftree.authorization.naming import Caller
from rooftree.authorization.principal import Grant
from rooftree.authorization.request import (
    AccessRequest,
    account_of_resource,
    determined_keys,
    is_within_account,
    partition_of_resource,
)
from rooftree.authorization.services import demands_resource_policy

__all__ = ["ActionPlan", "Case"]


@dataclass(frozen=True, slots=True)
class ActionPlan:
    """
    What all policies say of one action; None for kinds of which there are no policies.

    INVARIANT: there is an attribute by the name of each `PolicyType`.

    Attributes:
        action: The action in lower case.
        denials: The Deny statements that cover it, of each kind that has any.
    """

    action: str
    service_control: ChainPlan | None
    resource_control: ChainPlan | None
    vpc_endpoint: LayerPlan | None
    resource: LayerPlan | None
    identity: LayerPlan | None
    permissions_boundaries: LayerPlan | None
    session: LayerPlan | None
    acl: AccessControlList | None
    denials: tuple[tuple[PolicyType, tuple[CompiledStatement, ...]], ...]


NO_POLICIES: Final = LayerPlan((), (), is_open=False)


class Case:
    """
    One request before the policies.

    Whoever asks for the decision alone takes the first of the denials or of the gaps, and nothing else is looked at;
    whoever asks for reasons takes all of them.
    """

    __slots__ = (
        "_caller",
        "_grant",
        "_is_grant_known",
        "account",
        "entries",
        "idle",
        "owner",
        "plan",
        "principal",
        "request",
        "resource",
    )

    def __init__(self, request: AccessRequest, plan: ActionPlan) -> None:
        self.request = request
        self.plan = plan
        self.principal = request.principal
        self.resource = request.resource
        self.account = account_of_resource(request)
        self.owner = self.account if plan.acl is None else plan.acl.owner_for(plan.action, self.account)
        self.entries = determined_keys(request, self.account)
        self.idle = idle_types(request, plan.action, self.account)
        self._caller: Caller | None = None
        self._grant: Grant | None = None
        self._is_grant_known = False

    @property
    def caller(self) -> Caller:
        """
        The principal as policies call it.
        """
        if self._caller is None:
            user_id = self.request.context.lowered.get("aws:userid")
            self._caller = Caller.of(
                self.principal,
                user_id=user_id[0] if user_id else None,
                canonical_user_id=self.request.canonical_user_id,
                has_boundary=self._binds(PolicyType.PERMISSIONS_BOUNDARIES, self.plan.permissions_boundaries),
            )
        return self._caller

    def denials(self) -> Iterator[tuple[PolicyType, CompiledStatement]]:
        """
        Yield every Deny that hits the request: one is enough, whatever else allows it.
        """
        for policy_type, statements in self.plan.denials:
            if policy_type in self.idle:
                continue
            for one in statements:
                if one.applies(self.resource, self.entries) and (
                    one.caller is None or one.caller.denies(self._called(policy_type))
                ):
                    yield policy_type, one

    def gaps(self) -> Iterator[PolicyType]:
        """
        Yield the kinds of policies that would have to allow the request and do not.
        """
        if not self._passes(PolicyType.RESOURCE_CONTROL, self.plan.resource_control):
            yield PolicyType.RESOURCE_CONTROL
        if not self._passes(PolicyType.SERVICE_CONTROL, self.plan.service_control):
            yield PolicyType.SERVICE_CONTROL
        endpoint = self.plan.vpc_endpoint
        if endpoint is not None and not endpoint.is_open and next(self.endpoint_grants(), None) is None:
            yield PolicyType.VPC_ENDPOINT
        if self.principal.is_of_account and self.is_same_account:
            yield from self._gaps_within_account()
            return
        # both sides must allow, by whatever name the other side calls the principal
        if PolicyType.RESOURCE not in self.idle and self.grant is None and not self.is_permitted_by_acl:
            yield PolicyType.RESOURCE
        if self.principal.is_of_account:
            yield from self.own_gaps()

    def _gaps_within_account(self) -> Iterator[PolicyType]:
        """
        Yield what is lacking where principal and resource are of one account: one side is enough, with exceptions.
        """
        grant = self.grant
        if grant is Grant.FULL:
            return
        if grant is None and demands_resource_policy(self.plan.action, self.resource):
            yield PolicyType.RESOURCE
        yield from self.own_gaps(identity=grant is not Grant.LIMITED)

    def own_gaps(self, *, identity: bool = True) -> Iterator[PolicyType]:
        """
        Yield what the principal's own policies are lacking; without *identity*, of those that only limit.

        A root user may do everything, its sessions what their session policies allow.
        """
        plan = self.plan
        if identity and PolicyType.IDENTITY not in self.idle and not self._allows(plan.identity or NO_POLICIES):
            yield PolicyType.IDENTITY
        if self._binds(PolicyType.PERMISSIONS_BOUNDARIES, plan.permissions_boundaries) and not self._allows(
            plan.permissions_boundaries or NO_POLICIES
        ):
            yield PolicyType.PERMISSIONS_BOUNDARIES
        is_asked = plan.session is not None or self.principal.needs_session_policy
        if is_asked and PolicyType.SESSION not in self.idle and not self._allows(plan.session or NO_POLICIES):
            yield PolicyType.SESSION

    @property
    def is_same_account(self) -> bool:
        """
        Whether the request needs the permission of the principal's account alone.
        """
        return is_within_account(self.principal, self.owner)

    @property
    def grant(self) -> Grant | None:
        """
        What the policy of the resource spares the principal; None if it does not allow the request.
        """
        if not self._is_grant_known:
            self._grant, self._is_grant_known = self._best_grant(), True
        return self._grant

    def _best_grant(self) -> Grant | None:
        if self.plan.resource is None or not self.plan.resource.grants or not self._is_heard:
            return None
        return max((grant for _one, grant in self.resource_grants()), default=None)

    @property
    def _is_heard(self) -> bool:
        """
        Whether what the policy of the resource allows counts.

        Nothing is granted across partitions, and nothing by the owner of a bucket on an object that another owns.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-cross-account-resource-access.html
        """
        if self.owner != self.account:
            return False
        if self.is_same_account or self.principal.partition is None:
            return True
        return partition_of_resource(self.resource) in (None, self.principal.partition)

    def resource_grants(self) -> Iterator[tuple[CompiledStatement, Grant]]:
        """
        Yield the statements of the resource's policy that allow the request, with what each spares the principal.
        """
        if self.plan.resource is None or PolicyType.RESOURCE in self.idle:
            return
        for one in self.plan.resource.grants:
            grant = None if one.caller is None else one.caller.grant(self.caller)
            if grant is not None and one.applies(self.resource, self.entries):
                yield one, grant

    def endpoint_grants(self) -> Iterator[CompiledStatement]:
        """
        Yield the statements of the VPC endpoint's policy that let the request through.
        """
        plan = self.plan.vpc_endpoint
        for one in () if plan is None else plan.grants:
            if (
                one.caller is not None
                and one.caller.grant(self._called(PolicyType.VPC_ENDPOINT)) is not None
                and one.applies(self.resource, self.entries)
            ):
                yield one

    @property
    def is_permitted_by_acl(self) -> bool:
        """
        Whether an ACL of Amazon S3 permits the request.
        """
        acl, request = self.plan.acl, self.request
        return acl is not None and acl.permits(self.plan.action, self.principal, request.canonical_user_id) is not None

    def grants_in(self, plan: LayerPlan) -> Iterator[CompiledStatement]:
        """
        Yield the statements of policies without principals that allow the request.
        """
        for one in plan.grants:
            if one.applies(self.resource, self.entries):
                yield one

    def _allows(self, plan: LayerPlan) -> bool:
        return plan.is_open or next(self.grants_in(plan), None) is not None

    def _passes(self, policy_type: PolicyType, chain: ChainPlan | None) -> bool:
        if chain is None or not chain.gates or policy_type in self.idle:
            return True
        return all(self._allows(gate) for gate in chain.gates)

    def _binds(self, policy_type: PolicyType, plan: LayerPlan | None) -> bool:
        return plan is not None and policy_type not in self.idle

    def _called(self, policy_type: PolicyType) -> Caller:
        return self.caller.at_endpoint(self.principal) if policy_type is PolicyType.VPC_ENDPOINT else self.caller
