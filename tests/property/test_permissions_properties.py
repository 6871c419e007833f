"""
The claim behind every audit event: what is reported is real, and what is not reported does not exist.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.generators.chains import ACCOUNT, ALLOW_ALL, chains, requests, statements
from tests.property.covering import covers, witness_request

from rooftree.permissions import Comparison, compare, maximum_permissions
from rooftree.policy.chain import AttachedPolicy, Chain, Level
from rooftree.policy.document import parse_policy
from rooftree.policy.evaluate import Decision, decide_chain, statement_matches
from rooftree.policy.model import Effect
from rooftree.policy.request import Request


def _compare(before: Chain, after: Chain) -> Comparison:
    return compare(maximum_permissions(before, ACCOUNT), maximum_permissions(after, ACCOUNT))


def _spared(before: Chain, after: Chain, change: dict[str, Any], request: Request) -> bool:
    """
    Tell whether a statement that a change excepts speaks of a request.
    """
    excepted = {(one["policy_id"], one["statement"], one["side"]) for one in change.get("unless", [])}
    return any(
        statement.effect is Effect.DENY
        and (policy.policy_id, statement.label, side) in excepted
        and statement_matches(statement, request, variables=True)
        for side, chain in (("before", before), ("after", after))
        for level in chain.levels or ()
        for policy in level.policies
        for statement in policy.document.statements
    )


def _has_variables(*chains: Chain) -> bool:
    return any(
        "${" in resource
        for chain in chains
        for level in chain.levels or ()
        for policy in level.policies
        for statement in policy.document.statements
        for resource in (*(statement.resources or ()), *(statement.not_resources or ()))
    )


def _tests_many_values(*chains: Chain) -> bool:
    """
    Tell whether a statement tests the values of a key one by one.
    """
    return any(
        condition.operator.quantifier is not None
        for chain in chains
        for level in chain.levels or ()
        for policy in level.policies
        for statement in policy.document.statements
        for condition in statement.conditions
    )


def _decisions(before: Chain, after: Chain, request: Request) -> tuple[Decision, Decision]:
    return decide_chain(before, request).decision, decide_chain(after, request).decision


def _check_request(before: Chain, after: Chain, changes: list[dict[str, Any]], request: Request) -> None:
    old, new = _decisions(before, after, request)
    covering = [change for change in changes if covers(change, request) and not _spared(before, after, change, request)]
    if Decision.ALLOW in (old, new) and old != new:
        assert any((change["before"], change["after"]) == (old, new) for change in covering), (request, changes)
    for change in covering:
        if change.get("exact", True) or (change.get("unless") and not _has_variables(before, after)):
            assert (change["before"], change["after"]) == (old, new), (request, change)


class TestComparison:
    @given(chains(), chains(), st.lists(requests(), min_size=5, max_size=20))
    def test_requests_flip_exactly_where_a_change_says_so(
        self, before: Chain, after: Chain, sampled: list[Request]
    ) -> None:
        """
        A sampled request changes its decision if and only if a printed change covers it, in that direction.
        """
        changes: list[dict[str, Any]] = _compare(before, after).changes(ACCOUNT)

        for request in sampled:
            _check_request(before, after, changes, request)

    @given(chains(variables=True), chains(variables=True), st.lists(requests(), min_size=5, max_size=20))
    def test_policies_with_variables_miss_nothing(self, before: Chain, after: Chain, sampled: list[Request]) -> None:
        """
        Where policy variables relate keys, every flip is still covered, and what is marked exact is so.
        """
        changes: list[dict[str, Any]] = _compare(before, after).changes(ACCOUNT)

        for request in sampled:
            _check_request(before, after, changes, request)

    @given(chains(), chains())
    def test_every_change_has_a_witness_that_the_evaluator_confirms(self, before: Chain, after: Chain) -> None:
        """
        Without policy variables, each change is exact and its witness is decided as it says.
        """
        changes: list[dict[str, Any]] = _compare(before, after).changes(ACCOUNT)
        for change in changes:
            # AWS has no words for `a value that matches this pattern and not that one`, and lists end somewhere
            inexact = "exact" in change and "unless" not in change
            assert not inexact or _tests_many_values(before, after) or len(changes) > 50, change
            request = witness_request(change)
            assert (change["before"], change["after"]) == _decisions(before, after, request)

    @given(chains(), chains())
    def test_the_way_back_mirrors_the_way_there(self, before: Chain, after: Chain) -> None:
        """
        Comparing in the other direction finds the same sets with their decisions exchanged.
        """

        def told(changes: list[dict[str, Any]]) -> list[str]:
            return sorted(
                repr((c["actions"], c["resources"], c["conditions"], c["before"], c["after"])) for c in changes
            )

        there: list[dict[str, Any]] = _compare(before, after).changes(ACCOUNT)
        back: list[dict[str, Any]] = _compare(after, before).changes(ACCOUNT)

        assert told(there) == told([{**c, "before": c["after"], "after": c["before"]} for c in back])

    @given(chains(), st.randoms(use_true_random=False))
    def test_a_chain_does_not_differ_from_itself_in_another_order(self, chain: Chain, random: Any) -> None:
        """
        The order of policies on a node has no meaning, and neither has repetition.
        """
        levels = []
        for level in chain.levels or ():
            shuffled = [*level.policies, *level.policies[:1]]
            random.shuffle(shuffled)
            levels.append(type(level)(level.target_id, tuple(shuffled)))

        assert _compare(chain, Chain(tuple(levels))).verdict == "equivalent"


class TestPermissions:
    @given(chains(variables=True), st.lists(requests(), min_size=5, max_size=20))
    def test_the_diagram_decides_as_the_statements_do(self, chain: Chain, sampled: list[Request]) -> None:
        """
        One request is decided alike by the compiled form and statement by statement.
        """
        permissions = maximum_permissions(chain, ACCOUNT)

        for request in sampled:
            assert decide_chain(chain, request).decision == permissions.decide(request)

    @given(chains(), chains())
    def test_permissions_share_a_name_just_if_nothing_differs(self, one: Chain, other: Chain) -> None:
        """
        Two chains have one identity if and only if no decision differs between them.
        """
        first, second = maximum_permissions(one, ACCOUNT), maximum_permissions(other, ACCOUNT)

        assert (compare(first, second).verdict == "equivalent") == (first.permissions_id == second.permissions_id)

    @given(
        st.lists(statements(), min_size=1, max_size=3),
        st.lists(statements(), min_size=1, max_size=2),
        st.randoms(use_true_random=False),
    )
    def test_another_way_of_writing_gives_the_same_name(
        self, written: list[dict[str, Any]], more: list[dict[str, Any]], random: Any
    ) -> None:
        """
        Statements taken apart, repeated, respelled and put in another order are the same permissions.
        """
        rewritten = [part for statement in written for part in _taken_apart(statement, random)]
        random.shuffle(rewritten)
        one, other = _attached(written, more), _attached(rewritten, more)
        first, second = maximum_permissions(one, ACCOUNT), maximum_permissions(other, ACCOUNT)

        assert compare(first, second).verdict == "equivalent"
        assert first.permissions_id == second.permissions_id


def _attached(*policies: list[dict[str, Any]]) -> Chain:
    """
    Return a chain of one level with FullAWSAccess and some policies on it.
    """
    attached = [
        AttachedPolicy(f"p-{number:08d}", "policy", parse_policy({"Version": "2012-10-17", "Statement": statements}))
        for number, statements in enumerate(policies)
    ]
    return Chain((Level(ACCOUNT.account_id, (ALLOW_ALL, *attached)),))


def _taken_apart(statement: dict[str, Any], random: Any) -> list[dict[str, Any]]:
    """
    Return statements that together say the same as one.
    """
    parts = [statement]
    for element in ("Action", "Resource"):
        if len(statement.get(element, ())) > 1 and random.random() < 0.5:
            first, *rest = statement[element]
            parts = [{**part, element: listed} for part in parts for listed in ([first], [*rest, first])]
    if "Action" in statement and random.random() < 0.5:
        parts = [{**part, "Action": [action.upper() for action in part["Action"]], "Sid": "Loud"} for part in parts]
    return parts
