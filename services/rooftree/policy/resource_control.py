"""
Which services resource control policies have a hold on: data from AWS's documentation, with its date.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html#rcp-supported-services
"""

from __future__ import annotations

from typing import Final

__all__ = ["COVERED_AS_OF", "COVERED_PREFIXES", "COVERED_SERVICES", "EXCEPTED_ACTIONS", "is_covered"]

COVERED_AS_OF: Final = "2026-09-15"
"""The day of the documentation that the list below was read from."""

COVERED_SERVICES: Final = frozenset(
    {
        "aoss",
        "appconfig",
        "appstream",
        "autoscaling",
        "autoscaling-plans",
        "budgets",
        "clouddirectory",
        "cloudfront",
        "cloudsearch",
        "cloudtrail-data",
        "codeartifact",
        "codebuild",
        "codecommit",
        "codepipeline",
        "cognito-identity",
        "cognito-idp",
        "comprehend",
        "comprehendmedical",
        "compute-optimizer",
        "cost-optimization-hub",
        "dax",
        "dsql",
        "dynamodb",
        "ecr",
        "ecr-public",
        "events",
        "firehose",
        "fis",
        "fms",
        "gamelift",
        "health",
        "inspector-scan",
        "kendra",
        "kinesisvideo",
        "kms",
        "logs",
        "memorydb",
        "networkmonitor",
        "notifications",
        "opensearch",
        "pca-connector-ad",
        "personalize",
        "polly",
        "pricing",
        "resource-groups",
        "rolesanywhere",
        "s3",
        "secretsmanager",
        "servicediscovery",
        "signin",
        "sqs",
        "sts",
        "support",
        "swf",
        "textract",
        "timestream-influxdb",
        "transcribe",
        "transfer",
        "translate",
        "wafv2",
        "workspaces",
        "xray",
    }
)
"""Service prefixes, as the list has them."""

_SPELLED_OTHERWISE: Final = frozenset({"es"})
"""
Prefixes of actions whose service the list names by another one.

The list says ``opensearch`` of Amazon OpenSearch Service, whose actions start with ``es``; both are taken for covered.
"""

EXCEPTED_ACTIONS: Final = frozenset({"kms:RetireGrant"})
"""Actions of covered services that are not covered."""

_EXCEPTED: Final = frozenset(action.lower() for action in EXCEPTED_ACTIONS)

COVERED_PREFIXES: Final = COVERED_SERVICES | _SPELLED_OTHERWISE
"""Prefixes of the actions of covered services."""


def is_covered(action: str) -> bool:
    """
    Tell whether resource control policies have a hold on an action, given in lower case.
    """
    service = action.partition(":")[0]
    return service in COVERED_PREFIXES and action not in _EXCEPTED
