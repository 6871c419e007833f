"""
Decisions under all policy types, with the policies compiled beforehand.

The floor is to read the JSON texts of the same requests, which anything that answers them must do once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import Final

from rooftree.authorization import AccessRequest, Authorizer, PolicySet, parse_principal
from rooftree.benchmarks.measure import Measurement, Subject, measure
from rooftree.policy.builtin import FULL_AWS_ACCESS, FULL_AWS_ACCESS_ID
from rooftree.policy.chain import AttachedPolicy, Level
from rooftree.policy.context import Context
from rooftree.policy.document import PolicyKind, parse_policy

__all__ = ["REQUESTS", "SIMULATION_STEPS", "benchmark_policies", "benchmark_requests", "simulation_measurements"]

ACCOUNT: Final = "222222222222"
REQUESTS: Final = 2_000
SIMULATION_STEPS: Final = 3
"""How many measurements there are."""

Json = Mapping[str, object]

_ACTIONS: Final = {
    # service: its resources, and actions of which the identity policy speaks of all but the last
    "s3": ("arn:aws:s3:::{name}/report", ("GetObject", "PutObject", "DeleteObject")),
    "dynamodb": (f"arn:aws:dynamodb:{{region}}:{ACCOUNT}:table/{{name}}", ("GetItem", "PutItem", "DeleteItem")),
    "sqs": (f"arn:aws:sqs:{{region}}:{ACCOUNT}:{{name}}", ("GetQueueUrl", "ListQueueTags", "SendMessage")),
    "sns": (f"arn:aws:sns:{{region}}:{ACCOUNT}:{{name}}", ("GetTopicAttributes", "ListTagsForResource", "Publish")),
    "lambda": (f"arn:aws:lambda:{{region}}:{ACCOUNT}:function:{{name}}", ("GetFunction", "ListTags", "InvokeFunction")),
    "iam": (f"arn:aws:iam::{ACCOUNT}:role/{{name}}", ("GetRole", "ListRolePolicies", "DeleteRole")),
    "secretsmanager": (
        f"arn:aws:secretsmanager:{{region}}:{ACCOUNT}:secret:{{name}}",
        ("GetSecretValue", "PutSecretValue", "DeleteSecret"),
    ),
    "ecr": (
        f"arn:aws:ecr:{{region}}:{ACCOUNT}:repository/{{name}}",
        ("GetDownloadUrlForLayer", "PutImage", "DeleteRepository"),
    ),
    "events": (f"arn:aws:events:{{region}}:{ACCOUNT}:rule/{{name}}", ("ListTargetsByRule", "PutRule", "DeleteRule")),
    "states": (
        f"arn:aws:states:{{region}}:{ACCOUNT}:stateMachine:{{name}}",
        ("ListTagsForResource", "ListExecutions", "StartExecution"),
    ),
}
_REGIONS: Final = ("eu-west-1", "us-east-1", "eu-central-1")
_NODES: Final = ("r-ab12", "ou-ab12-aaaaaaaa", "ou-ab12-bbbbbbbb", ACCOUNT)


def benchmark_policies() -> tuple[list[Json], list[list[Json]]]:
    """
    Return an identity policy of ten statements, in two documents, and four levels of two service control policies.
    """
    statements = [_identity_statement(number, *found) for number, found in enumerate(_ACTIONS.items())]
    identity = [_document(*statements[:5]), _document(*statements[5:])]
    everything: Json = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    levels = [[_document(everything), _document(_guardrail(number))] for number in range(len(_NODES))]
    return identity, levels


def benchmark_requests(count: int) -> list[dict[str, object]]:
    """
    Return different requests as JSON, of which about a third is denied by a level and a fifth allowed.
    """
    several = product(range(count), _ACTIONS.items(), range(3), _REGIONS)
    return [
        {
            "principal": f"arn:aws:iam::{ACCOUNT}:user/user-{number % 40}",
            "action": f"{service}:{actions[which]}",
            "resource": resource.format(region=region, name=f"{'app' if number % 4 else 'web'}-{number}"),
            "context": {"aws:RequestedRegion": region, "aws:SourceIp": "198.51.100.7"},
        }
        for number, (_, (service, (resource, actions)), which, region) in enumerate(islice(several, count))
    ]


def simulation_measurements(*, runs: int) -> Iterator[Measurement]:
    """
    Yield the time of decisions: from plain JSON values, from requests at hand, and with all reasons.
    """
    authorizer = _authorizer()
    contents = benchmark_requests(REQUESTS)
    lines = [json.dumps(content) for content in contents]
    requests = [_request(content) for content in contents]
    read = Subject("read the JSON texts of the requests", lambda: [json.loads(line) for line in lines])
    for name, run in (
        ("decide requests as JSON values", lambda: [authorizer.decide(_request(content)) for content in contents]),
        ("decide requests at hand", lambda: [authorizer.decide(request) for request in requests]),
        ("decide requests at hand and tell all reasons", lambda: [authorizer.explain(one) for one in requests]),
    ):
        yield measure(Subject(name, run, count=REQUESTS), read, runs=runs, scenario="simulation")


def _authorizer() -> Authorizer:
    identity, levels = benchmark_policies()
    return Authorizer(
        PolicySet(
            identity=tuple(
                AttachedPolicy(f"identity-{number}", f"identity-{number}", parse_policy(content, PolicyKind.IDENTITY))
                for number, content in enumerate(identity)
            ),
            service_control=tuple(
                Level(node, (AttachedPolicy(FULL_AWS_ACCESS_ID, "FullAWSAccess", FULL_AWS_ACCESS), _attached(level[1])))
                for node, level in zip(_NODES, levels, strict=True)
            ),
        )
    )


def _attached(content: Json) -> AttachedPolicy:
    return AttachedPolicy("p-guardrail1", "Guardrail", parse_policy(content))


def _request(content: Mapping[str, object]) -> AccessRequest:
    context = content["context"]
    assert isinstance(context, dict), "every request has one"
    return AccessRequest(
        principal=parse_principal(str(content["principal"])),
        action=str(content["action"]),
        resource=str(content["resource"]),
        resource_account=ACCOUNT,
        context=Context.from_json(context),
    )


def _document(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _identity_statement(number: int, service: str, of_service: tuple[str, tuple[str, ...]]) -> Json:
    resource, _actions = of_service
    statement: dict[str, object] = {
        "Sid": f"Statement{number}",
        "Effect": "Deny" if number % 5 == 4 else "Allow",
        "Action": [f"{service}:Get*", f"{service}:List*", f"{service}:Put*"],
        "Resource": [resource.format(region="*", name=name) for name in ("app-*", "shared-*")],
    }
    if number % 2:
        statement["Condition"] = {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}}
    return statement


def _guardrail(number: int) -> Json:
    return {
        "Sid": f"Guardrail{number}",
        "Effect": "Deny",
        "NotAction": ["iam:*", "sts:*"],
        "Resource": "*",
        "Condition": {
            "StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]},
            "ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/Admin", "arn:aws:iam::*:role/break-glass/*"]},
        },
    }
