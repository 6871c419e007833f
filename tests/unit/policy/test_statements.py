from __future__ import annotations

import pytest

from rooftree.errors import PolicyError
from rooftree.policy.kinds import PolicyKind, rules_of
from rooftree.policy.model import Condition, ConditionOperator, Effect, PrincipalPattern, Statement
from rooftree.policy.statements import parse_statement

DENY: dict[str, object] = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
WITHOUT_PRINCIPAL = [PolicyKind.SERVICE_CONTROL, PolicyKind.IDENTITY, PolicyKind.SESSION, PolicyKind.BOUNDARY]
WITH_PRINCIPAL = [PolicyKind.RESOURCE, PolicyKind.TRUST, PolicyKind.VPC_ENDPOINT, PolicyKind.RESOURCE_CONTROL]


def parse(content: object, kind: PolicyKind = PolicyKind.SERVICE_CONTROL) -> Statement:
    """
    Read one statement as the third of a policy.
    """
    return parse_statement(content, 2, rules_of(kind))


def without(name: str) -> dict[str, object]:
    """
    Return the statement with one element less.
    """
    return {key: value for key, value in DENY.items() if key != name}


def refusal(content: object, kind: PolicyKind = PolicyKind.SERVICE_CONTROL) -> PolicyError:
    """
    Return the error that a statement is refused with.
    """
    with pytest.raises(PolicyError) as caught:
        parse(content, kind)
    return caught.value


def test_one_value_and_a_list_of_one_read_alike() -> None:
    """
    Lists are optional wherever they hold one value.
    """
    listed = {"Effect": "Deny", "Action": ["s3:*"], "Resource": ["*"], "Condition": {"Bool": {"aws:x": ["true"]}}}

    assert parse({**DENY, "Condition": {"Bool": {"aws:x": "true"}}}) == parse(listed)


def test_numbers_and_booleans_of_json_are_read_as_their_text() -> None:
    """
    Quotes around the values of a condition are optional.
    """
    statement = parse({**DENY, "Condition": {"NumericLessThan": {"k": [1, 2.5]}, "Null": {"k": False}}})

    assert (
        Condition(ConditionOperator("Null"), "k", ("false",)),
        Condition(ConditionOperator("NumericLessThan"), "k", ("1", "2.5")),
    ) == statement.conditions


def test_empty_lists_and_objects_are_read() -> None:
    """
    Nothing is known to forbid them; lint says that they match nothing.
    """
    statement = parse({"Effect": "Deny", "Action": [], "Resource": [], "Condition": {"Bool": {"k": []}, "Null": {}}})

    assert ((), ()) == (statement.actions, statement.resources)
    assert (Condition(ConditionOperator("Bool"), "k", ()),) == statement.conditions


def test_one_key_in_two_spellings_is_two_conditions() -> None:
    """
    Both must hold, as any two conditions.
    """
    statement = parse({**DENY, "Condition": {"StringEquals": {"aws:X": "a", "aws:x": "b"}}})

    assert [("aws:X", ("a",)), ("aws:x", ("b",))] == [(one.key, one.values) for one in statement.conditions]


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        ([], "", "expected a statement, found `[]`"),
        (without("Effect"), "", "expected `Effect`"),
        (without("Action"), "", "expected `Action` or `NotAction`"),
        (without("Resource"), "", "expected `Resource` or `NotResource`"),
        ({**DENY, "NotAction": "s3:*"}, "NotAction", "expected either `Action` or `NotAction`, found both"),
        ({**DENY, "NotResource": "*"}, "NotResource", "expected either `Resource` or `NotResource`, found both"),
        ({**DENY, "Actions": "s3:*"}, "Actions", "unknown element `Actions`"),
        ({**DENY, "Sid": None}, "Sid", "expected text, found `None`"),
        ({**DENY, "Effect": "DENY"}, "Effect", "expected `Allow` or `Deny`, found `DENY`"),
        ({**DENY, "Effect": ["Deny"]}, "Effect", "expected `Allow` or `Deny`"),
        ({**DENY, "Action": 1}, "Action", "expected text, found `1`"),
        ({**DENY, "Action": ""}, "Action", "expected text, found ``"),
        ({**DENY, "Action": ["s3:*", {}]}, "Action[1]", "expected text, found `{}`"),
        ({**DENY, "Resource": [["*"]]}, "Resource[0]", "expected text"),
        ({**DENY, "Condition": []}, "Condition", "expected an object, found `[]`"),
        ({**DENY, "Condition": {"StringIs": {}}}, "Condition.StringIs", "expected a condition operator"),
        ({**DENY, "Condition": {"Bool": "true"}}, "Condition.Bool", "expected an object, found `true`"),
        ({**DENY, "Condition": {"Bool": {"k": None}}}, "Condition.Bool.k", "expected text, a number or a boolean"),
        ({**DENY, "Condition": {"Bool": {"k": ["a", {}]}}}, "Condition.Bool.k[1]", "expected text, a number"),
        ({**DENY, "Principal": "*"}, "Principal", "a service control policy has no `Principal`"),
        ({**DENY, "NotPrincipal": "*"}, "NotPrincipal", "a service control policy has no `NotPrincipal`"),
    ],
)
def test_a_wrong_element_is_refused_with_its_place(content: object, place: str, reason: str) -> None:
    """
    The place is relative to the statement.
    """
    error = refusal(content)

    assert place == error.place
    assert reason in error.reason


