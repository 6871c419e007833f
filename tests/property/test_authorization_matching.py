"""
Compiled policies say of every request what the plain evaluation says.
"""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.generators import chains as wide
from tests.property import policy_strategies as narrow

from rooftree.authorization import AccessRequest, Authorizer, PolicySet, parse_principal
from rooftree.authorization.compiled import CompiledStatement
from rooftree.authorization.conditions import condition_test
from rooftree.authorization.patterns import arn_test, pattern_test
from rooftree.policy.chain import AttachedPolicy, Chain
from rooftree.policy.conditions import condition_holds
from rooftree.policy.context import Context
from rooftree.policy.document import parse_policy
from rooftree.policy.evaluate import decide_chain, statement_matches
from rooftree.policy.model import Condition
from rooftree.policy.operators import OPERATORS, parse_operator
from rooftree.policy.patterns import arn_matches, compile_glob
from rooftree.policy.request import Request
from rooftree.policy.variables import parse_template, resolve_template

TEXTS = st.text("ab:*?$/", max_size=12)
PATTERNS = st.lists(
    st.sampled_from(["a", "b", ":", "*", "?", "/", "${k}", "${x, 'b'}", "${*}", "${", "arn"]), max_size=9
)
VALUES = st.sampled_from(
    [
        "",
        "a",
        "A",
        "ab",
        "a*",
        "*",
        "?b",
        "${k}",
        "${k}*",
        "${none}",
        "${none, 'ab'}",
        "true",
        "FALSE",
        "1",
        "1.0",
        "7",
        "2026-01-01",
        "2026-01-01T00:00:00Z",
        "1767225600",
        "10.0.0.0/8",
        "10.1.2.3",
        "2001:db8::1",
        "YWI=",
        "arn:aws:iam::222222222222:role/a",
        "arn:aws:iam::*:role/*",
        "arn:aws:iam::2*2:role/*/a",
        "arn:*:*:*:*:${k}*",
    ]
)
OPERATOR_TEXTS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "ForAllValues:", "ForAnyValue:"]),
    st.sampled_from(sorted(set(OPERATORS) - {"Null"})),
    st.sampled_from(["", "IfExists"]),
)
USER = parse_principal("arn:aws:iam::222222222222:user/alice")


@settings(max_examples=300)
@given(st.lists(PATTERNS, max_size=4), TEXTS, st.sampled_from([{}, {"k": ("ab",)}, {"k": ("*",)}, {"k": ("a", "b")}]))
def test_compiled_patterns_match_as_single_ones(
    patterns: list[list[str]], text: str, entries: dict[str, tuple[str, ...]]
) -> None:
    """
    A set of patterns stands for a text if one of them does, in both ways of matching.
    """
    templates = [parse_template("".join(parts), variables=True) for parts in patterns]
    resolved = [resolve_template(template, entries) for template in templates]
    for compiled, single in (
        (pattern_test(templates), lambda pieces: compile_glob(pieces).matches(text)),
        (arn_test(templates), lambda pieces: arn_matches(pieces, text)),
    ):
        expected = any(single(pieces) for pieces in resolved if pieces is not None)

        assert expected is (compiled is None or compiled(text, entries))


@settings(max_examples=400)
@given(
    OPERATOR_TEXTS,
    st.lists(VALUES, max_size=4),
    st.lists(VALUES, max_size=3),
    st.sampled_from([{}, {"K": ("a",)}, {"K": ("a*",)}, {"k": ("a", "b")}]),
    st.booleans(),
)
def test_compiled_conditions_hold_as_plain_ones(
    operator: str,
    wanted: list[str],
    given_values: list[str],
    others: dict[str, tuple[str, ...]],
    variables: bool,  # noqa: FBT001
) -> None:
    """
    For every operator, with and without its key, with values that it can read and others.
    """
    condition = Condition(parse_operator(operator), "Key", tuple(wanted))
    context = Context({"kEY": tuple(given_values), **others})

    expected = condition_holds(condition, context, variables=variables)

    assert expected is condition_test(condition, variables=variables)(context.lowered)


@given(st.lists(st.sampled_from(["true", "false", "x", "TRUE"]), max_size=2), st.booleans())
def test_compiled_null_holds_as_the_plain_one(wanted: list[str], present: bool) -> None:  # noqa: FBT001
    """
    Null asks for existence alone.
    """
    condition = Condition(parse_operator("Null"), "Key", tuple(wanted))
    context = Context({"key": ("x",)} if present else {})

    assert condition_holds(condition, context, variables=True) is condition_test(condition, variables=True)(
        context.lowered
    )


@settings(max_examples=200)
@given(st.one_of(narrow.policies(), wide.policies(variables=True)), st.one_of(narrow.requests(), wide.requests()))
def test_compiled_statements_apply_as_plain_ones(policy: AttachedPolicy, request_: Request) -> None:
    """
    Of every statement that the generators know.
    """
    variables = policy.document.has_variables
    for statement in policy.document.statements:
        compiled = CompiledStatement(statement, policy, "", variables=variables)
        applies = compiled.covers_action(request_.action.lower()) and compiled.applies(
            request_.resource, request_.context.lowered
        )

        assert statement_matches(statement, request_, variables=variables) is applies


@settings(max_examples=200)
@given(st.one_of(narrow.chains(), wide.chains(variables=True)), st.one_of(narrow.requests(), wide.requests()))
def test_chains_decide_as_plain_ones(chain: Chain, request_: Request) -> None:
    """
    A root user has all permissions of its own, so that the chain alone decides.
    """
    root = parse_principal("arn:aws:iam::222222222222:root")
    asked = AccessRequest(root, request_.action, request_.resource, "222222222222", request_.context)
    authorizer = Authorizer(PolicySet(service_control=chain.levels or ()))
    # keys that the request determines are there for both
    context = Context({**root.keys, "aws:ResourceAccount": ("222222222222",)})
    merged = Context({**context.lowered, **request_.context.lowered})

    expected = decide_chain(chain, Request(request_.action, request_.resource, merged))
    answer = authorizer.explain(asked)

    assert expected.decision is authorizer.decide(asked) is answer.decision
    if expected.decision.value != "implicit_deny":
        assert {(one.target_id, one.policy_id, one.statement) for one in expected.decided_by} == {
            (one.target_id, one.policy_id, one.statement) for one in answer.decided_by
        }
    else:
        assert expected.missing_levels == answer.missing_levels


@example("arn:aws:s3:::a*b*c")
@given(st.text("ab*?", max_size=8))
def test_a_compiled_policy_keeps_no_answer_of_another_request(pattern: str) -> None:
    """
    Plans are kept for an action, never for a resource.
    """
    document = parse_policy({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": [pattern or "*"]}})
    authorizer = Authorizer(PolicySet(identity=(AttachedPolicy("p", "p", document),)))
    resources = ["*", "ab", "b", "arn:aws:s3:::abc", pattern]
    for resource in resources * 2:
        asked = AccessRequest(USER, "s3:GetObject", resource, "222222222222")
        fresh = Authorizer(PolicySet(identity=(AttachedPolicy("p", "p", document),)))

        assert fresh.decide(asked) is authorizer.decide(asked)
