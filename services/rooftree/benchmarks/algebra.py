"""
The permission algebra on the policies of the demo organization.

The floor is to read the JSON texts of the same policies, which anything that compares them must do once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from rooftree.benchmarks.measure import Measurement, Subject, measure
from rooftree.demo import demo_snapshot
from rooftree.permissions import AccountBinding, Permissions, compare, forget_results, maximum_permissions
from rooftree.policy.builtin import FULL_AWS_ACCESS, FULL_AWS_ACCESS_ID
from rooftree.policy.chain import AttachedPolicy, Chain, Level
from rooftree.policy.document import parse_policy

__all__ = ["algebra_measurements"]

ACCOUNT: Final = AccountBinding("222222222222", "o-exampleorg", "o-exampleorg/r-ab12/ou-ab12-aaaaaaaa/")
LEVELS: Final = ("r-ab12", "ou-ab12-aaaaaaaa", ACCOUNT.account_id)

Texts = dict[str, str]


def algebra_measurements(*, runs: int) -> Iterator[Measurement]:
    """
    Yield the time of each step from policy texts to a comparison.
    """
    texts = _demo_texts()
    before, after = list(texts)[:-1], list(texts)
    read = Subject("read the JSON texts", lambda: [json.loads(text) for text in texts.values()])
    yield measure(
        Subject(f"parse {len(texts)} policies", lambda: [parse_policy(text) for text in texts.values()]),
        read,
        runs=runs,
    )
    yield measure(
        Subject(
            "maximum permissions and their summary, from texts",
            lambda: _permissions(texts, after).summary(ACCOUNT),
            prepare=forget_results,
        ),
        read,
        runs=runs,
    )
    yield measure(
        Subject(
            "compare two chains that differ in one policy, from texts",
            lambda: compare(_permissions(texts, before), _permissions(texts, after)),
            prepare=forget_results,
        ),
        read,
        runs=runs,
    )


def _demo_texts() -> Texts:
    policies = demo_snapshot()["policies"]
    assert isinstance(policies, Iterable)
    return {policy["id"]: json.dumps(policy["content"]) for policy in policies}


def _permissions(texts: Texts, names: Iterable[str]) -> Permissions:
    """
    Return the maximum permissions under a chain on whose levels the named policies hang in turn.
    """
    everything = AttachedPolicy(FULL_AWS_ACCESS_ID, "FullAWSAccess", FULL_AWS_ACCESS)
    attached = [[everything] for _level in LEVELS]
    for number, name in enumerate(names):
        attached[number % len(LEVELS)].append(AttachedPolicy(name, name, parse_policy(texts[name])))
    levels = (Level(target, tuple(policies)) for target, policies in zip(LEVELS, attached, strict=True))
    return maximum_permissions(Chain(tuple(levels)), ACCOUNT)
