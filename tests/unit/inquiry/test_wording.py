from __future__ import annotations

import pytest

from rooftree.inquiry import wording


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (
            {"operator": "StringEquals", "key": "aws:RequestedRegion", "values": ["eu-west-1"]},
            "aws:RequestedRegion is eu-west-1",
        ),
        (
            {"operator": "StringNotEquals", "key": "aws:RequestedRegion", "values": ["eu-west-1", "eu-central-1"]},
            "aws:RequestedRegion is neither eu-west-1 nor eu-central-1",
        ),
        ({"operator": "Null", "key": "aws:TagKeys", "values": ["true"]}, "aws:TagKeys is absent"),
        ({"operator": "Null", "key": "aws:TagKeys", "values": ["false"]}, "aws:TagKeys is present"),
        (
            {"operator": "ForAllValues:StringNotLike", "key": "aws:PrincipalOrgPaths", "values": ["o-a/*"]},
            "every value of aws:PrincipalOrgPaths is not like o-a/*",
        ),
        (
            {"operator": "ForAnyValue:StringEquals", "key": "aws:TagKeys", "values": ["a", "b"]},
            "some value of aws:TagKeys is a or b",
        ),
        (
            {"operator": "BoolIfExists", "key": "aws:SecureTransport", "values": ["true"]},
            "aws:SecureTransport is true (or absent)",
        ),
        ({"operator": "SomethingNew", "key": "k", "values": ["v"]}, "k SomethingNew v"),
    ],
)
def test_a_condition_reads_as_a_sentence(condition: dict[str, object], said: str) -> None:
    """
    Operators become words; one that is not known stands for itself.
    """
    assert said == wording.condition_words(condition)


def test_a_change_names_what_where_and_when() -> None:
    """
    A change says its direction, actions, resources and conditions in one line.
    """
    change = {
        "direction": "denied",
        "actions": {"any_of": ["ec2:*"], "none_of": ["ec2:Describe*"]},
        "resources": {"any_of": ["arn:aws:ec2:*:*:instance/*"], "none_of": []},
        "conditions": [{"operator": "StringNotEquals", "key": "aws:RequestedRegion", "values": ["eu-west-1"]}],
    }

    assert (
        "now denied: ec2:* except ec2:Describe* on arn:aws:ec2:*:*:instance/*,"
        " when aws:RequestedRegion is not eu-west-1"
    ) == wording.change_words(change)


def test_every_action_on_every_resource_is_said_shortly() -> None:
    """
    A lone star is no pattern to read out.
    """
    change = {
        "direction": "allowed",
        "actions": {"any_of": ["*"], "none_of": []},
        "resources": {"any_of": ["*"], "none_of": []},
        "conditions": [],
    }

    assert "now allowed: every action" == wording.change_words(change)


def test_a_change_that_is_not_exact_says_so() -> None:
    """
    What the algebra could not decide is not passed off as decided.
    """
    change = {"direction": "denied", "actions": {"any_of": ["s3:*"]}, "exact": False}

    assert "not exactly" in wording.change_words(change)


def test_long_lists_are_cut() -> None:
    """
    A line stays a line: the rest of a list is counted.
    """
    patterns = [f"s3:Action{number}" for number in range(10)]

    said = wording.set_words({"any_of": patterns, "none_of": []}, everything="every action")

    assert "s3:Action0, s3:Action1, s3:Action2, s3:Action3, s3:Action4, 5 more" == said


def test_a_witness_is_one_request() -> None:
    """
    A witness shows its action, resource and context, lists in brackets.
    """
    change = {
        "witness": {
            "action": "ec2:RunInstances",
            "resource": "*",
            "context": {"aws:TagKeys": ["a", "b"], "aws:RequestedRegion": "us-east-1"},
        }
    }

    assert "ec2:RunInstances on * with aws:RequestedRegion=us-east-1, aws:TagKeys=[a, b]" == (
        wording.witness_words(change)
    )


def test_a_statement_that_is_gone_no_longer_denies() -> None:
    """
    Who is to blame depends on the side on which the statement stands.
    """
    change = {
        "before": "explicit_deny",
        "after": "allow",
        "statements": [
            {"policy_id": "p-1", "statement": "Close", "target_id": "ou-1", "side": "before"},
            {"policy_id": "p-1", "statement": "Close", "target_id": "ou-2", "side": "before"},
        ],
    }

    said = wording.blame_words(change, {"p-1": "CloseAmazonQ", "ou-1": "Prod", "ou-2": "Sandbox"})

    assert "CloseAmazonQ (Close) on Prod, Sandbox no longer denies" == said


def test_a_new_statement_denies() -> None:
    """
    A statement on the side after denies now; ids without a name stand for themselves.
    """
    change = {
        "before": "allow",
        "after": "explicit_deny",
        "statements": [{"policy_id": "p-1", "statement": "#0", "target_id": "r-1", "side": "after"}],
    }

    assert "p-1 (#0) on the root denies" == wording.blame_words(change)


def test_the_policies_of_aws_have_their_names() -> None:
    """
    FullAWSAccess is in no list of policies and is called by its name all the same.
    """
    change = {
        "before": "allow",
        "after": "implicit_deny",
        "statements": [
            {"policy_id": "p-FullAWSAccess", "statement": "#0", "target_id": "ou-ab12-aaaaaaaa", "side": "before"}
        ],
    }

    assert "FullAWSAccess (#0) on ou-ab12-aaaaaaaa no longer allows" == wording.blame_words(change)


