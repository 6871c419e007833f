from __future__ import annotations

import pytest

from rooftree.policy.builtin import FULL_AWS_ACCESS, FULL_AWS_ACCESS_ID
from rooftree.policy.chain import UNLIMITED, AttachedPolicy, Chain, Level
from rooftree.policy.context import Context
from rooftree.policy.document import parse_policy
from rooftree.policy.evaluate import ChainDecision, Decision, decide_chain, statement_matches
from rooftree.policy.request import Request

FULL = AttachedPolicy(FULL_AWS_ACCESS_ID, "FullAWSAccess", FULL_AWS_ACCESS)


def policy(name: str, *statements: dict[str, object], version: str = "2012-10-17") -> AttachedPolicy:
    """
    Return an attached policy; Resource is `*` unless given.
    """
    whole = [statement if "NotResource" in statement else {"Resource": "*", **statement} for statement in statements]
    return AttachedPolicy(f"p-{name}", name, parse_policy({"Version": version, "Statement": whole}))


def chain(*levels: tuple[AttachedPolicy, ...]) -> Chain:
    """
    Return a chain from the root on.
    """
    names = ["r-1", *(f"ou-{index}" for index in range(1, len(levels) - 1)), "222222222222"]
    return Chain(tuple(Level(name, attached) for name, attached in zip(names, levels, strict=False)))


def reasons(decided: ChainDecision) -> list[tuple[str, str, str]]:
    """
    Return who decided in short: node, policy, statement.
    """
    return [(one.target_id, one.policy_name, one.statement.label) for one in decided.decided_by]


READ = Request("s3:GetObject", "arn:aws:s3:::b/k")
ALLOW_S3 = policy("AllowS3", {"Sid": "S3", "Effect": "Allow", "Action": "s3:*"})
DENY_READ = policy("DenyRead", {"Sid": "NoRead", "Effect": "Deny", "Action": "s3:Get*"})


def test_a_request_passes_if_every_level_allows_it() -> None:
    """
    Each level has its say, and those that allowed are named.
    """
    decided = decide_chain(chain((FULL,), (FULL, ALLOW_S3), (ALLOW_S3,)), READ)

    assert Decision.ALLOW is decided.decision
    assert () == decided.missing_levels
    assert [
        ("r-1", "FullAWSAccess", "#0"),
        ("ou-1", "FullAWSAccess", "#0"),
        ("ou-1", "AllowS3", "S3"),
        ("222222222222", "AllowS3", "S3"),
    ] == reasons(decided)


def test_a_level_without_a_matching_allow_stops_a_request() -> None:
    """
    An implicit deny has no statement to name, only the levels that lack one.
    """
    allow_ec2 = policy("AllowEc2", {"Effect": "Allow", "Action": "ec2:*"})

    decided = decide_chain(chain((FULL,), (allow_ec2,), ()), READ)

    assert ChainDecision(Decision.IMPLICIT_DENY, (), ("ou-1", "222222222222")) == decided


def test_a_deny_anywhere_wins_and_every_one_is_named() -> None:
    """
    Allows do not outweigh a Deny, at whatever level it stands.
    """
    decided = decide_chain(chain((FULL, DENY_READ), (FULL,), (FULL, DENY_READ)), READ)

    assert Decision.EXPLICIT_DENY is decided.decision
    assert [("r-1", "DenyRead", "NoRead"), ("222222222222", "DenyRead", "NoRead")] == reasons(decided)


def test_an_explicit_deny_still_tells_which_levels_lack_an_allow() -> None:
    """
    Taking the Deny away would not be enough.
    """
    decided = decide_chain(chain((FULL,), (DENY_READ,)), READ)

    assert Decision.EXPLICIT_DENY is decided.decision
    assert ("222222222222",) == decided.missing_levels


def test_an_unlimited_account_passes_everything() -> None:
    """
    The management account and accounts without service control policies have no levels.
    """
    assert ChainDecision(Decision.ALLOW, (), ()) == decide_chain(UNLIMITED, READ)


