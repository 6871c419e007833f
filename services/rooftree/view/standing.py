"""
A principal of an account as the permission algebra and the full evaluation take it.

What a principal may do is what its identity policies, its boundary and every level above its account all allow and
nothing denies. So it is a chain with two levels more, and a third that holds what is known of the principal's ARN.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from rooftree.organization.directory import Directory, Grants
from rooftree.organization.principals import PrincipalKind
from rooftree.permissions import AccountBinding
from rooftree.permissions.keys import PRINCIPAL_KEY, principal_side
from rooftree.policy.chain import UNLIMITED, AttachedPolicy, Chain, Level
from rooftree.policy.conditions import condition_holds
from rooftree.policy.context import Context
from rooftree.policy.model import CURRENT_VERSION, Condition, Effect, PolicyDocument, Statement
from rooftree.policy.operators import meaning_of
from rooftree.policy.partitions import PARTITIONS, partition_in
from rooftree.view.patch import Reported
from rooftree.view.watching import attached_policy

__all__ = ["NOBODY", "Holdings", "Place", "holdings_of", "is_service_linked", "pinned"]

IDENTITY: Final = "identity"
BOUNDARY: Final = "boundary"
PRINCIPAL: Final = "principal"

_LINKED_PATH: Final = "/aws-service-role/"


@dataclass(frozen=True, slots=True)
class Holdings:
    """
    The policies that a principal itself has, shared by all that have the same.

    Attributes:
        identity: What grants, or denies.
        boundary: What caps that; None for no boundary.
    """

    identity: tuple[AttachedPolicy, ...]
    boundary: tuple[AttachedPolicy, ...] | None

    @property
    def levels(self) -> tuple[Level, ...]:
        """
        The levels to pass before those of the organization.
        """
        identity = Level(IDENTITY, self.identity)
        return (identity,) if self.boundary is None else (identity, Level(BOUNDARY, self.boundary))

    @property
    def documents(self) -> Iterator[PolicyDocument]:
        """
        All documents.
        """
        return (policy.document for policy in (*self.identity, *(self.boundary or ())))

    @property
    def digests(self) -> tuple[str, ...]:
        """
        What names the holdings: equal for equal policies.
        """
        boundary = () if self.boundary is None else ("", *(policy.document.digest for policy in self.boundary))
        return (*(policy.document.digest for policy in self.identity), *boundary)

    @property
    def is_empty(self) -> bool:
        """
        Whether nothing is granted.
        """
        return not any(
            statement.effect is Effect.ALLOW for policy in self.identity for statement in policy.document.statements
        )


NOBODY: Final = Holdings((), None)
"""What a principal has that does not exist."""


def is_service_linked(grants: Grants) -> bool:
    """
    Tell whether a principal is a service-linked role, on which control policies have no hold.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    """
    return grants.principal.kind == PrincipalKind.ROLE and grants.principal.path.startswith(_LINKED_PATH)


def holdings_of(directory: Directory, grants: Grants, told: Reported) -> Holdings:
    """
    Return what a principal has, or had.
    """
    identity = tuple(attached_policy(directory, grants, policy) for policy in told.policies)
    name = grants.principal.name if grants.principal.kind == PrincipalKind.USER else None
    identity = tuple(_for(policy, name) for policy in identity)
    boundary = None if told.boundary is None else (attached_policy(directory, grants, told.boundary),)
    return Holdings(identity, boundary)


def _for(policy: AttachedPolicy, name: str | None) -> AttachedPolicy:
    """
    Fill in the name of a user, which many policies leave to a variable; a role has none.
    """
    document = _with_name(policy.document, name)
    return policy if document is policy.document else replace(policy, document=document)


@lru_cache(maxsize=4096)
def _with_name(document: PolicyDocument, name: str | None) -> PolicyDocument:
    if not document.has_variables:
        return document
    filled = (_statement_with_name(statement, name) for statement in document.statements)
    statements = tuple(statement for statement in filled if statement is not None)
    if statements == document.statements:
        return document
    return replace(document, statements=statements, digest=_digest([document.digest, name or ""]))


_USERNAME: Final = re.compile(r"\$\{aws:username\s*(?:,\s*'([^']*)'\s*)?\}", re.IGNORECASE)
_SPECIAL: Final = re.compile(r"[*?$]")


def _statement_with_name(statement: Statement, name: str | None) -> Statement | None:
    """
    Return a statement with the name filled in; None if it speaks of no resource without one.

    A pattern with a variable that has no value matches nothing.
    """
    resources, not_resources = _filled(statement.resources, name), _filled(statement.not_resources, name)
    if resources == () and statement.resources:
        return None
    if not_resources == () and statement.not_resources:
        resources, not_resources = ("*",), None
    conditions = statement.conditions
    if name is not None:
        conditions = tuple(replace(condition, values=_filled(condition.values, name) or ()) for condition in conditions)
    return replace(statement, resources=resources, not_resources=not_resources, conditions=conditions)


def _filled(texts: tuple[str, ...] | None, name: str | None) -> tuple[str, ...] | None:
    if texts is None:
        return None
    if name is None:
        # a default takes the place of its variable; a text with one that has none matches nothing
        texts = tuple(_USERNAME.sub(_default, text) for text in texts)
        return tuple(text for text in texts if not _USERNAME.search(text))
    return tuple(_USERNAME.sub(name, text) for text in texts)


def _default(variable: re.Match[str]) -> str:
    default: str | None = variable[1]
    return variable[0] if default is None else _SPECIAL.sub(r"${\g<0>}", default)


@dataclass(frozen=True, slots=True)
class Place:
    """
    An account at one moment, as what its principals may do depends on it.

    Attributes:
        chain_id: Names the chain; accounts that share it share what is worked out under it.
    """

    account: AccountBinding
    chain: Chain
    chain_id: str

    def binds_principals_like(self, other: Place) -> bool:
        """
        Tell whether the principals of the account are bound by the same policies, at the same nodes.
        """
        return (self.account, self.chain.levels) == (other.account, other.chain.levels)

    def above(self, grants: Grants) -> Place:
        """
        Return the place as a principal meets it, whose ARN tells the partition at all times.
        """
        place, partition = self, partition_in(grants.principal.arn)
        if partition != self.account.partition and partition in PARTITIONS:
            place = replace(self, account=replace(self.account, side=principal_side(partition)))
        return replace(place, chain=UNLIMITED, chain_id="") if is_service_linked(grants) else place

    def chain_of(self, holdings: Holdings, pin: Sequence[Level]) -> Chain:
        """
        Return the chain that says what somebody with *holdings* may do.

        The account's own level stays the last one, by which accounts share results.
        """
        return Chain((*pin, *holdings.levels, *(self.chain.levels or ())))

    @property
    def documents(self) -> Iterator[PolicyDocument]:
        """
        All documents of the chain.
        """
        return (policy.document for level in self.chain.levels or () for policy in level.policies)


def pinned(documents: Iterable[PolicyDocument], arn: str) -> tuple[Level, ...]:
    """
    Return a level that lets through the principals which the documents do not tell apart from one, and no others.

    Patterns with variables are left out: what they come to is found out when a witness is confirmed.
    """
    context = Context({"aws:PrincipalArn": (arn,)})
    asked = dict.fromkeys(condition for document in documents for condition in _about_principals(document))
    if not asked:
        return ()
    conditions = tuple(
        condition if condition_holds(condition, context, variables=False) else _negated(condition)
        for condition in asked
    )
    return (Level(PRINCIPAL, (AttachedPolicy(PRINCIPAL, PRINCIPAL, _only_when(conditions)),)),)


@lru_cache(maxsize=16384)
def _about_principals(document: PolicyDocument) -> tuple[Condition, ...]:
    # There is one value, and it is always sent: neither a set prefix nor IfExists makes a difference.
    return tuple(
        replace(condition, operator=replace(condition.operator, quantifier=None, if_exists=False))
        for statement in document.statements
        for condition in statement.conditions
        if condition.key.lower() == PRINCIPAL_KEY
        and meaning_of(condition.operator).takes_variables
        and not any("${" in value for value in condition.values)
    )


def _negated(condition: Condition) -> Condition:
    base = condition.operator.base
    other = base.replace("Not", "") if "Not" in base else base.replace("String", "StringNot").replace("Arn", "ArnNot")
    return replace(condition, operator=replace(condition.operator, base=other))


@lru_cache(maxsize=4096)
def _only_when(conditions: tuple[Condition, ...]) -> PolicyDocument:
    statement = Statement(0, Effect.ALLOW, actions=("*",), resources=("*",), conditions=conditions)
    return PolicyDocument(CURRENT_VERSION, (statement,), _digest([repr(conditions)]))


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
