"""
The decision on a probe under all policies that the view knows.

The view knows control policies, the policies of principals and trust policies. It does not know other policies of
resources: within an account a probe is decided without them, and across accounts it is not decided where they would
have to allow it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from rooftree.authorization import AccessRequest, Answer, Authorizer, PolicySet, Principal, Reason, parse_principal
from rooftree.authorization.request import account_of_resource, is_within_account
from rooftree.authorization.surroundings import Surroundings
from rooftree.organization.directory import Directory, GrantedPolicy, Grants
from rooftree.organization.principals import IAM_ARN, PrincipalKind
from rooftree.organization.probes import UNKNOWN, Finding, Probe
from rooftree.policy.chain import AttachedPolicy
from rooftree.policy.context import Context
from rooftree.policy.document import PolicyKind, parse_policy
from rooftree.policy.evaluate import Decision
from rooftree.policy.model import PolicyDocument

__all__ = ["Watcher", "account_of", "accounts_of", "attached_policy", "read_policy"]

STS: Final = "sts:"


@lru_cache(maxsize=4096)
def read_policy(text: str, kind: PolicyKind) -> PolicyDocument:
    """
    Return the document in a text that was checked when it came in.
    """
    return parse_policy(text, kind)


def attached_policy(directory: Directory, grants: Grants, policy: GrantedPolicy) -> AttachedPolicy:
    """
    Return a policy whose document is known as the evaluation takes it.
    """
    assert policy.digest is not None, "the document is known"
    document = read_policy(directory.document(policy.digest), PolicyKind.IDENTITY)
    return AttachedPolicy(grants.policy_id(policy), policy.name, document)


def accounts_of(probe: Probe) -> frozenset[str]:
    """
    Return the accounts whose policies have a say: that of the principal and that of the resource.
    """
    request = _request(probe, parse_principal(probe.principal))
    found = (request.principal.account, account_of_resource(request))
    return frozenset(account for account in found if account is not None)


def account_of(probe: Probe) -> str | None:
    """
    Return the account that a probe is told of: that of the principal, else that of the resource.
    """
    request = _request(probe, parse_principal(probe.principal))
    return request.principal.account or account_of_resource(request)


class Watcher:
    """
    Decides probes for one state of an organization. Of no use after it has changed.
    """

    def __init__(self, surroundings: Surroundings, directory: Directory) -> None:
        self._surroundings = surroundings
        self._directory = directory

    def find(self, probe: Probe) -> Finding:
        """
        Decide a probe.
        """
        caller = _Caller.of(probe, self._directory)
        if caller.is_absent:
            return Finding(Decision.IMPLICIT_DENY.value, missing=(probe.principal,))
        request = self._placed(_request(probe, caller.principal, caller.grants))
        known = self._policies(request, caller)
        answer = Authorizer(known).explain(request)
        missing = (*caller.missing, *_missing_resource_policy(request, known))
        if not missing:
            return _finding(answer)
        # Whatever is missing may deny; so an allowed request stays open, and one that is denied even if all that is
        # missing allowed everything does not.
        best = Authorizer(_at_best(known, missing)).explain(request)
        if best.decision is not Decision.ALLOW:
            return _finding(best)
        return Finding(UNKNOWN, missing=missing)

    def _placed(self, request: AccessRequest) -> AccessRequest:
        return replace(
            request,
            caller=self._surroundings.membership(request.principal.account),
            owner=self._surroundings.membership(account_of_resource(request)),
        )

    def _policies(self, request: AccessRequest, caller: _Caller) -> PolicySet:
        grants, directory = caller.grants, self._directory
        identity: tuple[AttachedPolicy, ...] = ()
        boundaries: tuple[AttachedPolicy, ...] = ()
        if grants is not None:
            known = (policy for policy in grants.policies if policy.digest is not None)
            identity = tuple(attached_policy(directory, grants, policy) for policy in known)
            if grants.boundary is not None:
                boundary = grants.boundary
                boundaries = (NOTHING if boundary.digest is None else attached_policy(directory, grants, boundary),)
        owner = account_of_resource(request)
        return PolicySet(
            identity=identity,
            permissions_boundaries=boundaries,
            resource=tuple(self._trust(request)),
            service_control=self._surroundings.service_control(request.principal.account),
            resource_control=self._surroundings.resource_control(owner),
        )

    def _trust(self, request: AccessRequest) -> Iterator[AttachedPolicy]:
        role = IAM_ARN.match(request.resource)
        if role is None or role["kind"] != PrincipalKind.ROLE or not request.action.lower().startswith(STS):
            return
        grants = self._directory.find(role["account"], PrincipalKind.ROLE, role["name"])
        if grants is not None and grants.principal.trust_policy is not None:
            text = self._directory.document(grants.principal.trust_policy)
            yield AttachedPolicy(request.resource, "trust policy", read_policy(text, PolicyKind.TRUST))


@dataclass(frozen=True, slots=True)
class _Caller:
    """
    Who asks, and what is known of it.

    Attributes:
        grants: What it has; None for what has no policies of its own, or is not known.
        missing: What of this is not known.
        is_absent: Whether it is known not to exist.
    """

    principal: Principal
    grants: Grants | None = None
    missing: tuple[str, ...] = ()
    is_absent: bool = False

    @classmethod
    def of(cls, probe: Probe, directory: Directory) -> _Caller:
        principal = parse_principal(probe.principal)
        named = IAM_ARN.match(_one(principal, "aws:principalarn"))
        if named is None:
            return cls(principal)
        account_id, kind, name = named.group("account", "kind", "name")
        grants = directory.find(account_id, kind, name)
        is_session = ":sts:" in probe.principal
        if grants is not None and not is_session and grants.principal.arn != probe.principal:
            grants = None
        if grants is None:
            is_absent = directory.is_whole(account_id)
            return cls(principal, missing=(named.group(),), is_absent=is_absent)
        if is_session:
            principal = parse_principal(probe.principal, issuer=grants.principal.arn)
        return cls(principal, grants, grants.missing)


def _one(principal: Principal, key: str) -> str:
    return principal.keys.get(key, ("",))[0]


def _request(probe: Probe, principal: Principal, grants: Grants | None = None) -> AccessRequest:
    """
    Return the request, with the keys that the view knows of its principal where they are not given.
    """
    given = dict(probe.context)
    lowered = {key.lower() for key in given}
    known = {} if grants is None else {f"aws:PrincipalTag/{key}": (value,) for key, value in grants.principal.tags}
    own = {key: values for key, values in known.items() if key.lower() not in lowered and any(values)}
    return AccessRequest(
        principal=principal, action=probe.action, resource=probe.resource, context=Context({**own, **given})
    )


def _missing_resource_policy(request: AccessRequest, known: PolicySet) -> tuple[str, ...]:
    """
    Name the policy of the resource where the request needs it and the view does not have it.
    """
    principal = request.principal
    if known.resource or (principal.is_of_account and is_within_account(principal, account_of_resource(request))):
        return ()
    return (f"{RESOURCE_POLICY}{request.resource}",)


RESOURCE_POLICY: Final = "the policy of "


def _at_best(known: PolicySet, missing: tuple[str, ...]) -> PolicySet:
    at_best = known
    if any(not name.startswith(RESOURCE_POLICY) for name in missing):
        boundaries = (*known.permissions_boundaries, EVERYTHING) if known.permissions_boundaries else ()
        at_best = replace(at_best, identity=(*known.identity, EVERYTHING), permissions_boundaries=boundaries)
    if any(name.startswith(RESOURCE_POLICY) for name in missing):
        at_best = replace(at_best, resource=(EVERYBODY,))
    return at_best


def _finding(answer: Answer) -> Finding:
    return Finding(
        decision=answer.decision.value,
        blocked_by=tuple(kind.value for kind in answer.blocked_by),
        decided_by=tuple(_reason(reason) for reason in answer.decided_by),
    )


def _reason(reason: Reason) -> dict[str, object]:
    return {
        "policy_type": reason.policy_type.value,
        "target": reason.target_id,
        "policy": reason.policy_id,
        "policy_name": reason.policy_name,
        "statement": reason.label,
    }


def _made(kind: PolicyKind, *statements: Mapping[str, object]) -> AttachedPolicy:
    return AttachedPolicy("", "", parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, kind))


_ALLOW: Final = {"Effect": "Allow", "Action": "*", "Resource": "*"}
NOTHING: Final = _made(PolicyKind.IDENTITY)
EVERYTHING: Final = _made(PolicyKind.IDENTITY, _ALLOW)
EVERYBODY: Final = _made(PolicyKind.RESOURCE, {**_ALLOW, "Principal": "*"})