@pytest.mark.parametrize("kind", WITHOUT_PRINCIPAL)
def test_policies_of_a_principal_name_none(kind: PolicyKind) -> None:
    """
    Whom they are about follows from where they hang.
    """
    assert "Principal" == refusal({**DENY, "Principal": "*"}, kind).place
    assert Effect.DENY is parse(DENY, kind).effect


@pytest.mark.parametrize("kind", WITH_PRINCIPAL)
def test_policies_of_a_resource_must_say_whom_they_are_about(kind: PolicyKind) -> None:
    """
    Principal is required, everybody or somebody.
    """
    assert "expected `Principal` or `NotPrincipal`" == refusal(DENY, kind).reason
    assert (PrincipalPattern("*", "*"),) == parse({**DENY, "Principal": "*"}, kind).principals


@pytest.mark.parametrize("kind", [PolicyKind.RESOURCE, PolicyKind.TRUST])
def test_some_policies_of_a_resource_may_leave_it_out(kind: PolicyKind) -> None:
    """
    A trust policy hangs on the one role that it is about.
    """
    statement = parse({**without("Resource"), "NotPrincipal": {"AWS": "222222222222"}}, kind)

    assert statement.resources is None
    assert (PrincipalPattern("AWS", "222222222222"),) == statement.not_principals


def test_principals_are_read_by_kind_in_one_order() -> None:
    """
    The order of keys in the text does not matter.
    """
    one = {"Service": "ec2.amazonaws.com", "AWS": ["222222222222", "*"], "Federated": "x", "CanonicalUser": "y"}
    other = dict(reversed(one.items()))

    first, second = (parse({**DENY, "Principal": names}, PolicyKind.RESOURCE) for names in (one, other))

    assert [
        PrincipalPattern("AWS", "222222222222"),
        PrincipalPattern("AWS", "*"),
        PrincipalPattern("CanonicalUser", "y"),
        PrincipalPattern("Federated", "x"),
        PrincipalPattern("Service", "ec2.amazonaws.com"),
    ] == list(first.principals or ())
    assert first == second


@pytest.mark.parametrize(
    ("principal", "place"),
    [
        ("arn:aws:iam::222222222222:root", "Principal"),
        ([], "Principal"),
        ({"User": "x"}, "Principal.User"),
        ({"aws": "x"}, "Principal.aws"),
        ({"AWS": [7]}, "Principal.AWS[0]"),
    ],
)
def test_a_wrong_principal_is_refused_with_its_place(principal: object, place: str) -> None:
    """
    Only a star or the four kinds name principals.
    """
    assert place == refusal({**DENY, "Principal": principal}, PolicyKind.RESOURCE).place


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"Effect": "Allow"}, "Effect"),
        ({"Principal": {"AWS": "*"}}, "Principal"),
        ({"Action": "*"}, "Action"),
        ({"Action": ["s3:*", "*"]}, "Action"),
    ],
)
def test_a_resource_control_policy_denies_named_actions_to_everybody(changed: dict[str, object], place: str) -> None:
    """
    Nothing else may stand in one that a customer writes.
    """
    statement = {**DENY, "Principal": "*"}

    assert Effect.DENY is parse(statement, PolicyKind.RESOURCE_CONTROL).effect
    assert place == refusal({**statement, **changed}, PolicyKind.RESOURCE_CONTROL).place


@pytest.mark.parametrize(("name", "negated"), [("Action", "NotAction"), ("Principal", "NotPrincipal")])
def test_a_resource_control_policy_has_no_negated_actions_or_principals(name: str, negated: str) -> None:
    """
    The Not forms of both are refused.
    """
    statement = {**DENY, "Principal": "*"}
    statement[negated] = statement.pop(name)

    assert negated == refusal(statement, PolicyKind.RESOURCE_CONTROL).place


def test_the_statement_of_rcp_full_aws_access_is_the_one_that_may_allow() -> None:
    """
    AWS attaches it by itself.
    """
    statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}

    assert Effect.ALLOW is parse(statement, PolicyKind.RESOURCE_CONTROL).effect
    assert "Effect" == refusal({**statement, "Condition": {"Bool": {"k": "true"}}}, PolicyKind.RESOURCE_CONTROL).place
