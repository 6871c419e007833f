"""
Hypothesis strategies for service control policies, chains and requests that touch each other.

Everything is drawn from small pools, so that patterns overlap, values repeat, and requests hit what policies name.
"""

from __future__ import annotations

from hypothesis import strategies as st

from rooftree.permissions import AccountBinding
from rooftree.policy.chain import AttachedPolicy, Chain, Level
from rooftree.policy.context import Context
from rooftree.policy.document import parse_policy
from rooftree.policy.request import Request

ACCOUNT = AccountBinding("222222222222", "o-exampleorg", "o-exampleorg/r-ab12/ou-ab12-aaaaaaaa/")

ACTION_PATTERNS = ["*", "s3:*", "s3:Get*", "s3:GetObject", "S3:getobject*", "s3:*Object", "ec2:*", "ec2:Run*", "*:Tag*"]
ACTION_PATTERNS += ["s3:?etObject", "ec2:RunInstances", "iam:*", "s*:*", "q:*", "codewhisperer:*", "s3:PutObject"]
ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "ec2:RunInstances", "ec2:TagResources", "iam:PassRole"]
ACTIONS += ["q:SendMessage", "sqs:TagQueue", "s3:GetObjectAcl", "x:y", "s3:LetObject", "lambda:InvokeFunction"]

RESOURCE_PATTERNS = ["*", "arn:aws:s3:::*", "arn:aws:s3:::prod-*", "arn:aws:s3:::prod-*/*", "arn:aws:s3:::prod-a/key"]
RESOURCE_PATTERNS += [
    "arn:aws:ec2:*:*:instance/*",
    "arn:aws:ec2:eu-*:222222222222:*",
    "arn:*:s3:::*-a/*",
    "arn:aws:sqs",
]
RESOURCES = ["*", "arn:aws:s3:::prod-a", "arn:aws:s3:::prod-a/key", "arn:aws:s3:::test-a/key", "arn:aws:s3:::other"]
RESOURCES += ["arn:aws:ec2:eu-west-1:222222222222:instance/i-1", "arn:aws:ec2:us-east-1:111111111111:volume/v-1"]
RESOURCES += ["arn:aws:sqs:eu-west-1:222222222222:queue", "arn:aws:s3:::home/alice/x", "arn:aws:s3:::home/bob/x"]
VARIABLE_RESOURCES = ["arn:aws:s3:::home/${aws:username}/*", "arn:aws:sqs:*:${aws:PrincipalAccount}:*"]

REGIONS = ["eu-west-1", "eu-central-1", "us-east-1", "ap-south-1"]
ORG_PATHS = ["o-exampleorg/*", "o-exampleorg/r-ab12/ou-ab12-aaaaaaaa/*", "o-exampleorg/r-ab12/ou-ab12-bbbbbbbb/*"]
PRINCIPALS = ["arn:aws:iam::*:role/Admin", "arn:aws:iam::222222222222:role/*", "arn:aws:iam::333333333333:role/Admin"]
PRINCIPALS += ["arn:aws:iam::*:root", "arn:aws:iam::*:user/*"]
ADDRESSES = ["10.0.0.0/8", "10.1.0.0/16", "192.0.2.7", "2001:db8::/32", "0.0.0.0/0"]
TAG_KEYS = ["team", "owner", "secret", "sec*", "t?am"]
NUMBERS = ["0", "5", "10", "10.5", "3600"]
DATES = ["2026-01-01T00:00:00Z", "2026-06-01", "2027-01-01T12:00:00Z"]

STRING_OPERATORS = ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"]
STRING_OPERATORS += ["StringNotEqualsIgnoreCase"]
ARN_OPERATORS = ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "StringLike", "StringNotEquals"]
NUMERIC_OPERATORS = ["NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals"]
NUMERIC_OPERATORS += ["NumericGreaterThan", "NumericGreaterThanEquals"]
DATE_OPERATORS = [operator.replace("Numeric", "Date") for operator in NUMERIC_OPERATORS]


def _some(pool: list[str], most: int = 3) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(pool), min_size=1, max_size=most, unique=True)


