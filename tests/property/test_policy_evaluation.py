from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.property.policy_strategies import chains, policies, requests, statements

from rooftree.policy.chain import AttachedPolicy, Chain, Level
from rooftree.policy.conditions import condition_holds, holds_without_key
from rooftree.policy.context import Context
from rooftree.policy.evaluate import ChainDecision, Decision, decide_chain, statement_matches
from rooftree.policy.model import Condition, ConditionOperator, Effect
from rooftree.policy.operators import OPERATORS, parse_operator
from rooftree.policy.request import Request

DENIES = policies(st.builds(lambda one: {"Version": "2012-10-17", "Statement": one}, statements("Deny")))
NEGATIONS = {
    f"{family}Not{name}": family + name
    for family in ("String", "Numeric", "Date", "Arn")
    for name in ("Equals", "Like", "EqualsIgnoreCase")
    if family + name in OPERATORS
} | {"NotIpAddress": "IpAddress"}
VALUES = st.sampled_from(["a", "b*", "1", "1.0", "2026", "203.0.113.1", "arn:aws:iam::2:role/x", "*", "true", ""])


def with_level(chain: Chain, index: int, extra: AttachedPolicy) -> Chain:
    """
    Return the chain with one more policy at one level.
    """
    levels = list(chain.levels or ())
    index %= len(levels)
    levels[index] = replace(levels[index], policies=(*levels[index].policies, extra))
    return Chain(tuple(levels))


def permits(chain: Chain, request: Request) -> bool:
    """
    Tell whether a chain lets a request through.
    """
    return decide_chain(chain, request).decision is Decision.ALLOW


@given(chains(), requests())
def test_a_decision_follows_from_its_definition(chain: Chain, request_: Request) -> None:
    """
    Deny wins, then each level must allow, and the statements named are exactly those that match.
    """
    found = {
        effect: [
            (level.target_id, policy.policy_id, statement)
            for level in chain.levels or ()
            for policy in level.policies
            for statement in policy.document.statements
            if statement.effect is effect
            and statement_matches(statement, request_, variables=policy.document.has_variables)
        ]
        for effect in Effect
    }
    allowing = {target_id for target_id, _policy_id, _statement in found[Effect.ALLOW]}
    missing = tuple(level.target_id for level in chain.levels or () if level.target_id not in allowing)
    expected = (
        (Decision.EXPLICIT_DENY, found[Effect.DENY])
        if found[Effect.DENY]
        else (Decision.IMPLICIT_DENY, [])
        if missing
        else (Decision.ALLOW, found[Effect.ALLOW])
    )

    decided = decide_chain(chain, request_)

    assert expected == (decided.decision, [(one.target_id, one.policy_id, one.statement) for one in decided.decided_by])
    assert missing == decided.missing_levels


@given(chains(), st.integers(0, 5), DENIES, requests())
def test_attaching_a_deny_never_widens(chain: Chain, index: int, deny: AttachedPolicy, request_: Request) -> None:
    """
    What passes with it passed without it.
    """
    assert permits(chain, request_) or not permits(with_level(chain, index, deny), request_)


@given(chains(), st.integers(0, 5), policies(), requests())
def test_an_explicit_deny_is_never_taken_back(
    chain: Chain, index: int, policy: AttachedPolicy, request_: Request
) -> None:
    """
    No policy that is added outweighs a Deny.
    """
    before = decide_chain(chain, request_).decision
    after = decide_chain(with_level(chain, index, policy), request_).decision

    assert before is not Decision.EXPLICIT_DENY or after is Decision.EXPLICIT_DENY


@given(chains(), requests())
def test_order_and_repetition_do_not_matter(chain: Chain, request_: Request) -> None:
    """
    Levels, policies and their repetition in any order give the same decision.
    """
    turned = Chain(tuple(reversed([replace(level, policies=level.policies[::-1] * 2) for level in chain.levels or ()])))

    assert decide_chain(chain, request_).decision is decide_chain(turned, request_).decision


@given(chains(), chains(), requests())
def test_a_longer_chain_never_lets_more_through(chain: Chain, below: Chain, request_: Request) -> None:
    """
    A child is bound by its parent.
    """
    whole = Chain((*(chain.levels or ()), *(below.levels or ())))

    assert permits(whole, request_) is (permits(chain, request_) and permits(below, request_))


@given(requests())
def test_a_level_without_policies_lets_nothing_through(request_: Request) -> None:
    """
    The default is to deny.
    """
    assert ChainDecision(Decision.IMPLICIT_DENY, (), ("r-1",)) == decide_chain(Chain((Level("r-1", ()),)), request_)


@given(st.sampled_from(sorted(NEGATIONS)), st.lists(VALUES, max_size=2), st.lists(VALUES, max_size=2))
def test_a_negated_operator_is_the_opposite(name: str, wanted: list[str], given_values: list[str]) -> None:
    """
    With the key or without it, one of the two holds.
    """
    context = Context({"k": tuple(given_values)})

    def holds(operator: str) -> bool:
        return condition_holds(Condition(ConditionOperator(operator), "k", tuple(wanted)), context, variables=True)

    assert holds(name) is not holds(NEGATIONS[name])


@given(
    st.sampled_from(sorted(set(OPERATORS) - {"Null"})),
    st.sampled_from(["", "ForAllValues:", "ForAnyValue:"]),
    st.lists(VALUES, max_size=2),
    st.lists(VALUES, max_size=2),
)
def test_if_exists_adds_requests_without_the_key_and_nothing_else(
    name: str, prefix: str, wanted: list[str], given_values: list[str]
) -> None:
    """
    With the key the suffix changes nothing; without it the condition holds.
    """
    context = Context({"k": tuple(given_values)})
    plain, suffixed = (
        condition_holds(
            Condition(parse_operator(f"{prefix}{name}{suffix}"), "k", tuple(wanted)), context, variables=True
        )
        for suffix in ("", "IfExists")
    )

    assert suffixed is (plain if given_values else True)
    assert given_values or plain is holds_without_key(parse_operator(prefix + name))