def test_without_statements_nothing_allows() -> None:
    """
    An implicit deny has no statement to name.
    """
    assert "no statement: nothing allows it" == wording.blame_words({"statements": []})


def test_an_account_without_limits_is_said_to_be_free() -> None:
    """
    The management account may do everything that its own policies allow.
    """
    assert ["everything: no service control policy limits this account"] == wording.permission_lines(
        {"unlimited": True}
    )


def test_permissions_name_conditions_in_words() -> None:
    """
    A summary lists what is denied, what depends and on what, and the services concerned.
    """
    summary = {
        "unlimited": False,
        "allowed": None,
        "denied": {"actions": {"any_of": ["q:*"], "none_of": []}, "known_actions": {"count": 2}},
        "conditional": [
            {
                "actions": {"any_of": ["ec2:RunInstances"], "none_of": []},
                "known_actions": {"count": 1},
                "denied_if": [
                    {
                        "resources": {"any_of": ["*"], "none_of": []},
                        "conditions": [{"operator": "Null", "key": "aws:RequestTag/Team", "values": ["true"]}],
                    }
                ],
            }
        ],
        "services": [
            {"service": "q", "allowed": 0, "conditional": 0, "denied": 2},
            {"service": "ec2", "allowed": 3, "conditional": 1, "denied": 0},
        ],
    }

    assert [
        "denied: q:* (2 known actions)",
        "depends: ec2:RunInstances (1 known action)",
        "  - denied when aws:RequestTag/Team is absent",
        "services denied throughout (1): q",
        "services in part:",
        "  ec2: 3 allowed, 1 conditional",
    ] == wording.permission_lines(summary)


def test_a_cause_names_the_hand() -> None:
    """
    The cause of a change is said with its actor, if that was told.
    """
    data = {"cause": {"summary": "DenyRegions attached to Workloads", "actor": "arn:aws:iam::1:role/admin"}}

    assert "DenyRegions attached to Workloads, by arn:aws:iam::1:role/admin" == wording.cause_words(data)
    assert "x" == wording.cause_words({"cause": {"summary": "x", "actor": None}})


FLIP = {
    "name": "no-leaving",
    "principal": "alice",
    "action": "organizations:LeaveOrganization",
    "resource": "*",
    "context": {"aws:RequestedRegion": "eu-west-1"},
    "before": "allow",
    "after": "explicit_deny",
    "as_expected": True,
    "blocked_by": ["service_control"],
    "decided_by": [{"policy_name": "DenyLeaving", "statement": "Deny"}],
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "is as expected: {} was allow, is explicit_deny, by DenyLeaving (Deny)"),
        (
            {"as_expected": False, "after": "implicit_deny", "decided_by": [], "blocked_by": ["identity"]},
            "is not as expected: {} was allow, is implicit_deny, for lack of an Allow: identity",
        ),
        (
            {"as_expected": None, "after": "unknown", "decided_by": [], "blocked_by": []},
            "is not known any more: {} was allow, is unknown",
        ),
    ],
)
def test_a_flip_says_what_was_and_what_is(changed: dict[str, object], said: str) -> None:
    """
    The request in one line, both decisions, and what made the difference.
    """
    asked = "organizations:LeaveOrganization on * by alice with aws:RequestedRegion=eu-west-1"

    assert f"probe no-leaving {said.format(asked)}" == wording.flip_words({**FLIP, **changed})


def test_several_flips_are_counted() -> None:
    """
    How many, and how many of them are bad news.
    """
    flips = [FLIP, {**FLIP, "as_expected": False}]

    assert "Probe no-leaving is as expected" == wording.flips_headline(flips[:1])
    assert "2 probes are decided otherwise, 1 of them not as expected" == wording.flips_headline(flips)


def test_a_side_names_what_decides_there_and_leaves_the_decision_to_what_stands_beside_it() -> None:
    """
    A statement that names no side is one of after.
    """
    change = {
        "statements": [
            {"policy_id": "p-1", "statement": "Regions", "target_id": "ou-1", "side": "after"},
            {"policy_id": "p-1", "statement": "Regions", "target_id": "r-1"},
            {"policy_id": "p-2", "statement": "#0", "target_id": "ou-1", "side": "before"},
        ]
    }
    names = {"p-1": "DenyRegions", "ou-1": "Workloads"}

    assert ["DenyRegions (Regions) on Workloads, the root"] == wording.side_words(change, "after", names)
    assert ["p-2 (#0) on Workloads"] == wording.side_words(change, "before", names)


def test_an_event_says_the_names_of_its_time_and_what_is_called_otherwise_by_now() -> None:
    """
    What it does not name, such as all of an event of an earlier release, is called as it is now.
    """
    data = {"cause": {"names": {"ou-1": "Staging", "p-1": "DenyRegions", "p-gone": "Old"}}}
    now = {"ou-1": "Canary", "p-1": "DenyRegions", "ou-2": "Prod"}

    assert {
        "ou-1": "Staging (now Canary)",
        "p-1": "DenyRegions",
        "p-gone": "Old",
        "ou-2": "Prod",
    } == wording.names_then(data, now)
    assert now == wording.names_then({"cause": {}}, now)
