"""
A chain of policies as it binds one account, and as a diagram.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from rooftree.permissions.account import ACCOUNT_PLACEHOLDER, AccountBinding
from rooftree.permissions.diagram import Node
from rooftree.permissions.document import BoundDocument, bind_document
from rooftree.permissions.predicate import BoundStatement
from rooftree.permissions.space import Space
from rooftree.policy.chain import Chain
from rooftree.policy.model import Effect, Statement

__all__ = ["NO_LIMITS", "BoundChain", "BoundLevel", "Entry", "Limits", "Origin", "allowed", "bind_chain", "matched"]


@dataclass(frozen=True, slots=True)
class Origin:
    """
    Where a statement stands: the node, the policy and its place in it.

    Attributes:
        target_id: The node; ``{account}`` for the account itself, so that accounts can share the result.
        statement: The Sid, or the position.
        source: The statement as written.
    """

    target_id: str
    policy_id: str
    statement: str
    source: Statement = field(compare=False, repr=False)


Entry = tuple[BoundStatement, Origin]


@dataclass(frozen=True, slots=True)
class BoundLevel:
    """
    What hangs on one node: policies by id, as they bind the account.
    """

    target_id: str
    policies: tuple[tuple[str, BoundDocument], ...]

    @property
    def allows(self) -> frozenset[BoundStatement]:
        """
        The statements that allow something.
        """
        return frozenset().union(*(document.allows for _policy, document in self.policies))

    def entries(self, effect: Effect) -> Iterable[Entry]:
        """
        Yield the statements with an effect, each with where it stands.
        """
        for policy_id, document in self.policies:
            for bound, source in document.statements:
                if bound.effect is effect:
                    yield bound, Origin(self.target_id, policy_id, source.label, source)


@dataclass(frozen=True, slots=True)
class Limits:
    """
    The statements of a chain that can take something away.

    Chains with equal limits decide alike: order, repetition, names, Sids and levels that allow everything do not count.

    Attributes:
        grants: For each level that does not allow everything, the statements of which one must allow a request.
        denials: The statements of which none must speak of it.
    """

    grants: frozenset[frozenset[BoundStatement]]
    denials: frozenset[BoundStatement]

    @property
    def statements(self) -> Iterable[BoundStatement]:
        """
        All statements.
        """
        yield from self.denials
        for grant in self.grants:
            yield from grant


NO_LIMITS: Final = Limits(frozenset(), frozenset())


@dataclass(frozen=True)
class BoundChain:
    """
    The levels of a chain for one account; ``None`` where nothing limits it.
    """

    levels: tuple[BoundLevel, ...] | None

    @cached_property
    def limits(self) -> Limits:
        """
        What of the chain decides.
        """
        levels = self.levels or ()
        allows = [level.allows for level in levels]
        return Limits(
            frozenset(some for some in allows if not any(statement.unlimited for statement in some)),
            frozenset().union(*(document.denials for level in levels for _policy, document in level.policies)),
        )

    def entries(self, effect: Effect) -> Iterable[Entry]:
        """
        Yield the statements with an effect, level by level.
        """
        for level in self.levels or ():
            yield from level.entries(effect)


def bind_chain(chain: Chain, account: AccountBinding) -> BoundChain:
    """
    Return what the policies of a chain mean for the requests of an account.
    """
    if chain.levels is None:
        return BoundChain(None)
    last = len(chain.levels) - 1
    levels = []
    for depth, level in enumerate(chain.levels):
        own = depth == last and level.target_id == account.account_id
        policies = tuple((policy.policy_id, bind_document(policy.document, account)) for policy in level.policies)
        levels.append(BoundLevel(ACCOUNT_PLACEHOLDER if own else level.target_id, policies))
    return BoundChain(tuple(levels))


def allowed(limits: Limits, space: Space) -> Node:
    """
    Return the requests that pass every level and that nothing denies. The space must know all of the statements.
    """
    levels = space.diagrams.all_of(matched(grant, space) for grant in limits.grants)
    return space.diagrams.without(levels, matched(limits.denials, space))


def matched(statements: Iterable[BoundStatement], space: Space) -> Node:
    """
    Return the requests that one of some statements speaks of.
    """
    return space.diagrams.any_of(space.node(statement) for statement in statements)
