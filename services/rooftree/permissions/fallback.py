"""
A comparison for policies that are too tangled to be told apart: nothing is missed, but more may be said than is so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rooftree.permissions.chain import BoundChain, Origin
from rooftree.permissions.change import Blame, DecisionChange, known_actions
from rooftree.permissions.condition_line import ConditionLine
from rooftree.permissions.glob import ANY_STRING, glob_atom
from rooftree.permissions.keys import Side
from rooftree.permissions.pattern import Pattern
from rooftree.policy.evaluate import Decision
from rooftree.policy.model import Effect
from rooftree.policy.variables import Piece

__all__ = ["compare_roughly"]


def compare_roughly(before: BoundChain, after: BoundChain, side: Side) -> list[DecisionChange]:
    """
    Return changes that together hold every request whose decision may differ; none of them is exact.
    """
    changes = [*_one_way(before, after, flipped=False), *_one_way(after, before, flipped=True)]
    return [replace(change, of_resources=not side.own_principals) for change in changes]


def _one_way(allowing: BoundChain, denying: BoundChain, *, flipped: bool) -> Iterator[DecisionChange]:
    """
    Yield what the second chain may deny that the first lets through.
    """
    for statement, origin in denying.entries(Effect.DENY):
        if statement not in allowing.limits.denials:
            side = "before" if flipped else "after"
            yield _change(origin, (Blame(origin, side),), Decision.EXPLICIT_DENY, flipped=flipped)
    for level in denying.levels or ():
        allows = level.allows
        if any(statement.unlimited for statement in allows) or any(grant <= allows for grant in allowing.limits.grants):
            continue
        # some request may pass each level of the first chain and find nothing that allows it here
        side = "before" if flipped else "after"
        blamed = tuple(Blame(origin, side) for effect in Effect for _bound, origin in level.entries(effect))
        yield _change(None, blamed, Decision.IMPLICIT_DENY, flipped=flipped)


def _change(origin: Origin | None, blame: tuple[Blame, ...], denial: Decision, *, flipped: bool) -> DecisionChange:
    decisions = (denial, Decision.ALLOW) if flipped else (Decision.ALLOW, denial)
    actions, resources = Pattern((ANY_STRING,)), Pattern((ANY_STRING,))
    conditions: tuple[ConditionLine, ...] = ()
    if origin is not None:
        source = origin.source
        actions = _pattern(source.actions, source.not_actions, lower=True)
        resources = _pattern(source.resources, source.not_resources, lower=False)
        conditions = tuple(
            ConditionLine(str(condition.operator), condition.key, condition.values) for condition in source.conditions
        )
    return DecisionChange(
        *decisions,
        actions,
        resources,
        conditions,
        witness=None,
        statements=blame,
        unless=(),
        known_actions=known_actions(actions),
        exact=False,
        of_resources=False,
    )


def _pattern(some: tuple[str, ...] | None, none: tuple[str, ...] | None, *, lower: bool) -> Pattern:
    """
    Return the patterns of an element as they were written.
    """
    if some is not None:
        return Pattern(tuple(glob_atom((Piece(text),), text, lower=lower) for text in some))
    return Pattern((ANY_STRING,), tuple(glob_atom((Piece(text),), text, lower=lower) for text in none or ()))
