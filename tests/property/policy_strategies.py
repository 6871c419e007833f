"""
Policies and requests that meet: few names, so that patterns hit and miss about as often.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from rooftree.policy.chain import AttachedPolicy, Chain, Level
from rooftree.policy.context import Context
from rooftree.policy.document import parse_policy
from rooftree.policy.request import Request

__all__ = ["chains", "contents", "contexts", "policies", "requests", "statements"]

ACTIONS = ["s3:GetObject", "s3:PutObject", "ec2:RunInstances", "iam:CreateUser"]
ACTION_PATTERNS = ["*", "s3:*", "S3:get*", "*:*Object", "ec2:Run?nstances", "iam:CreateUser"]
RESOURCES = ["*", "arn:aws:s3:::logs/a", "arn:aws:s3:::data/alice/b", "arn:aws:iam::222222222222:user/alice"]
RESOURCE_PATTERNS = [
    "*",
    "arn:aws:s3:::logs/*",
    "arn:aws:s3:::data/${aws:username}/*",
    "arn:aws:iam",
    "arn:aws:*:*:*:*/alice*",
]

CONDITIONS = [
    ("StringEquals", "aws:RequestedRegion", ["eu-west-1", "eu-central-1"]),
    ("StringNotEquals", "aws:requestedregion", ["eu-west-1"]),
    ("StringLikeIfExists", "aws:RequestedRegion", ["eu-*"]),
    ("StringNotLike", "aws:username", ["${aws:PrincipalTag/owner, 'alice'}"]),
    ("Null", "aws:username", ["true"]),
    ("Bool", "aws:ViaAWSService", ["false"]),
    ("NumericLessThan", "aws:MultiFactorAuthAge", ["3600"]),
    ("ForAllValues:StringEquals", "aws:TagKeys", ["team", "cost"]),
    ("ForAnyValue:StringLike", "aws:TagKeys", ["t*"]),
    ("NotIpAddress", "aws:SourceIp", ["203.0.113.0/24"]),
]
VALUES: dict[str, list[object]] = {
    "aws:RequestedRegion": ["eu-west-1", "us-east-1"],
    "aws:username": ["alice", "bob"],
    "aws:PrincipalTag/owner": ["bob"],
    "aws:ViaAWSService": [True, False],
    "aws:MultiFactorAuthAge": [10, 7200],
    "aws:TagKeys": [[], ["team"], ["team", "other"], ["other"]],
    "aws:SourceIp": ["203.0.113.9", "198.51.100.1"],
}


def some_of(values: list[str]) -> SearchStrategy[object]:
    """
    Draw one value, or a list of some.
    """
    return st.sampled_from(values) | st.lists(st.sampled_from(values), min_size=1, max_size=3)


@st.composite
def condition_blocks(draw: st.DrawFn) -> dict[str, dict[str, object]]:
    """
    Draw the Condition of a statement.
    """
    block: dict[str, dict[str, object]] = {}
    for operator, key, values in draw(st.lists(st.sampled_from(CONDITIONS), max_size=2, unique_by=lambda one: one[:2])):
        block.setdefault(operator, {})[key] = draw(some_of(values))
    return block


@st.composite
def statements(draw: st.DrawFn, effect: str | None = None) -> dict[str, object]:
    """
    Draw the JSON of a statement of a service control policy.
    """
    statement: dict[str, object] = {
        "Effect": effect or draw(st.sampled_from(["Allow", "Deny"])),
        draw(st.sampled_from(["Action", "Action", "NotAction"])): draw(some_of(ACTION_PATTERNS)),
        draw(st.sampled_from(["Resource", "Resource", "NotResource"])): draw(some_of(RESOURCE_PATTERNS)),
    }
    if draw(st.booleans()):
        statement["Sid"] = draw(st.sampled_from(["One", "Two"]))
    if draw(st.booleans()):
        statement["Condition"] = draw(condition_blocks())
    return statement


@st.composite
def contents(draw: st.DrawFn) -> dict[str, object]:
    """
    Draw the JSON of a service control policy.
    """
    content: dict[str, object] = {"Statement": draw(statements() | st.lists(statements(), max_size=3))}
    if draw(st.booleans()):
        content["Version"] = draw(st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17"]))
    if draw(st.booleans()):
        content["Id"] = "some"
    return content


@st.composite
def policies(draw: st.DrawFn, content: SearchStrategy[dict[str, object]] | None = None) -> AttachedPolicy:
    """
    Draw a policy as it hangs on a node.
    """
    name = draw(st.sampled_from(["a", "b", "c", "d"]))
    return AttachedPolicy(f"p-{name}", name, parse_policy(draw(contents() if content is None else content)))


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    """
    Draw a chain of one to three levels.
    """
    levels = draw(st.lists(st.lists(policies(), max_size=3), min_size=1, max_size=3))
    return Chain(tuple(Level(f"node-{index}", tuple(attached)) for index, attached in enumerate(levels)))


@st.composite
def contexts(draw: st.DrawFn) -> Context:
    """
    Draw the condition keys of a request.
    """
    keys = draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True))
    return Context.from_json({key: draw(st.sampled_from(VALUES[key])) for key in keys})


def requests() -> SearchStrategy[Request]:
    """
    Draw a request.
    """
    return st.builds(Request, st.sampled_from(ACTIONS), st.sampled_from(RESOURCES), contexts())
