"""
A chain of policies as it binds one account, and as a diagram.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from rooftree.permissions.account import ACCOUNT_PLACEHOLDER, AccountBinding
from rooftree.permissions.diagram import FALSE, TRUE, Node
from rooftree.permissions.document import bind_document
from rooftree.permissions.glob import ANY_STRING, CharSet, Glob
from rooftree.permissions.interval import Interval
from rooftree.permissions.predicate import BoundStatement, KeyTest, PrincipalTerm, Relation, Term
from rooftree.permissions.space import Space
from rooftree.policy.chain import Chain
from rooftree.policy.model import Effect, Statement

__all__ = ["BoundChain", "BoundLevel", "CompiledChain", "Origin", "bind_chain", "compile_chain"]


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


@dataclass(frozen=True, slots=True)
class BoundLevel:
    """
    The statements on one node.
    """

    target_id: str
    statements: tuple[tuple[BoundStatement, Origin], ...]

    def of(self, effect: Effect) -> frozenset[BoundStatement]:
        """
        Return the statements with an effect.
        """
        return frozenset(statement for statement, _origin in self.statements if statement.effect is effect)


@dataclass(frozen=True, slots=True)
class BoundChain:
    """
    The levels of a chain for one account; ``None`` where nothing limits it.
    """

    levels: tuple[BoundLevel, ...] | None

    @property
    def statements(self) -> list[BoundStatement]:
        """
        All statements, level by level.
        """
        return [statement for level in self.levels or () for statement, _origin in level.statements]

    @property
    def identity(self) -> str:
        """
        A digest that chains share if they hold the same sets of allowing levels and of denying statements.

        Order, repetition, names, Sids and levels that allow everything do not count.
        """
        if self.levels is None:
            return _digest(["unlimited"])
        denies = {_spell_statement(statement) for level in self.levels for statement in level.of(Effect.DENY)}
        allows = {
            "|".join(sorted(_spell_statement(statement) for statement in level.of(Effect.ALLOW)))
            for level in self.levels
            if not any(_allows_everything(statement) for statement in level.of(Effect.ALLOW))
        }
        return _digest(["allow", *sorted(allows), "deny", *sorted(denies)])


@dataclass(frozen=True, slots=True)
class CompiledChain:
    """
    What a chain decides, over the dimensions of a space.

    Attributes:
        levels: For each level, the requests that some statement there allows.
        denied: The requests that some statement denies.
        allowed: The requests that pass every level and that nothing denies.
    """

    levels: tuple[Node, ...]
    denied: Node
    allowed: Node


def bind_chain(chain: Chain, account: AccountBinding) -> BoundChain:
    """
    Return what the policies of a chain mean for the principals of an account.
    """
    if chain.levels is None:
        return BoundChain(None)
    last = len(chain.levels) - 1
    levels = []
    for depth, level in enumerate(chain.levels):
        target = ACCOUNT_PLACEHOLDER if depth == last and level.target_id == account.account_id else level.target_id
        statements = tuple(
            (bound, Origin(target, policy.policy_id, statement.label, statement))
            for policy in level.policies
            for bound, statement in bind_document(policy.document, account).statements
        )
        levels.append(BoundLevel(target, statements))
    return BoundChain(tuple(levels))


def compile_chain(chain: BoundChain, space: Space) -> CompiledChain:
    """
    Return the diagrams of a chain. All of its statements must be known to the space.
    """
    if chain.levels is None:
        return CompiledChain((), FALSE, TRUE)
    diagrams = space.diagrams
    levels = tuple(diagrams.any_of(_nodes(level.of(Effect.ALLOW), space)) for level in chain.levels)
    denies = {statement for level in chain.levels for statement in level.of(Effect.DENY)}
    denied = diagrams.any_of(_nodes(denies, space))
    return CompiledChain(levels, denied, diagrams.without(diagrams.all_of(set(levels)), denied))


def _nodes(statements: Iterable[BoundStatement], space: Space) -> list[Node]:
    return sorted(space.node(statement) for statement in statements)


def _allows_everything(statement: BoundStatement) -> bool:
    return (
        not statement.tests
        and not statement.actions_negated
        and not statement.resources_negated
        and ANY_STRING in statement.actions
        and ANY_STRING in statement.resources
    )


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


_STAR: Final = {CharSet.ANY: "**", CharSet.NOT_COLON: "*"}
_ONE: Final = {CharSet.ANY: "??", CharSet.NOT_COLON: "?"}


def _spell_glob(glob: Glob) -> str:
    parts = []
    for token in glob:
        if isinstance(token.chars, str):
            parts.append(f"[{token.chars}]")
        else:
            parts.append((_STAR if token.star else _ONE)[token.chars])
    return "".join(parts)


def _spell_globs(globs: Iterable[Glob]) -> str:
    return "{" + ",".join(sorted(_spell_glob(glob) for glob in globs)) + "}"


def _spell_term(term: Term) -> str:
    match term:
        case Interval():
            return f"{term.kind}:{term.low}:{term.high}:{term.low_closed:d}{term.high_closed:d}"
        case PrincipalTerm():
            return f"principal:{_spell_globs(term.iam)}:{_spell_globs(term.sts)}"
        case Relation():
            return f"relation:{term.place}:{term.text}"
        case _:
            return _spell_globs(term.globs)


def _spell_test(test: KeyTest) -> str:
    terms = ",".join(sorted(_spell_term(term) for term in test.terms))
    flags = f"{test.negated:d}{test.if_exists:d}"
    return f"{test.key}/{test.family}/{flags}/{test.quantifier or ''}({terms})"


def _spell_statement(statement: BoundStatement) -> str:
    """
    Return a text that only equal statements share.
    """
    actions = ",".join(sorted(_spell_term(term) for term in statement.actions))
    resources = ",".join(sorted(_spell_term(term) for term in statement.resources))
    tests = ";".join(sorted(_spell_test(test) for test in statement.tests))
    return (
        f"{statement.effect}|{statement.actions_negated:d}{actions}|{statement.resources_negated:d}{resources}|{tests}"
    )
