"""
Requests of every kind of principal, with policies of every kind around them that hit and miss about as often.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from tests.property import policy_strategies as language

from rooftree.authorization import AccessRequest, Membership, PolicySet, parse_principal
from rooftree.authorization.acl import AccessControlList, AclGrant, ObjectOwnership, Permission
from rooftree.policy.builtin import FULL_AWS_ACCESS, FULL_AWS_ACCESS_ID
from rooftree.policy.chain import AttachedPolicy, Level
from rooftree.policy.context import Context
from rooftree.policy.document import PolicyKind, parse_policy

__all__ = ["DENY_ALL", "HOME", "Scene", "asked_within", "requests", "scenes", "service_control"]

HOME, AWAY, MANAGEMENT = "222222222222", "333333333333", "111111111111"
USER = f"arn:aws:iam::{HOME}:user/alice"
ROLE = f"arn:aws:iam::{HOME}:role/team/App"
SESSION = f"arn:aws:sts::{HOME}:assumed-role/App/s1"
FEDERATED = f"arn:aws:sts::{HOME}:federated-user/carol"
ROOT = f"arn:aws:iam::{HOME}:root"
LINKED = f"arn:aws:iam::{HOME}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"

PRINCIPALS = [
    parse_principal(USER),
    parse_principal(SESSION, issuer=ROLE),
    parse_principal(FEDERATED, issuer=USER),
    parse_principal(ROOT),
    parse_principal(ROOT, assumed_root=True),
    parse_principal(LINKED),
    parse_principal("lambda.amazonaws.com"),
    parse_principal("anonymous"),
]
NAMES = [USER, ROLE, SESSION, FEDERATED, ROOT, HOME, LINKED, f"arn:aws:iam::{AWAY}:root", "*"]
ACTIONS = [
    *language.ACTIONS,
    "kms:Decrypt",
    "sts:AssumeRole",
    "sts:GetCallerIdentity",
    "s3:PutBucketPolicy",
    "sqs:SendMessage",
]
RESOURCES = [
    *language.RESOURCES,
    f"arn:aws:kms:eu-west-1:{HOME}:key/k",
    f"arn:aws:iam::{HOME}:role/Target",
    "arn:aws-cn:s3:::data/alice/b",
]
PLACES = [None, Membership("o-exampleorg", "o-exampleorg/r-1/"), Membership("o-exampleorg", None, is_management=True)]
EVERYTHING = AttachedPolicy(FULL_AWS_ACCESS_ID, "FullAWSAccess", FULL_AWS_ACCESS)
DENY_ALL = AttachedPolicy(
    "deny", "deny", parse_policy({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}})
)


@dataclass(frozen=True, slots=True)
class Scene:
    """
    A request and the policies around it.
    """

    request: AccessRequest
    policies: PolicySet


def _policies(kind: PolicyKind, content: st.SearchStrategy[dict[str, object]]) -> st.SearchStrategy[AttachedPolicy]:
    return content.map(lambda one: AttachedPolicy("some", "some", parse_policy(one, kind)))


@st.composite
def _statements(draw: st.DrawFn) -> dict[str, Any]:
    """
    Draw a statement; most allow, since everything must before anything is allowed.
    """
    wide = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    effect = draw(st.sampled_from(["wide", "Allow", "Allow", "Deny"]))
    return wide if effect == "wide" else draw(language.statements(effect))


def _identity(kind: PolicyKind = PolicyKind.IDENTITY, most: int = 2) -> st.SearchStrategy[tuple[AttachedPolicy, ...]]:
    content = st.lists(_statements(), min_size=1, max_size=2).map(
        lambda statements: {"Version": "2012-10-17", "Statement": statements}
    )
    return st.lists(_policies(kind, content), max_size=most).map(tuple)


@st.composite
def _resource_contents(draw: st.DrawFn, *, negated: bool = True) -> dict[str, object]:
    statements = []
    for _ in range(draw(st.integers(1, 2))):
        statement = draw(_statements())
        listed = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
        principal: object = draw(
            st.sampled_from([{"AWS": listed}, {"AWS": listed}, "*", {"Service": "lambda.amazonaws.com"}])
        )
        is_negated = negated and statement["Effect"] == "Deny" and draw(st.booleans())
        statements.append({**statement, "NotPrincipal" if is_negated else "Principal": principal})
    return {"Version": "2012-10-17", "Statement": statements}


@st.composite
def service_control(draw: st.DrawFn) -> tuple[Level, ...]:
    """
    Draw levels of service control policies, or none.
    """
    levels = []
    for number in range(draw(st.integers(0, 2))):
        base = draw(st.sampled_from([(EVERYTHING,), (EVERYTHING,), ()]))
        levels.append(Level(f"node-{number}", (*base, *draw(_identity(PolicyKind.SERVICE_CONTROL, 1)))))
    return tuple(levels)


@st.composite
def _resource_control(draw: st.DrawFn) -> tuple[Level, ...]:
    levels = []
    for number in range(draw(st.integers(0, 2))):
        denials = []
        for _ in range(draw(st.integers(0, 1))):
            statement = {**draw(language.statements("Deny")), "Principal": "*"}
            statement.pop("NotAction", None)
            statement["Action"] = draw(st.sampled_from(["s3:*", "kms:*", "sts:*", "iam:*", "sqs:Send*"]))
            denials.append(parse_policy({"Statement": statement}, PolicyKind.RESOURCE_CONTROL))
        policies = (AttachedPolicy(f"r-{index}", f"r-{index}", denial) for index, denial in enumerate(denials))
        levels.append(Level(f"node-{number}", tuple(policies)))
    return tuple(levels)


@st.composite
def _acls(draw: st.DrawFn) -> AccessControlList | None:
    entries = st.lists(
        st.builds(
            AclGrant,
            st.sampled_from([HOME, AWAY, "http://acs.amazonaws.com/groups/global/AllUsers"]),
            st.sampled_from(Permission),
        ),
        max_size=2,
    ).map(tuple)
    if not draw(st.booleans()):
        return None
    return AccessControlList(
        draw(st.sampled_from(ObjectOwnership)), draw(st.sampled_from([None, HOME, AWAY])), draw(entries), draw(entries)
    )


@st.composite
def requests(draw: st.DrawFn) -> AccessRequest:
    """
    Draw a request of any principal, within an account or across two.
    """
    principal = draw(st.sampled_from(PRINCIPALS))
    return AccessRequest(
        principal=principal,
        action=draw(st.sampled_from(ACTIONS)),
        resource=draw(st.sampled_from(RESOURCES)),
        resource_account=draw(st.sampled_from([HOME, HOME, AWAY])),
        context=draw(language.contexts()),
        caller=draw(st.sampled_from(PLACES)) if principal.is_of_account else None,
        owner=draw(st.sampled_from(PLACES)),
        aws_managed_key=draw(st.sampled_from([False, False, True])),
    )


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """
    Draw a request with policies of all kinds around it.
    """
    resource = _policies(PolicyKind.RESOURCE, _resource_contents())
    endpoint = _policies(PolicyKind.VPC_ENDPOINT, _resource_contents())
    policies = PolicySet(
        identity=draw(_identity()),
        permissions_boundaries=draw(_identity(PolicyKind.BOUNDARY, 1)),
        session=draw(_identity(PolicyKind.SESSION, 2)),
        resource=draw(st.just(()) | resource.map(lambda one: (one,))),
        service_control=draw(service_control()),
        resource_control=draw(_resource_control()),
        vpc_endpoint=draw(st.just(()) | st.just(()) | endpoint.map(lambda one: (one,))),
        acl=draw(_acls()),
    )
    return Scene(draw(requests()), policies)


def asked_within(request: AccessRequest, account: str) -> Context:
    """
    Return the context of a request in which the owner of the resource is already told.
    """
    return Context({**request.context.lowered, "aws:ResourceAccount": (account,)})
