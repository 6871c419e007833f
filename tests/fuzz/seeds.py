"""
What fuzzing starts from: ordinary inputs of each target.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from random import Random
from types import MappingProxyType

from tests.cloudtrail_cases import CASES
from tests.generators.histories import generate_history
from tests.generators.policies import CONTENTS
from tests.generators.telling import snapshot_document

__all__ = ["SEEDS"]

# Every operator, qualifier and shape of element that the demo's policies leave out.
RICH_POLICY = {
    "Version": "2012-10-17",
    "Id": "Rich",
    "Statement": {
        "Sid": "Everything",
        "Effect": "Deny",
        "NotPrincipal": {"AWS": ["arn:aws:iam::222222222222:root", "222222222222"], "Service": "ec2.amazonaws.com"},
        "NotAction": ["s3:Get*", "ec2:*Instances", "iam:?etUser"],
        "NotResource": "arn:aws:s3:::${aws:PrincipalTag/team, 'none'}/*",
        "Condition": {
            "ForAllValues:StringNotLikeIfExists": {"aws:TagKeys": ["a*", "${*}b"]},
            "ForAnyValue:StringEqualsIgnoreCase": {"aws:CalledVia": ["cloudformation.amazonaws.com"]},
            "NumericLessThanEquals": {"s3:max-keys": 10, "aws:MultiFactorAuthAge": "3600.5"},
            "DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z", "aws:EpochTime": 1767225600},
            "NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8", "2001:db8::/32"]},
            "Bool": {"aws:SecureTransport": False},
            "BinaryEquals": {"key": "QmluYXJ5"},
            "Null": {"aws:PrincipalArn": "true"},
            "ArnNotLike": {"aws:PrincipalArn": ["arn:*:iam::*:role/Admin", "arn:aws:sts::${aws:PrincipalAccount}:*"]},
        },
    },
}


RESOURCE_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "OnlyOurs",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["s3:*", "sqs:Send*"],
            "Resource": ["arn:aws:s3:::logs-*/*", "*"],
            "Condition": {
                "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorg"},
                "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
            },
        }
    ],
}


def _policies() -> list[bytes]:
    folder = files("rooftree.demo").joinpath("policies")
    written = [file.read_bytes() for file in sorted(folder.iterdir(), key=lambda file: file.name)]
    return [*written, *(json.dumps(content).encode() for content in (*CONTENTS.values(), RICH_POLICY, RESOURCE_POLICY))]


def _changes() -> list[bytes]:
    found: dict[str, bytes] = {}
    for seed in range(20):
        for event in generate_history(Random(seed), changes=40).events:
            found.setdefault(event.type, event.to_bytes())
    return list(found.values())


SEEDS: Mapping[str, Sequence[bytes]] = MappingProxyType(
    {
        "json": [b'{"a": [1, -2.5e3, true, null, "\\u00e4\\ud83d\\ude00"]}', *_policies()[:2]],
        "aws": [json.dumps(case.record).encode() for case in CASES],
        "change": _changes(),
        "policy": _policies(),
        "snapshot": [json.dumps(snapshot_document()).encode()],
        "time": [b"2026-01-31T12:00:00Z", b"2026-12-31t23:59:60.123456789+14:00", b"0001-01-01T00:00:00-00:00"],
        "view": _policies(),
    }
)
