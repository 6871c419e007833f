"""
The maximum permissions of an account: every request that the policies on its chain let through.

Results are shared: accounts whose chains mean the same for them get one object, and a pair is compared once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from rooftree.permissions.account import AccountBinding
from rooftree.permissions.actions import forget_classes
from rooftree.permissions.automaton import forget_partings
from rooftree.permissions.bounds import TooComplexError
from rooftree.permissions.canonical import identity_of
from rooftree.permissions.chain import NO_LIMITS, BoundChain, BoundLevel, Limits, allowed, bind_chain, matched
from rooftree.permissions.change import Standpoint, describe, forget_tellings
from rooftree.permissions.comparison import EQUIVALENT, Comparison
from rooftree.permissions.difference import find_difference, forget_differences
from rooftree.permissions.document import Question, forget_documents, questions_about
from rooftree.permissions.fallback import compare_roughly
from rooftree.permissions.keys import Side, principal_side, resource_side
from rooftree.permissions.language import partition
from rooftree.permissions.location import locate
from rooftree.permissions.space import Space
from rooftree.permissions.summary import Compiled, summarize, verdicts_of
from rooftree.policy.chain import Chain
from rooftree.policy.evaluate import Decision, decide_chain
from rooftree.policy.request import Request

__all__ = ["Permissions", "compare", "forget_chains", "forget_results", "maximum_permissions", "telling_apart"]

SHARED_RESULTS: Final = 4096
"""Distinct chains and pairs of chains kept: more than an organization has nodes with policies of their own."""

COMPILED: Final = 64
"""Diagrams of whole chains kept, at some hundred kilobytes each."""


@dataclass(frozen=True, eq=False)
class Permissions:
    """
    What an account may do at most, shared by all accounts for which the chain means the same.

    Attributes:
        chain: The chain of the account that asked first.
        account: That account.
        bound: What limits its principals.
        bound_resources: What limits those who ask for its resources.
    """

    chain: Chain
    account: AccountBinding
    bound: BoundChain
    bound_resources: BoundChain

    @cached_property
    def permissions_id(self) -> str:
        """
        What names these permissions: equal for chains that decide alike, however they were written.
        """
        own = _identity(self.bound.limits, self.account.side)
        if self.bound_resources.levels is None:
            return own
        side = self.account.of_resources.side
        resources = _identity(self.bound_resources.limits, side)
        if resources == _identity(NO_LIMITS, side):
            return own
        return hashlib.sha256(f"{own} {resources}".encode()).hexdigest()[:32]

    def compile(self) -> bool:
        """
        Have the diagrams ready for what is asked next; tell whether the policies are simple enough for any.
        """
        return self._compiled is not None

    def summary(self, account: AccountBinding) -> dict[str, object]:
        """
        Return, as JSON, what is allowed everywhere, denied everywhere, and allowed under conditions.

        Where resource control policies limit something, ``resource_control`` holds the same of requests that anybody
        makes of the account's resources.
        """
        summary = summarize(self._compiled, account)
        if self.bound_resources.limits != NO_LIMITS:
            of_resources = summarize(_compile(self.bound_resources.limits, self.account.of_resources.side), account)
            if "unlimited" not in of_resources or not of_resources["unlimited"]:
                summary["resource_control"] = of_resources
        return summary

    def verdicts(self) -> dict[tuple[str, str], str]:
        """
        Return for each known action, as service and name, ``allowed``, ``conditional`` or ``denied``.
        """
        return verdicts_of(self._compiled)

    def decide(self, request: Request) -> Decision:
        """
        Decide one request of a principal of an account that shares these permissions.

        A request that is not one of those that the diagrams are about is decided by the evaluator.
        """
        compiled = self._compiled
        point = None if compiled is None else locate(compiled.space, request)
        if compiled is None or point is None:
            return decide_chain(self.chain, request).decision
        if compiled.space.diagrams.at(compiled.allowed, point):
            return Decision.ALLOW
        denied = compiled.space.diagrams.at(compiled.denied, point)
        return Decision.EXPLICIT_DENY if denied else Decision.IMPLICIT_DENY

    @property
    def _compiled(self) -> Compiled | None:
        return _compile(self.bound.limits, self.account.side)


def maximum_permissions(chain: Chain, account: AccountBinding) -> Permissions:
    """
    Return what *chain* lets the principals of *account* do at most, and anybody with its resources.
    """
    bound = bind_chain(chain, account)
    resources = NOT_BOUND
    if chain.resource_levels is not None:
        resources = bind_chain(chain.of_resources, account.of_resources)
    key = (account.side, bound.levels, resources.levels)
    found = _shared.get(key)
    if found is None:
        if len(_shared) >= SHARED_RESULTS:
            _shared.clear()
        found = _shared[key] = Permissions(chain, account, bound, resources)
    return found


def telling_apart(chain: Chain, partition: str) -> tuple[Question, ...]:
    """
    Return what must be asked of accounts in one partition to know whether a chain means the same for them.

    INVARIANT: accounts with equal answers have one and the same permissions; most policies ask nothing.
    """
    sides = principal_side(partition), resource_side(partition)
    own = (questions_about(policy.document, sides[0]) for level in chain.levels or () for policy in level.policies)
    others = (
        map(_of_resources, questions_about(policy.document, sides[1]))
        for level in chain.resource_levels or ()
        for policy in level.policies
    )
    return tuple(dict.fromkeys(question for asked in (*own, *others) for question in asked))


def _of_resources(question: Question) -> Question:
    return lambda account: question(account.of_resources)


NOT_BOUND: Final = BoundChain(None)

_Bound = tuple[BoundLevel, ...] | None

_shared: Final[dict[tuple[Side, _Bound, _Bound], Permissions]] = {}


@lru_cache(maxsize=SHARED_RESULTS)
def compare(before: Permissions, after: Permissions) -> Comparison:
    """
    Return the decision changes from *before* to *after*, which belong to one account.

    Where the patterns are too tangled to be told apart, the changes hold every request that may differ, and say so.
    Where the account was taken to be in another partition, a principal is the same one by another ARN.
    """
    sides = [
        _compare_side(
            Standpoint("before", before.chain, before.bound, before.account),
            Standpoint("after", after.chain, after.bound, after.account),
        )
    ]
    if before.bound_resources is not after.bound_resources:
        sides.append(
            _compare_side(
                Standpoint("before", before.chain.of_resources, before.bound_resources, before.account.of_resources),
                Standpoint("after", after.chain.of_resources, after.bound_resources, after.account.of_resources),
            )
        )
    differing = [comparison for comparison in sides if comparison is not EQUIVALENT]
    if len(differing) < 2:
        return differing[0] if differing else EQUIVALENT
    return differing[0].joined(differing[1])


def _compare_side(before: Standpoint, after: Standpoint) -> Comparison:
    side = after.account.side
    try:
        difference = find_difference(before.bound.limits, after.bound.limits, side)
    except TooComplexError:
        changes = compare_roughly(before.bound, after.bound, side)
        return Comparison((change.direction for change in changes), lambda: changes)
    if difference is None:
        return EQUIVALENT
    return Comparison((part.direction for part in difference.parts), lambda: describe(difference, before, after))


def forget_chains() -> None:
    """
    Drop what is known of chains; policies stay compiled.
    """
    _shared.clear()
    for remembered in (compare, _compile, _identity):
        remembered.cache_clear()
    forget_differences()
    forget_tellings()


def forget_results() -> None:
    """
    Drop all shared results, as if the process had just started.
    """
    forget_chains()
    forget_classes()
    forget_partings()
    partition.cache_clear()
    forget_documents()


@lru_cache(maxsize=COMPILED)
def _compile(limits: Limits, side: Side) -> Compiled | None:
    """
    Return the diagram of what is let through; ``None`` where the patterns are too many to tell apart.
    """
    try:
        space = Space(limits.statements, side, within=side.services)
        return Compiled(space, allowed(limits, space), matched(limits.denials, space))
    except TooComplexError:
        return None


@lru_cache(maxsize=SHARED_RESULTS)
def _identity(limits: Limits, side: Side) -> str:
    """
    Return what names the requests that are let through; where they are too tangled, what names the statements.
    """
    compiled = _compile(limits, side)
    try:
        if compiled is not None:
            return identity_of(compiled.space, compiled.allowed)
    except TooComplexError:
        pass
    levels = sorted(sorted(statement.identity for statement in grant) for grant in limits.grants)
    denials = sorted(statement.identity for statement in limits.denials)
    return hashlib.sha256(repr((side.name, levels, denials)).encode()).hexdigest()[:32]
