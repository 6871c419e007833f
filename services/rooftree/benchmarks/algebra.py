"""
The permission algebra, from policy texts to decision changes, step by step.

Each step is timed over many chains, so that its spread shows. The floor is to read the JSON texts of the same policies,
which anything that compares them must do once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from rooftree.benchmarks.measure import Measurement, Subject, measure
from rooftree.permissions import (
    AccountBinding,
    Permissions,
    compare,
    forget_chains,
    forget_results,
    maximum_permissions,
)
from rooftree.policy.builtin import FULL_AWS_ACCESS, FULL_AWS_ACCESS_ID
from rooftree.policy.chain import AttachedPolicy, Chain, Level
from rooftree.policy.document import parse_policy

__all__ = ["ALGEBRA_STEPS", "algebra_measurements"]

ACCOUNT: Final = AccountBinding("222222222222", "o-exampleorg", "o-exampleorg/r-ab12/ou-ab12-aaaaaaaa/")
EVERYTHING: Final = AttachedPolicy(FULL_AWS_ACCESS_ID, "FullAWSAccess", FULL_AWS_ACCESS)

SHAPES: Final = ((4, 3), (7, 10))
"""Levels, and policies on each: such as organizations have, and as many as AWS takes."""

ALGEBRA_STEPS: Final = 2 + 5 * len(SHAPES)


def algebra_measurements(
    texts: Sequence[str], *, runs: int, shapes: Sequence[tuple[int, int]] = SHAPES
) -> Iterator[Measurement]:
    """
    Yield the time of each step from policy texts to decision changes.
    """
    read = Subject("read the JSON text", _each(texts, json.loads))
    yield measure(Subject("parse a policy", _each(texts, parse_policy)), read, runs=runs, scenario="algebra")
    yield measure(
        Subject("compile a policy", _each(texts, lambda text: _compiled(_chain([[text]]))), prepare=forget_results),
        read,
        runs=runs,
        scenario="algebra",
    )
    for levels, each in shapes:
        yield from _chain_measurements(texts, levels, each, runs=runs)


@dataclass(slots=True)
class _Pair:
    """
    Two chains that differ in one policy, drawn anew for each time.
    """

    texts: Sequence[str]
    levels: int
    each: int
    random: Random = field(default_factory=lambda: Random(1))  # noqa: S311  # the same chains in every run
    before: list[list[str]] = field(default_factory=list)
    after: list[list[str]] = field(default_factory=list)
    compiled: tuple[Permissions, Permissions] | None = None

    def draw(self) -> None:
        """
        Take another pair, and forget all that is known of others.
        """
        most = min(self.each, len(self.texts))
        self.before = [self.random.sample(self.texts, most) for _level in range(self.levels)]
        self.after = [list(level) for level in self.before]
        self.random.choice(self.after)[-1] = self.random.choice(self.texts)
        forget_results()

    def compile(self) -> None:
        """
        Take another pair, with both chains compiled.
        """
        self.draw()
        self.compiled = _compiled(_chain(self.before)), _compiled(_chain(self.after))

    def bind(self) -> None:
        """
        Take another pair, with its policies compiled and its chains not yet.
        """
        self.compile()
        forget_chains()


def _chain_measurements(texts: Sequence[str], levels: int, each: int, *, runs: int) -> Iterator[Measurement]:
    shape = f"{levels} levels of {each}"
    pair = _Pair(texts, levels, each)
    read = Subject(
        f"read the JSON texts of {shape}", lambda: [json.loads(text) for level in pair.after for text in level]
    )
    pair.draw()

    def told(before: Permissions, after: Permissions) -> object:
        return compare(before, after).changes(ACCOUNT)

    def compiled() -> tuple[Permissions, Permissions]:
        assert pair.compiled is not None
        return pair.compiled

    for name, run, prepare in (
        ("combine a chain", lambda: _compiled(_chain(pair.after)), pair.bind),
        ("name a combined chain", lambda: compiled()[1].permissions_id, pair.compile),
        ("compare two compiled chains", lambda: compare(*compiled()).verdict, pair.compile),
        ("compare two compiled chains and tell the changes", lambda: told(*compiled()), pair.compile),
        (
            "compare two chains from their texts",
            lambda: compare(*(maximum_permissions(_chain(one), ACCOUNT) for one in (pair.before, pair.after))).verdict,
            pair.draw,
        ),
    ):
        yield measure(Subject(f"{name}, {shape}", run, prepare=prepare), read, runs=runs, scenario="algebra")


def _each(texts: Sequence[str], run: Callable[[str], object]) -> Callable[[], object]:
    """
    Return what does something with one text after the other.
    """
    position = 0

    def once() -> object:
        nonlocal position
        position = (position + 1) % len(texts)
        return run(texts[position])

    return once


def _chain(levels: Sequence[Sequence[str]]) -> Chain:
    targets = [*(f"ou-ab12-{number:08d}" for number in range(len(levels) - 1)), ACCOUNT.account_id]
    return Chain(
        tuple(
            Level(
                target,
                (EVERYTHING, *(AttachedPolicy(f"p-{hash(text):x}", "policy", parse_policy(text)) for text in texts)),
            )
            for target, texts in zip(targets, levels, strict=True)
        )
    )


def _compiled(chain: Chain) -> Permissions:
    permissions = maximum_permissions(chain, ACCOUNT)
    permissions.compile()
    return permissions
