"""
Theorems of service control policies, as the comparison of permissions must know them.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from tests.generators.chains import ACCOUNT
from tests.generators.language import Language, Written, listed
from tests.generators.questions import questions_about

from rooftree.permissions import compare, maximum_permissions
from rooftree.policy import reference
from rooftree.policy.chain import UNLIMITED, Chain

Json = dict[str, Any]
RANDOM = st.randoms(use_true_random=False)
NOTHING = Written((("222222222222", ()),))


def _directions(before: Written | Chain, after: Written | Chain) -> set[object]:
    """
    Return the directions of all changes from one chain to another.
    """
    chains = (one.chain() if isinstance(one, Written) else one for one in (before, after))
    old, new = (maximum_permissions(chain, ACCOUNT) for chain in chains)
    return {change["direction"] for change in compare(old, new).changes(ACCOUNT)}


def _with(written: Written, depth: int, policies: list[Json]) -> Written:
    """
    Return a chain with other policies on one node.
    """
    levels = list(written.levels)
    levels[depth] = (levels[depth][0], tuple(policies))
    return Written(tuple(levels))


def _of_effect(language: Language, effect: str) -> Json:
    policy = language.policy()
    return {**policy, "Statement": [{**one, "Effect": effect} for one in listed(policy["Statement"])]}


def _check_never_wider(random: Random, wide: Written, narrow: Written) -> None:
    """
    Hold what the reference says of sampled requests to the theorem, too.
    """
    questions = questions_about(random, wide, narrow)
    for request in (questions.request() for _ in range(4)):
        if reference.decide(narrow.documents, request) == "allow":
            assert reference.decide(wide.documents, request) == "allow", (wide, narrow, request)


@given(RANDOM)
def test_attaching_a_deny_never_widens(random: Random) -> None:
    """
    A policy that only denies takes away, and gives back when it is detached.
    """
    language = Language(random)
    without = language.chain()
    depth = random.randrange(len(without.levels))
    attached = _with(without, depth, [*without.levels[depth][1], _of_effect(language, "Deny")])

    _check_never_wider(random, without, attached)
    assert _directions(without, attached) <= {"denied"}
    assert _directions(attached, without) <= {"allowed"}


@given(RANDOM)
def test_detaching_an_allow_never_widens(random: Random) -> None:
    """
    A policy that only allows gives, and takes away when it is detached.
    """
    language = Language(random)
    without = language.chain()
    depth = random.randrange(len(without.levels))
    attached = _with(without, depth, [*without.levels[depth][1], _of_effect(language, "Allow")])

    _check_never_wider(random, attached, without)
    assert _directions(attached, without) <= {"denied"}
    assert _directions(without, attached) <= {"allowed"}


@given(RANDOM)
def test_the_ceiling_of_a_child_lies_within_that_of_its_parent(random: Random) -> None:
    """
    A level more only takes away, and no level lets through more than what is not limited at all.
    """
    child = Language(random).chain()
    assume(len(child.levels) > 1)
    parent = Written(child.levels[:-1])

    _check_never_wider(random, parent, child)
    assert _directions(parent, child) <= {"denied"}
    assert _directions(UNLIMITED, child) <= {"denied"}


@given(RANDOM)
def test_moving_there_and_back_is_no_change(random: Random) -> None:
    """
    What an account may do after a journey is what it could do before.
    """
    language = Language(random)
    home = language.chain()
    there = Written((*language.chain().levels[:-1], home.levels[-1]))

    permissions = [maximum_permissions(chain.chain(), ACCOUNT) for chain in (home, there, home)]

    assert permissions[0].permissions_id == permissions[2].permissions_id
    assert "equivalent" == compare(permissions[0], permissions[2]).verdict
    assert ("equivalent" == compare(permissions[0], permissions[1]).verdict) is not bool(_directions(home, there))


@given(RANDOM)
def test_a_level_that_allows_nothing_denies_everything(random: Random) -> None:
    """
    The default is to deny, whatever the other levels say.
    """
    chain = Language(random).chain()
    emptied = _with(chain, random.randrange(len(chain.levels)), [])

    assert set() == _directions(NOTHING, emptied)


@given(RANDOM)
def test_a_deny_of_everything_wins(random: Random) -> None:
    """
    No statement on any level outweighs a Deny.
    """
    chain = Language(random).chain()
    depth = random.randrange(len(chain.levels))
    policies = list(chain.levels[depth][1])
    policies.insert(
        random.randrange(len(policies) + 1), {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
    )

    assert set() == _directions(NOTHING, _with(chain, depth, policies))


@given(RANDOM)
def test_the_order_of_levels_does_not_matter(random: Random) -> None:
    """
    All levels bind alike, wherever they stand and however often.
    """
    chain = Language(random).chain()
    turned = Written((*reversed(chain.levels), *chain.levels[:1]))

    assert set() == _directions(chain, turned)


def test_what_is_not_limited_is_not_limited() -> None:
    """
    The management account, which no policy binds, differs from an account with nothing, and not from itself.
    """
    assert set() == _directions(UNLIMITED, UNLIMITED)
    assert {"denied"} == _directions(UNLIMITED, NOTHING)