def _operator(names: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from([name + exists for name in names for exists in ("", "IfExists")])


def _condition(
    operators: st.SearchStrategy[str], key: str, pool: list[str]
) -> st.SearchStrategy[tuple[str, str, list[str]]]:
    return st.tuples(operators, st.just(key), _some(pool))


_SETS = _operator([f"{prefix}:{name}" for prefix in ("ForAllValues", "ForAnyValue") for name in STRING_OPERATORS])

CONDITIONS = st.one_of(
    _condition(_operator(STRING_OPERATORS), "aws:RequestedRegion", [*REGIONS, "eu-*", "EU-WEST-1"]),
    _condition(_operator(ARN_OPERATORS), "aws:PrincipalArn", PRINCIPALS),
    _condition(_operator(["IpAddress", "NotIpAddress"]), "aws:SourceIp", ADDRESSES),
    _condition(_operator(["Bool"]), "aws:MultiFactorAuthPresent", ["true", "false"]),
    _condition(_operator(NUMERIC_OPERATORS), "aws:MultiFactorAuthAge", NUMBERS),
    _condition(_operator(DATE_OPERATORS), "aws:CurrentTime", DATES),
    _condition(_SETS, "aws:TagKeys", TAG_KEYS),
    _condition(_SETS, "aws:PrincipalOrgPaths", ORG_PATHS),
    _condition(_SETS, "aws:RequestTag/Team", ["a", "b", "a*"]),
    _condition(_operator(STRING_OPERATORS), "aws:RequestTag/Team", ["a", "b", "a*", "A"]),
    _condition(_operator(STRING_OPERATORS), "aws:TagKeys", TAG_KEYS),
    _condition(_operator(STRING_OPERATORS), "aws:PrincipalAccount", ["222222222222", "333333333333"]),
    st.tuples(
        st.just("Null"), st.sampled_from(["aws:requesttag/team", "aws:TagKeys", "aws:SourceIp"]), _some(["true"])
    ),
    st.tuples(st.just("Null"), st.sampled_from(["aws:RequestTag/Team", "aws:TagKeys"]), _some(["false"])),
)


@st.composite
def statements(draw: st.DrawFn, *, variables: bool = False) -> dict[str, object]:
    """
    Draw one statement of a service control policy.
    """
    statement: dict[str, object] = {"Effect": draw(st.sampled_from(["Deny", "Deny", "Allow"]))}
    statement[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(_some(ACTION_PATTERNS))
    resources = RESOURCE_PATTERNS + (VARIABLE_RESOURCES * 3 if variables else [])
    name = draw(st.sampled_from(["Resource", "Resource", "NotResource"]))
    statement[name] = (
        draw(st.one_of(st.just(["*"]), _some(resources))) if name == "Resource" else draw(_some(resources))
    )
    block: dict[str, dict[str, list[str]]] = {}
    for operator, key, values in draw(st.lists(CONDITIONS, max_size=3)):
        block.setdefault(operator, {})[key] = values
    if block:
        statement["Condition"] = block
    return statement


@st.composite
def policies(draw: st.DrawFn, *, variables: bool = False) -> AttachedPolicy:
    """
    Draw a policy of one to three statements.
    """
    chosen = draw(st.lists(statements(variables=variables), min_size=1, max_size=3))
    number = draw(st.integers(0, 999))
    document = parse_policy({"Version": "2012-10-17", "Statement": chosen})
    return AttachedPolicy(f"p-{number:08d}", f"policy-{number}", document)


ALLOW_ALL = AttachedPolicy(
    "p-FullAWSAccess",
    "FullAWSAccess",
    parse_policy({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}),
)


@st.composite
def chains(draw: st.DrawFn, *, variables: bool = False) -> Chain:
    """
    Draw a chain of one to three levels; most levels allow everything before their own policies.
    """
    targets = ["r-ab12", "ou-ab12-aaaaaaaa", ACCOUNT.account_id][-draw(st.integers(1, 3)) :]
    levels = []
    for target in targets:
        base = draw(st.sampled_from([(ALLOW_ALL,), (ALLOW_ALL,), (ALLOW_ALL,), ()]))
        own = draw(st.lists(policies(variables=variables), max_size=2))
        levels.append(Level(target, (*base, *own)))
    return Chain(tuple(levels))


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """
    Draw a request that a principal of the account can send, out of what policies tend to name.
    """
    context: dict[str, object] = {
        "aws:PrincipalAccount": ACCOUNT.account_id,
        "aws:PrincipalOrgID": ACCOUNT.organization_id,
        "aws:PrincipalOrgPaths": [ACCOUNT.organization_path],
        "aws:PrincipalIsAWSService": "false",
        "aws:RequestedRegion": draw(st.sampled_from([*REGIONS, "Eu-West-1"])),
        "aws:CurrentTime": draw(st.sampled_from([*DATES, "2025-01-01T00:00:00Z", "2030-01-01T00:00:00Z"])),
        "aws:PrincipalArn": draw(
            st.sampled_from(["role/Admin", "role/path/Other", "user/alice", "root"]).map(
                lambda tail: f"arn:aws:iam::{ACCOUNT.account_id}:{tail}"
            )
        ),
    }
    optional: dict[str, st.SearchStrategy[object]] = {
        "aws:SourceIp": st.sampled_from(["10.0.0.1", "10.1.2.3", "192.0.2.7", "2001:db8::1", "198.51.100.1"]),
        "aws:MultiFactorAuthPresent": st.sampled_from(["true", "false"]),
        "aws:MultiFactorAuthAge": st.sampled_from(["0", "4", "5", "7.25", "10", "10.5", "9999"]),
        "aws:TagKeys": st.lists(st.sampled_from(["team", "owner", "secret", "tram", "x"]), min_size=1, unique=True),
        "aws:RequestTag/Team": st.sampled_from(["a", "ab", "b", "c", "A", ""]),
        "aws:username": st.sampled_from(["alice", "bob"]),
    }
    for key, values in optional.items():
        if draw(st.booleans()):
            context[key] = draw(values)
    return Request(draw(st.sampled_from(ACTIONS)), draw(st.sampled_from(RESOURCES)), Context.from_json(context))
