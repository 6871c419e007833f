"""
The algebra against an SMT solver: a second opinion that knows nothing of classes and diagrams.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random, SystemRandom

import pytest
from hypothesis import settings
from tests.differential.smt import ask
from tests.differential.smt_timing import measure, region_pairs
from tests.generators.chains import ACCOUNT
from tests.generators.language import KEYS, Language, Pair, Written, statements_of
from tests.generators.rewriting import rewritten

from rooftree.permissions import compare, maximum_permissions
from rooftree.policy import reference
from rooftree.policy.evaluate import Decision, decide_chain

SINGLE_VALUED = tuple(key for key in KEYS if not key.many)
PAIRS = settings().max_examples // 2
SECONDS = 2
"""Nearly all small pairs are answered in a tenth of it."""


def _can_be_asked(pair: Pair) -> bool:
    """
    Tell whether no key holds several values, as one that AWS does not define does once a policy treats it so.
    """
    return not any(
        ":" in operator and not key.lower().startswith("aws:")
        for statement in statements_of(pair.before, pair.after)
        for operator, block in statement.get("Condition", {}).items()
        for key in block
    )


def _pair(random: Random) -> Pair:
    """
    Return a pair that can be put to the solver, a third of them the same in other words.
    """
    language = Language(random, variables=False, keys=SINGLE_VALUED)
    pair = language.pair()
    while not _can_be_asked(pair):
        pair = language.pair()
    return Pair(pair.before, rewritten(random, pair.before)) if random.choice((True, False, False)) else pair


def _allows(pair: Pair, decide: Callable[[Written], str]) -> list[bool]:
    return [decide(chain) == "allow" for chain in (pair.before, pair.after)]


def _check(pair: Pair, place: str) -> str:
    """
    Hold both answers to one pair together, and return the solver's in a word.
    """
    chains = [chain.chain() for chain in (pair.before, pair.after)]
    verdict = compare(*(maximum_permissions(chain, ACCOUNT) for chain in chains)).verdict
    answer = ask(pair.before, pair.after, seconds=SECONDS)
    if answer.differs is None:
        return "gave up"
    assert answer.differs is (verdict != "equivalent"), (place, pair, answer.request)
    if answer.request is not None:
        evaluated = [decide_chain(chain, answer.request).decision is Decision.ALLOW for chain in chains]
        assert evaluated[0] is not evaluated[1], (place, pair, answer.request)
        assert evaluated == _allows(pair, lambda chain: reference.decide(chain.documents, answer.request))
    return "different" if answer.differs else "equivalent"


def test_both_agree_on_small_pairs(record_property: Callable[[str, object], None]) -> None:
    """
    What the solver calls equivalent has no change; where it finds a request, the evaluator decides that differently.
    """
    first = SystemRandom().randrange(10**9)

    told = Counter(_check(_pair(Random(seed)), f"seed {seed}") for seed in range(first, first + PAIRS))

    record_property("solver", dict(told))
    assert {"equivalent", "different"} <= set(told), told
    # a solver that keeps giving up would be no second opinion
    assert told["gave up"] <= PAIRS // 4, told


@pytest.mark.parametrize("name", list(region_pairs()))
def test_both_agree_on_policies_that_deny_regions(name: str) -> None:
    """
    A realistic change of one word is seen by both, and other words for the same by neither.
    """
    timing = measure(region_pairs()[name], rounds=1, seconds=30)

    assert timing.agree
