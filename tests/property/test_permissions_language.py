"""
The claim behind every audit event, over all of the language, held against the reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st
from tests.generators.chains import ACCOUNT
from tests.generators.language import Fit, Language, Pair
from tests.generators.questions import Asked, asked_pairs, questions_about
from tests.generators.rewriting import rewritten
from tests.property.covering import covers, witness_request

from rooftree.permissions import compare, maximum_permissions
from rooftree.policy import reference
from rooftree.policy.evaluate import decide_chain
from rooftree.policy.request import Request

Json = dict[str, Any]
RANDOM = st.randoms(use_true_random=False)


def _changes(pair: Pair) -> list[Json]:
    before, after = (maximum_permissions(chain.chain(), ACCOUNT) for chain in (pair.before, pair.after))
    return compare(before, after).changes(ACCOUNT)


def _decisions(pair: Pair, request: Request) -> tuple[str, str]:
    return reference.decide(pair.before.documents, request), reference.decide(pair.after.documents, request)


def _check_nothing_is_missed(pair: Pair, changes: list[Json], requests: Sequence[Request]) -> None:
    for request in requests:
        before, after = _decisions(pair, request)
        covering = [change for change in changes if covers(change, request)]
        if before != after and "allow" in (before, after):
            event("a request is decided differently")
            direction = "denied" if before == "allow" else "allowed"
            assert direction in {change["direction"] for change in covering}, (pair, request, changes)
        for change in covering:
            if change.get("exact", True):
                assert (change["before"], change["after"]) == (before, after), (pair, request, change)


def _check_witnesses(pair: Pair, changes: list[Json]) -> None:
    chains = pair.before.chain(), pair.after.chain()
    for change in changes:
        event("an exact change" if change.get("exact", True) else "an inexact change")
        assert change["witness"] is not None or change["exact"] is False, (pair, change)
        if change["witness"] is not None:
            request = witness_request(change)
            expected = change["before"], change["after"]
            assert expected == _decisions(pair, request), (pair, change)
            assert expected == tuple(decide_chain(chain, request).decision for chain in chains), (pair, change)
            assert covers(change, request) or change.get("exact") is False, (pair, change)


class TestComparison:
    @given(asked_pairs(variables=False))
    def test_what_is_reported_is_real_and_what_is_not_does_not_exist(self, asked: Asked) -> None:
        """
        Each request that flips is covered by a change in its direction, and each change is shown by a witness.
        """
        changes = _changes(asked.pair)

        _check_nothing_is_missed(asked.pair, changes, asked.requests)
        _check_witnesses(asked.pair, changes)

    @given(asked_pairs())
    def test_policies_with_variables_are_told_apart_too(self, asked: Asked) -> None:
        """
        With policy variables and the old language no flip is missed, and what is said to be exact is so.
        """
        changes = _changes(asked.pair)

        _check_nothing_is_missed(asked.pair, changes, asked.requests)
        _check_witnesses(asked.pair, changes)

    @given(asked_pairs(variables=False, fit=Fit.TEXT))
    def test_numbers_moments_and_addresses_compared_as_text_are_told_apart_too(self, asked: Asked) -> None:
        """
        A key that is compared both as what its values are and as text leaves no flip without a change.
        """
        changes = _changes(asked.pair)

        _check_nothing_is_missed(asked.pair, changes, asked.requests)
        _check_witnesses(asked.pair, changes)

    @given(asked_pairs(variables=False, count=0))
    def test_the_way_back_mirrors_the_way_there(self, asked: Asked) -> None:
        """
        Comparing in the other direction finds the same sets with their decisions exchanged.
        """

        def told(changes: list[Json], before: str, after: str) -> list[str]:
            names = ("actions", "resources", "conditions", before, after)
            return sorted(repr([change[name] for name in names]) for change in changes)

        there = _changes(asked.pair)
        back = _changes(Pair(asked.pair.after, asked.pair.before))

        assert told(there, "before", "after") == told(back, "after", "before")

    @given(RANDOM)
    def test_a_chain_does_not_differ_from_itself(self, random: Random) -> None:
        """
        The same texts read twice make one set of permissions without a change.
        """
        chain = Language(random, fit=Fit.NONE).chain()
        one, other = (maximum_permissions(chain.chain(), ACCOUNT) for _ in range(2))

        assert one.permissions_id == other.permissions_id
        assert [] == compare(one, other).changes(ACCOUNT)


class TestRewriting:
    @given(RANDOM)
    def test_other_words_for_the_same_are_no_change(self, random: Random) -> None:
        """
        Splitting, joining, repeating, reordering and respelling policies leaves decisions and identity as they were.
        """
        before = Language(random).chain()
        pair = Pair(before, rewritten(random, before))
        questions = questions_about(random, pair)

        for request in (questions.request() for _ in range(4)):
            decided, rewritten_decided = _decisions(pair, request)
            assert decided == rewritten_decided, (pair, request)
        assert [] == _changes(pair), pair
        before_id, after_id = (
            maximum_permissions(chain.chain(), ACCOUNT).permissions_id for chain in (before, pair.after)
        )
        assert before_id == after_id, pair

    @given(RANDOM)
    def test_one_changed_word_among_other_words_is_found(self, random: Random) -> None:
        """
        A change in the midst of a rewriting is covered as it is without.
        """
        language = Language(random, variables=False)
        before = language.chain()
        pair = Pair(before, rewritten(random, language.changed(rewritten(random, before))))
        questions = questions_about(random, pair)

        _check_nothing_is_missed(pair, _changes(pair), [questions.request() for _ in range(8)])


def test_the_generated_language_is_wide() -> None:
    """
    What is drawn here uses every element, operator family, set prefix and suffix of the language.
    """
    chains = [Language(Random(seed)).chain() for seed in range(300)]

    text = repr([chain.documents for chain in chains])

    wanted = ["NotAction", "NotResource", "ForAllValues:", "ForAnyValue:", "IfExists", "'Null'", "${*}", "2008-10-17"]
    wanted += ["BinaryEquals", "NotIpAddress", "NumericLessThan", "DateGreaterThanEquals", "ArnNotLike", "'Bool'"]
    wanted += ["StringNotEqualsIgnoreCase", "StringNotLike", ", 'b'}", "2001:db8::/32", "1e3", "1767225600.5"]
    assert [] == [word for word in wanted if word not in text]
    assert {1, 2, 3} == {len(chain.levels) for chain in chains}
