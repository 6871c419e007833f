from __future__ import annotations

from rooftree.authorization import AccessRequest, Authorizer, Membership, PolicySet, PolicyType, parse_principal
from rooftree.authorization import authorizer as module
from rooftree.authorization.compiled import compile_chain
from rooftree.policy.builtin import FULL_AWS_ACCESS
from rooftree.policy.chain import AttachedPolicy, Level
from rooftree.policy.context import Context
from rooftree.policy.document import PolicyKind, parse_policy
from rooftree.policy.evaluate import Decision

ACCOUNT = "222222222222"
ROLE = parse_principal(f"arn:aws:iam::{ACCOUNT}:role/App")
FULL = AttachedPolicy("p-FullAWSAccess", "FullAWSAccess", FULL_AWS_ACCESS)


def identity(*statements: dict[str, object]) -> AttachedPolicy:
    """
    Return an identity policy.
    """
    content = {"Version": "2012-10-17", "Statement": list(statements)}
    return AttachedPolicy("own", "own", parse_policy(content, PolicyKind.IDENTITY))


READ = identity({"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"})


def test_one_authorizer_answers_for_many_principals() -> None:
    """
    Policies are compiled once; who asks, and from where, is part of the request.
    """
    levels = (Level("r-ab12", (identity({"Effect": "Deny", "Action": "*", "Resource": "*"}),)),)
    authorizer = Authorizer(PolicySet(identity=(READ,), service_control=levels))
    asked = AccessRequest(ROLE, "s3:GetObject", "arn:aws:s3:::b/k", ACCOUNT)
    manager = AccessRequest(
        ROLE, "s3:GetObject", "arn:aws:s3:::b/k", ACCOUNT, caller=Membership("o-exampleorg", is_management=True)
    )

    assert Decision.EXPLICIT_DENY is authorizer.decide(asked)
    assert Decision.ALLOW is authorizer.decide(manager)


def test_the_case_of_an_action_does_not_matter() -> None:
    """
    Also not for what is kept of actions seen before.
    """
    authorizer = Authorizer(PolicySet(identity=(READ,)))

    for action in ("s3:GetObject", "S3:GETOBJECT", "s3:getobject"):
        assert Decision.ALLOW is authorizer.decide(AccessRequest(ROLE, action, "arn:aws:s3:::b/k", ACCOUNT))


def test_the_same_levels_are_compiled_once() -> None:
    """
    Accounts under one node, and all principals of an account, share them.
    """
    levels = (Level("r-ab12", (FULL,)), Level(ACCOUNT, (FULL,)))

    assert compile_chain(levels) is compile_chain((Level("r-ab12", (FULL,)), Level(ACCOUNT, (FULL,))))


def test_what_is_kept_of_actions_is_bounded() -> None:
    """
    Whoever sends made-up actions does not fill the memory.
    """
    authorizer = Authorizer(PolicySet(identity=(READ,)))

    for number in range(module.PLANS_KEPT + 10):
        authorizer.decide(AccessRequest(ROLE, f"x:Y{number}", "*", ACCOUNT))

    assert module.PLANS_KEPT >= len(authorizer._plans)


def test_a_witness_is_confirmed_without_any_file() -> None:
    """
    The whole evaluation is a function of values.
    """
    regional = identity(
        {
            "Sid": "Region",
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}},
        }
    )
    before = Authorizer(PolicySet(identity=(READ,), service_control=(Level("r-ab12", (FULL,)),)))
    after = Authorizer(PolicySet(identity=(READ,), service_control=(Level("r-ab12", (FULL, regional)),)))
    witness = AccessRequest(
        principal=ROLE,
        action="s3:GetObject",
        resource="arn:aws:s3:::b/k",
        resource_account=ACCOUNT,
        context=Context.from_json({"aws:RequestedRegion": "us-east-1"}),
    )

    answer = after.explain(witness)

    assert Decision.ALLOW is before.decide(witness)
    assert Decision.EXPLICIT_DENY is answer.decision
    assert (PolicyType.SERVICE_CONTROL,) == answer.blocked_by
    assert ["Region"] == [reason.label for reason in answer.decided_by]
