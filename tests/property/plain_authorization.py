"""
The policy evaluation logic written down once more, plainly and slowly, to be held against the real one.

It shares the language of single statements with it, and nothing that decides between them.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.property.authorization_strategies import Scene

from rooftree.authorization import PolicySet, PrincipalKind
from rooftree.authorization.acl import ObjectOwnership
from rooftree.authorization.request import determined_keys
from rooftree.policy.chain import AttachedPolicy, Level
from rooftree.policy.context import Context
from rooftree.policy.evaluate import Decision, statement_matches
from rooftree.policy.model import Effect, Statement
from rooftree.policy.request import Request
from rooftree.policy.resource_control import is_covered

__all__ = ["decide_plainly"]

STRANGERS = (PrincipalKind.SERVICE, PrincipalKind.ANONYMOUS, PrincipalKind.IDENTITY_PROVIDER)
ROOTS = (PrincipalKind.ROOT_USER, PrincipalKind.ASSUMED_ROOT)
FOREIGN_OBJECT = {
    "s3:getobject": "READ",
    "s3:getobjectacl": "READ_ACP",
    "s3:putobjectacl": "WRITE_ACP",
    "s3:getobjectversion": "READ",
}
IN_BUCKET = {"s3:putobject": "WRITE", "s3:listbucket": "READ"}


def decide_plainly(scene: Scene) -> Decision:
    """
    Decide as the documentation tells it, step by step.
    """
    return _Plain(scene).decide()


class _Plain:
    def __init__(self, scene: Scene) -> None:
        self.asked, self.policies = scene.request, scene.policies
        self.kind = self.asked.principal.kind
        self.action = self.asked.action.lower()
        self.account = self.asked.principal.account
        self.owner = self.asked.resource_account
        self.names = self._names()
        context = Context(dict(determined_keys(self.asked, self.owner)))
        self.request = Request(self.asked.action, self.asked.resource, context)

    def decide(self) -> Decision:
        if self.action == "sts:getcalleridentity" and self.kind not in STRANGERS:
            self.policies = PolicySet(vpc_endpoint=self.policies.vpc_endpoint)
            if self._is_denied_by_name():
                return Decision.EXPLICIT_DENY
            passes = not self.policies.vpc_endpoint or self._admitted(self.policies.vpc_endpoint, endpoint=True)
            return Decision.ALLOW if passes else Decision.IMPLICIT_DENY
        scp, rcp = self._binding_levels()
        own = {
            "identity": () if self.kind in (*STRANGERS, *ROOTS) else self.policies.identity,
            "boundary": self._boundary(),
            "session": ()
            if self.kind in (*STRANGERS, PrincipalKind.ROOT_USER, PrincipalKind.USER)
            else self.policies.session,
        }
        # 1: a Deny anywhere
        flat = [policy for level in (*scp, *rcp) for policy in level.policies]
        flat += [policy for policies in own.values() for policy in policies]
        if bool(self._applying(Effect.DENY, flat)) or self._is_denied_by_name():
            return Decision.EXPLICIT_DENY
        # 2: each level and the endpoint let it through
        if not all(bool(self._applying(Effect.ALLOW, level.policies)) for level in scp):
            return Decision.IMPLICIT_DENY
        if self.policies.vpc_endpoint and not self._admitted(self.policies.vpc_endpoint, endpoint=True):
            return Decision.IMPLICIT_DENY
        return Decision.ALLOW if self._is_granted(own) else Decision.IMPLICIT_DENY

    def _is_granted(self, own: dict[str, tuple[AttachedPolicy, ...]]) -> bool:
        identity = self.kind in ROOTS or bool(self._applying(Effect.ALLOW, own["identity"]))
        boundary = not own["boundary"] or bool(self._applying(Effect.ALLOW, own["boundary"]))
        session = bool(self._applying(Effect.ALLOW, own["session"])) or not (
            own["session"] or self.kind in (PrincipalKind.FEDERATED_USER, PrincipalKind.ASSUMED_ROOT)
        )
        named, acl, owner = self._resource_side()
        if self.kind in STRANGERS:
            return bool(named) or acl
        if self.account != owner:
            return identity and boundary and session and (bool(named) or acl)
        demanded = ("kms:" in self.action and ":key/" in self.asked.resource) or self.action == "sts:assumerole"
        if demanded and not named:
            return False
        if "itself" in named or (self.kind is PrincipalKind.ROOT_USER and "account" in named):
            return True
        if "behind" in named:
            return boundary and session
        return identity and boundary and session

    def _resource_side(self) -> tuple[set[str], bool, str | None]:
        """
        Return by which names the resource's policy allows, whether an ACL does, and whose permission is needed.
        """
        acl = self.policies.acl
        named = self._admitted(self.policies.resource) if not self._mends_policy() else set()
        if self.account is not None and self.account != self.owner and "arn:aws-cn:" in self.asked.resource:
            named = set()
        if acl is None or acl.object_ownership is ObjectOwnership.BUCKET_OWNER_ENFORCED:
            return named, False, self.owner
        entries, wanted, owner = acl.bucket, IN_BUCKET.get(self.action), self.owner
        if self.action in FOREIGN_OBJECT:
            entries, wanted = acl.object, FOREIGN_OBJECT[self.action]
            owner = acl.object_owner or self.owner
        permitted = any(
            entry.permission in (wanted, "FULL_CONTROL")
            and (entry.grantee.endswith("/AllUsers") or (self.account is not None and entry.grantee == self.account))
            for entry in (entries if wanted else ())
        )
        return (named if owner == self.owner else set()), permitted, owner

    def _admitted(self, policies: Iterable[AttachedPolicy], *, endpoint: bool = False) -> set[str]:
        """
        Return what the principal is called by the Allow statements that apply.
        """
        found = set()
        for statement in self._applying(Effect.ALLOW, policies):
            for pattern in statement.principals or ():
                name = "itself" if pattern.value == "*" else self.names.get(pattern.value)
                if name == "account" and endpoint and self.kind not in ROOTS:
                    continue
                if pattern.value == "*" and self.kind in (PrincipalKind.ASSUMED_ROOT, PrincipalKind.FEDERATED_USER):
                    name = "behind"
                if name is not None:
                    found.add(name)
        return found

    def _is_denied_by_name(self) -> bool:
        policies = [(policy, True) for policy in self.policies.vpc_endpoint]
        if not self._mends_policy():
            policies += [(policy, False) for policy in self.policies.resource]
        return any(
            self._is_meant(statement, endpoint=endpoint)
            for policy, endpoint in policies
            for statement in self._applying(Effect.DENY, [policy])
        )

    def _is_meant(self, statement: Statement, *, endpoint: bool) -> bool:
        names = {
            name: how
            for name, how in self.names.items()
            if not (endpoint and how == "account" and self.kind not in ROOTS)
        }
        if statement.principals is not None:
            return any(pattern.value == "*" or pattern.value in names for pattern in statement.principals)
        listed = {pattern.value for pattern in statement.not_principals or ()}
        if self._boundary():
            return True
        if "*" in listed:
            return False
        if self.kind is PrincipalKind.ANONYMOUS:
            return True
        needed = [{name} for name, how in self.names.items() if how != "account"]
        if self.kind is PrincipalKind.FEDERATED_USER:
            needed = [{self.asked.principal.text}]
        account = {name for name, how in self.names.items() if how == "account"}
        return any(not (group & listed) for group in (*needed, *([account] if account else [])))

    def _names(self) -> dict[str, str]:
        principal = self.asked.principal
        text, account = principal.text, principal.account
        if account is None:
            return {} if self.kind is PrincipalKind.ANONYMOUS else {text: "itself"}
        names = {account: "account", f"arn:aws:iam::{account}:root": "account"}
        role = principal.keys["aws:principalarn"][0]
        match self.kind:
            case PrincipalKind.USER:
                names[text] = "itself"
            case PrincipalKind.FEDERATED_USER:
                names |= {text: "itself", f"arn:aws:iam::{account}:user/alice": "behind"}
            case PrincipalKind.ROLE_SESSION:
                names |= {text: "itself", role: "behind"}
            case PrincipalKind.SERVICE_LINKED_ROLE:
                names[role] = "behind"
        return names

    def _binding_levels(self) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        asked = self.asked
        linked = self.kind is PrincipalKind.SERVICE_LINKED_ROLE
        manager = asked.caller is not None and asked.caller.is_management
        scp = () if linked or manager or self.kind in STRANGERS else self.policies.service_control
        rcp = self.policies.resource_control
        if linked or not is_covered(self.action) or asked.aws_managed_key:
            rcp = ()
        if asked.owner is not None and asked.owner.is_management:
            rcp = ()
        return scp, rcp

    def _boundary(self) -> tuple[AttachedPolicy, ...]:
        without = (*STRANGERS, *ROOTS, PrincipalKind.SERVICE_LINKED_ROLE)
        return () if self.kind in without else self.policies.permissions_boundaries

    def _mends_policy(self) -> bool:
        return self.kind in ROOTS and self.account == self.owner and self.action == "s3:putbucketpolicy"

    def _applying(self, effect: Effect, policies: Iterable[AttachedPolicy]) -> list[Statement]:
        return [
            statement
            for policy in policies
            for statement in policy.document.statements
            if statement.effect is effect
            and statement_matches(statement, self.request, variables=policy.document.has_variables)
        ]
