"""
Whether a change of control policies can reach a principal at all, told from the actions alone.

INVARIANT: what is said not to overlap does not. What is said to overlap may turn out not to.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from functools import lru_cache
from typing import Final

from rooftree.policy.chain import Chain
from rooftree.policy.model import Effect, PolicyDocument, Statement
from rooftree.policy.patterns import compile_glob
from rooftree.policy.variables import Piece

__all__ = ["changed_denials", "globs_meet", "may_overlap", "surely_covers"]


def changed_denials(before: Chain, after: Chain) -> tuple[Statement, ...] | None:
    """
    Return the denying statements that only one of two chains has; None if they differ in what their levels allow, too.

    A request that none of these statements speaks of is denied by the same statements before and after.
    """
    if _allowing_levels(before) != _allowing_levels(after):
        return None
    denials = [dict(_of_chain(chain, Effect.DENY)) for chain in (before, after)]
    known = {**denials[0], **denials[1]}
    return tuple(known[key] for key in denials[0].keys() ^ denials[1].keys())


def may_overlap(documents: Iterable[PolicyDocument], changed: Iterable[Statement]) -> bool:
    """
    Tell whether some request may be both allowed by one of the documents and spoken of by one of the statements.
    """
    changed = tuple(changed)
    return any(
        _meet(statement, other)
        for document in documents
        for statement in document.statements
        if statement.effect is Effect.ALLOW
        for other in changed
    )


def _of_chain(chain: Chain, effect: Effect) -> Iterator[tuple[Hashable, Statement]]:
    for level in chain.levels or ():
        for policy in level.policies:
            yield from _of_effect(policy.document, effect)


def _allowing_levels(chain: Chain) -> frozenset[frozenset[Hashable]]:
    """
    Return what each level of a chain allows, without levels that allow everything: those could as well be absent.
    """
    levels = (
        frozenset(key for policy in level.policies for key, _ in _of_effect(policy.document, Effect.ALLOW))
        for level in chain.levels or ()
    )
    return frozenset(level for level in levels if level.isdisjoint(_EVERYTHING))


_EVERYTHING: Final = frozenset((("*",), None, ("*",), None, (), variables) for variables in (True, False))


@lru_cache(maxsize=16384)
def _of_effect(document: PolicyDocument, effect: Effect) -> tuple[tuple[Hashable, Statement], ...]:
    return tuple(
        (
            (
                statement.actions,
                statement.not_actions,
                statement.resources,
                statement.not_resources,
                statement.conditions,
                document.has_variables,
            ),
            statement,
        )
        for statement in document.statements
        if statement.effect is effect
    )


def _meet(one: Statement, other: Statement) -> bool:
    if one.actions is None:
        return True
    return any(_reaches(pattern.lower(), other) for pattern in one.actions)


def _reaches(pattern: str, statement: Statement) -> bool:
    if statement.actions is not None:
        return any(globs_meet(pattern, action.lower()) for action in statement.actions)
    return not any(surely_covers(action.lower(), pattern) for action in statement.not_actions or ())


@lru_cache(maxsize=65536)
def surely_covers(wide: str, narrow: str) -> bool:
    """
    Tell whether *wide* matches all that *narrow* does; it may do so without being noticed.

    Where the only wildcard of *wide* is the star, what it does with a wildcard of *narrow* as with any other character
    it does with whatever that stands for.
    """
    return "?" not in wide and compile_glob((Piece(wide),)).matches(narrow)


@lru_cache(maxsize=65536)
def globs_meet(one: str, other: str) -> bool:
    """
    Tell whether some text matches both patterns: walks both at once, over the pairs of places that can be reached.
    """
    pending, seen = [(0, 0)], {(0, 0)}
    while pending:
        i, j = pending.pop()
        if i == len(one) and j == len(other):
            return True
        for step in _steps(one, other, i, j):
            if step not in seen:
                seen.add(step)
                pending.append(step)
    return False


def _steps(one: str, other: str, i: int, j: int) -> Iterator[tuple[int, int]]:
    left, right = one[i : i + 1], other[j : j + 1]
    if left == "*":
        yield i + 1, j
        if right:
            yield i, j + 1
    if right == "*":
        yield i, j + 1
        if left:
            yield i + 1, j
    if left and right and "*" not in (left, right) and (left == right or "?" in (left, right)):
        yield i + 1, j + 1