@pytest.mark.parametrize(
    ("statement", "action", "resource", "expected"),
    [
        ({"Action": "s3:getobject"}, "S3:GetObject", "*", True),
        ({"Action": ["ec2:*", "s3:*"]}, "s3:GetObject", "*", True),
        ({"Action": []}, "s3:GetObject", "*", False),
        ({"NotAction": "s3:*"}, "s3:GetObject", "*", False),
        ({"NotAction": ["iam:*", "sts:*"]}, "s3:GetObject", "*", True),
        ({"NotAction": []}, "s3:GetObject", "*", True),
        ({"Action": "*", "Resource": "arn:aws:s3:::a*"}, "s3:GetObject", "arn:aws:s3:::b", False),
        ({"Action": "*", "Resource": ["arn:aws:s3:::a*", "arn:aws:s3:::b"]}, "s3:Get", "arn:aws:s3:::b", True),
        ({"Action": "*", "Resource": "arn:aws:s3:::*"}, "ec2:DescribeInstances", "*", False),
        ({"Action": "*", "NotResource": "arn:aws:s3:::a*"}, "s3:GetObject", "arn:aws:s3:::b", True),
        ({"Action": "*", "NotResource": "arn:aws:s3:::a*"}, "s3:GetObject", "arn:aws:s3:::ab", False),
        ({"Action": "*", "NotResource": "arn:aws:s3:::a*"}, "ec2:DescribeInstances", "*", True),
        ({"Action": "*", "NotResource": "*"}, "ec2:DescribeInstances", "*", False),
        ({"Action": "*", "Resource": "arn:aws:sqs"}, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:2:q", True),
    ],
)
def test_a_statement_speaks_of_its_actions_and_resources(
    statement: dict[str, object], action: str, resource: str, *, expected: bool
) -> None:
    """
    Lists are alternatives, and the Not forms speak of all the rest.
    """
    (found,) = policy("p", {"Effect": "Deny", **statement}).document.statements

    assert expected is statement_matches(found, Request(action, resource), variables=True)


def test_all_conditions_of_a_statement_must_hold() -> None:
    """
    Operators and keys are joined by AND.
    """
    deny = policy(
        "p",
        {
            "Effect": "Deny",
            "Action": "*",
            "Condition": {
                "StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"], "aws:PrincipalTag/team": "core"},
                "Bool": {"aws:ViaAWSService": False},
            },
        },
    )

    def decide(**context: str) -> Decision:
        keys = {"aws:RequestedRegion": "us-east-1", "aws:PrincipalTag/team": "web", "aws:ViaAWSService": "false"}
        given = Context.from_json(keys | {key.replace("_", ":"): value for key, value in context.items()})
        return decide_chain(chain((FULL,), (FULL, deny)), Request("ec2:RunInstances", "*", given)).decision

    assert Decision.EXPLICIT_DENY is decide()
    assert Decision.ALLOW is decide(aws_RequestedRegion="eu-west-1")
    assert Decision.ALLOW is decide(aws_ViaAWSService="true")


def test_variables_in_resources_are_filled_in() -> None:
    """
    A pattern that names the user stands for that user's resources alone.
    """
    own = policy("p", {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:username}/*"})

    def decide(resource: str, **context: str) -> Decision:
        given = Context.from_json({key.replace("_", ":"): value for key, value in context.items()})
        return decide_chain(chain((own,)), Request("s3:GetObject", resource, given)).decision

    assert Decision.ALLOW is decide("arn:aws:s3:::b/alice/k", aws_username="alice")
    assert Decision.IMPLICIT_DENY is decide("arn:aws:s3:::b/bob/k", aws_username="alice")
    assert Decision.IMPLICIT_DENY is decide("arn:aws:s3:::b/alice/k", aws_username="*")
    assert Decision.IMPLICIT_DENY is decide("arn:aws:s3:::b/alice/k")


def test_a_resource_pattern_without_value_excludes_nothing_under_not_resource() -> None:
    """
    It stands for no resource, so that the statement speaks of all of them.
    """
    others = policy("p", {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::b/${aws:username}/*"})

    decided = decide_chain(chain((FULL, others)), Request("s3:GetObject", "arn:aws:s3:::b/alice/k"))

    assert Decision.EXPLICIT_DENY is decided.decision


def test_the_old_language_takes_variables_for_text() -> None:
    """
    What a document's Version says holds for its own statements only.
    """
    statement: dict[str, object] = {"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::b/${aws:username}"}
    old = policy("old", statement, version="2008-10-17")
    request = Request("s3:GetObject", "arn:aws:s3:::b/alice", Context({"aws:username": ("alice",)}))

    assert Decision.ALLOW is decide_chain(chain((FULL, old)), request).decision
    assert Decision.EXPLICIT_DENY is decide_chain(chain((FULL, old, policy("new", statement))), request).decision


def test_a_condition_on_an_allow_narrows_it() -> None:
    """
    Since September 2025 an Allow of a service control policy may have conditions.
    """
    regional = policy(
        "p", {"Effect": "Allow", "Action": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}
    )

    def decide(region: str) -> Decision:
        request = Request("ec2:RunInstances", "*", Context({"aws:RequestedRegion": (region,)}))
        return decide_chain(chain((regional,)), request).decision

    assert Decision.ALLOW is decide("eu-west-1")
    assert Decision.IMPLICIT_DENY is decide("us-east-1")
