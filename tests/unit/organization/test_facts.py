from __future__ import annotations

from itertools import combinations

import pytest
from tests.generators.telling import ACCOUNT, at

from rooftree.organization.facts import Attribute, Fact, FactKind, FactValue, Rank, Version


def name(value: FactValue, second: int, *, sequence: str = "", rank: int = Rank.EXPLICIT, event: str = "e") -> Fact:
    """A name told at some second."""
    return Fact(FactKind.ACCOUNT, ACCOUNT, Attribute.NAME, value, Version(at(second), sequence, rank, event))


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        (name("a", 2), name("b", 1)),
        (name("a", 1, sequence="2"), name("b", 1, sequence="1")),
        (name("a", 1, sequence="0"), name("b", 1)),
        (name("a", 1, rank=Rank.EXPLICIT), name("b", 1, rank=Rank.IMPLIED)),
        (name("a", 1, sequence="2", rank=Rank.IMPLIED), name("b", 1, sequence="1", rank=Rank.EXPLICIT)),
        (name("a", 1, event="f"), name("b", 1, event="e")),
        (name("b", 1), name("a", 1)),
    ],
    ids=["time", "sequence", "some sequence", "rank", "sequence before rank", "event id", "value"],
)
def test_the_later_fact_overrules(newer: Fact, older: Fact) -> None:
    """Time decides, then the sequence, then what was said outright, then the event id, and the value at last."""
    assert (newer.overrules(older), older.overrules(newer)) == (True, False)


def test_a_fact_does_not_overrule_itself() -> None:
    """A repetition is no news."""
    assert False is name("a", 1).overrules(name("a", 1))


def test_of_two_facts_that_differ_exactly_one_overrules() -> None:
    """The order is total, so that merging does not depend on which comes first."""
    values: tuple[FactValue, ...] = ("a", "b", True, False, None)
    facts = [name(value, second) for value in values for second in (1, 2)]
    for one, other in combinations(facts, 2):
        assert one.overrules(other) is not other.overrules(one)
